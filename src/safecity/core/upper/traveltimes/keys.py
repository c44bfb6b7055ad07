"""Keys that turn plates into pseudonyms, each for two hours, and forgotten for good.

They lie in one file beside the database, in no backup. A pseudonym whose key is gone is a number like any other: nobody
can make it again from a plate, not even from a list of all plates.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from safecity.core.upper.traveltimes.decide import LONGEST_US, PERIOD_US
from safecity.kit.clock import SECOND_US

SIZE: Final = 16
"""Bytes of a pseudonym: among the passages of four hours no two meet by chance."""
AHEAD_US: Final = 600 * SECOND_US
"""So far clocks of devices may be ahead."""


class Keys:
    """The living keys by period. Whoever restarts finds them again; whoever asks after their end does not."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: dict[int, bytes] | None = None
        self._lock = threading.Lock()

    def turn(self, now: int) -> Mapping[int, bytes]:
        """Those that live now, made where there are none; the others are destroyed before it returns. OSError where
        the file cannot be written: then no key is used that a restart would not find."""
        with self._lock:
            known = self._read() if self._keys is None else self._keys
            living = range(first_living(now), (now + AHEAD_US) // PERIOD_US + 1)
            if set(known) != set(living):
                known = {period: known.get(period) or secrets.token_bytes(32) for period in living}
                self._write(known)
            self._keys = known
            return dict(known)

    def _read(self) -> dict[int, bytes]:
        with suppress(FileNotFoundError, ValueError, AttributeError):  # a broken file is no key: they begin anew
            return {int(period): bytes.fromhex(key) for period, key in json.loads(self._path.read_bytes()).items()}
        return {}

    def _write(self, keys: Mapping[int, bytes]) -> None:
        data = json.dumps({period: key.hex() for period, key in keys.items()}).encode()
        partial = self._path.with_suffix(".part")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        with open(partial, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        old = os.open(self._path, os.O_WRONLY) if self._path.exists() else None
        try:
            os.replace(partial, self._path)
            if old is not None:  # what is deleted only by name lies on the disk until something else needs the place
                os.pwrite(old, bytes(os.fstat(old).st_size), 0)
                os.fsync(old)
        finally:
            if old is not None:
                os.close(old)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def first_living(now: int) -> int:
    """The oldest period whose vehicles can still arrive."""
    return (now - LONGEST_US) // PERIOD_US


def pseudonym(key: bytes, kind: str, text: str) -> bytes:
    """HMAC-SHA-256 of a text of that kind (`plate`, `passage`), shortened."""
    return hmac.digest(key, f"{kind}\0{text}".encode(), "sha256")[:SIZE]
