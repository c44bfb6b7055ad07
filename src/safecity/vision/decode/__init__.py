"""Films into frames, in a child process that may crash on what it is given."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from safecity.kit.errors import InvalidError, UnavailableError

HEADER = struct.Struct("<4sdII")  # mark, seconds, width, height; then width x height x 3 bytes, BGR
MARK = b"FRM1"
MAX_FRAME_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture of a film, and when it is shown."""

    at_seconds: float
    picture: NDArray[np.uint8]


def frames(film: Path, per_second: float) -> Iterator[Frame]:
    """About `per_second` frames of each second, in order.

    InvalidError `film_unreadable` when the decoder cannot open it or breaks off; frames before that have been given.
    UnavailableError `decoder_missing` without the extra `av`.
    """
    command = [sys.executable, "-m", "safecity.vision.decode", str(film.absolute()), str(per_second)]
    # What it complains of goes into a file: a pipe that nobody reads before the end would stop it when it is full.
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints) as child,  # noqa: S603
    ):
        assert child.stdout is not None
        try:
            while (frame := _next(child.stdout)) is not None:
                yield frame
        finally:
            child.stdout.close()
            child.kill() if child.poll() is None and sys.exc_info()[0] is not None else None
            code = child.wait()
        if code == 3:
            raise UnavailableError("films need the extra safecity[av]", code="decoder_missing")
        if code != 0:
            complaints.seek(max(complaints.seek(0, os.SEEK_END) - 2000, 0))
            said = complaints.read(2000).decode("utf-8", "replace").strip()
            raise InvalidError(
                f"{film.name}: the decoder gave up",
                code="film_unreadable",
                params={"file": film.name, "why": said[-300:]},
            )


def _next(pipe: IO[bytes]) -> Frame | None:
    head = pipe.read(HEADER.size)
    if len(head) < HEADER.size:
        return None
    mark, at, width, height = HEADER.unpack(head)
    size = width * height * 3
    if mark != MARK or not 0 < size <= MAX_FRAME_BYTES:
        return None
    data = pipe.read(size)
    if len(data) < size:
        return None
    return Frame(at, np.frombuffer(data, np.uint8).reshape(height, width, 3))
