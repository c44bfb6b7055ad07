"""What terminals took themselves and sent (JT/T 808-2019, 8.55): pictures, sounds and short clips, a file each.

A terminal that is told that it was received forgets it. So it is told when the file is on the disk, and not before.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from safecity.kit.clock import SECOND_US
from safecity.kit.errors import NotFoundError
from safecity.model.facts.vehicle_calls import TerminalPicture
from safecity.protocols.gb28181.limits import Buckets
from safecity.protocols.jt808.checks import judge
from safecity.protocols.jt808.records import MediaData

logger = logging.getLogger(__name__)

MOST: Final = 1_000
"""Files of one terminal; the oldest go."""
DAY_US: Final = 86_400 * SECOND_US
KINDS: Final = ("picture", "sound", "video")
FORMATS: Final = ("jpeg", "tif", "mp3", "wav", "wmv")
CAUSES: Final = ("ordered", "timer", "robbery", "collision", "door_opens", "door_closes", "distance")
_DEVICE: Final = re.compile(r"dv_[0-9a-z]{1,40}")
_NAME: Final = re.compile(r"(\d{16})-([0-9a-f]{8})-(\d{1,3})-(\d{1,3})-(\d{1,3})-(\d{1,3})")


class Pictures:
    """Below a folder, by device. `days`: how long each is kept."""

    def __init__(self, folder: Path, now_us: Callable[[], int], monotonic: Callable[[], float], *, days: int) -> None:
        self._folder = folder
        self._now_us = now_us
        self._monotonic = monotonic
        self._days = days
        self._due: list[Path] = []
        self._sent = Buckets(rate=0.5, burst=30.0, max_keys=100_000)

    def keep(self, device: str, phone: str, sent: MediaData) -> str:
        """Empty once it is on the disk, else why not: the terminal sends it again."""
        if not self._sent.take(phone, self._monotonic()):
            return "jt_flood"
        now = self._now_us()
        at = judge(sent.location, now, catch_up=True).at_us if sent.location is not None else now
        name = f"{at:016d}-{sent.media_id:08x}-{sent.kind}-{sent.format}-{sent.event}-{sent.channel}"
        folder = self._of(device)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Sent again with another serial, since our answer did not arrive: it is there already.
            if not any(one.read_bytes() == sent.data for one in folder.glob(f"*-{sent.media_id:08x}-*")):
                _write(folder / name, sent.data)
                for old in _files(folder)[MOST:]:
                    old.unlink()
        except OSError as error:
            logger.warning("picture not kept device=%s why=%s", device, error)
            return "jt_no_room"
        return ""

    def listed(self, device: str, before: str, limit: int) -> tuple[TerminalPicture, ...]:
        """The newest first, behind the one with that name."""
        found = [one for one in _files(self._of(device)) if not before or one.name < before]
        return tuple(_told(one) for one in found[: max(1, min(limit, 200))])

    def read(self, device: str, name: str) -> tuple[TerminalPicture, bytes]:
        """What it is, and its bytes. NotFoundError."""
        if _NAME.fullmatch(name):
            file = self._of(device) / name
            try:
                return _told(file), file.read_bytes()
            except FileNotFoundError:
                pass
        raise NotFoundError("no such picture", code="not_found", params={"kind": "picture"})

    def forget(self, device: str) -> None:
        """The device was taken out of the list."""
        shutil.rmtree(self._of(device), ignore_errors=True)

    def sweep(self) -> int:
        """Remove what of the next terminal is older than it may be; how many. One after the other comes round: all of
        them at once would keep the line of every terminal waiting."""
        if not self._due:
            self._due = sorted(self._folder.iterdir()) if self._folder.is_dir() else []
        if not self._due:
            return 0
        oldest, gone = self._now_us() - self._days * DAY_US, 0
        for file in _files(self._due.pop()):
            if int(file.name[:16]) < oldest:
                file.unlink(missing_ok=True)
                gone += 1
        return gone

    def _of(self, device: str) -> Path:
        if not _DEVICE.fullmatch(device):
            raise NotFoundError("no such device", code="not_found", params={"kind": "device"})
        return self._folder / device


def _files(folder: Path) -> list[Path]:
    """The newest first."""
    if not folder.is_dir():
        return []
    return sorted((one for one in folder.iterdir() if _NAME.fullmatch(one.name)), reverse=True)


def _told(file: Path) -> TerminalPicture:
    at, _, kind, form, cause, channel = file.name.split("-")
    return TerminalPicture(
        file.name, int(at), _word(KINDS, kind), _word(FORMATS, form), _word(CAUSES, cause), int(channel),
        file.stat().st_size,
    )  # fmt: skip


def _word(words: tuple[str, ...], number: str) -> str:
    """The number itself where the standard has no word for it."""
    return words[int(number)] if int(number) < len(words) else number


def _write(file: Path, data: bytes) -> None:
    """Whole or not at all, also where the power fails."""
    half = file.with_name(f".{file.name}")
    with half.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    half.replace(file)
