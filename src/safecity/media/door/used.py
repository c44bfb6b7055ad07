"""Which tickets were opened: known to every slot of the machine, and still known after one of them was started anew.

The kernel hands a viewer to any slot, so a ticket cannot be bound to one of them. What they share is a folder: a
ticket that is opened leaves an empty file there, and making a file that must not exist yet is what only one can do.
"""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

logger = logging.getLogger(__name__)

FORGET_SECONDS = 15


class UsedTickets:
    """Without a folder, or where it takes nothing, this slot alone remembers: a full disk must not end watching."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._own: dict[str, int] = {}
        self._forgot_at = 0
        self._well = True
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                self._report(error)

    def use(self, nonce: str, until: int) -> bool:
        """Whether this is the first time; `until` (seconds since 1970) is when the ticket opens nothing any more."""
        mark = f"{until}-{hashlib.sha256(nonce.encode()).hexdigest()[:32]}"
        if mark in self._own:
            return False
        self._own[mark] = until
        if self._folder is None:
            return True
        try:
            os.close(os.open(self._folder / mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            return False
        except OSError as error:
            self._report(error)
        else:
            self._report(None)
        return True

    def forget(self, now: int) -> None:
        """Called often; what is over may be forgotten by any slot for all."""
        if 0 <= now - self._forgot_at < FORGET_SECONDS:
            return
        self._forgot_at = now
        self._own = {mark: until for mark, until in self._own.items() if until >= now}
        try:
            names = os.listdir(self._folder) if self._folder is not None else []
        except OSError:
            return
        for name in names:
            until = name.partition("-")[0]
            if self._folder is not None and until.isascii() and until.isdigit() and int(until) < now:
                (self._folder / name).unlink(missing_ok=True)

    def _report(self, error: OSError | None) -> None:
        if (error is None) is self._well:
            return
        self._well = error is None
        if error is None:
            logger.info("used tickets are shared again folder=%s", self._folder)
        else:
            logger.warning("used tickets are known to this slot alone folder=%s why=%s", self._folder, error)
