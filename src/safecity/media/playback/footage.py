"""What playback and export need of the recording store. Blocking: called in the thread that reads files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol


class Clip(NamedTuple):
    """One recorded chunk, as the index knows it. Times are microseconds UTC.

    first_key is the wall time of the first key frame in it, -1 where there is none; clips with the same `init` play
    behind one another; `where` is the store's own.
    """

    start: int
    end: int
    first_key: int
    init: object
    where: Any = None


class Footage(Protocol):
    """The recordings of one channel and quality."""

    def after(self, at: int, limit: int) -> Sequence[Clip]:
        """Clips that end after `at`, in order of time."""
        ...

    def before(self, at: int, limit: int) -> Sequence[Clip]:
        """Clips that begin before `at`, the latest first."""
        ...

    def load(self, clip: Clip) -> bytes:
        """moof and mdat of the clip; UnavailableError when it is gone or damaged."""
        ...

    def init(self, clip: Clip) -> bytes:
        """ftyp and moov of the clip's run."""
        ...

    def cause(self, start: int, end: int) -> str:
        """Why there is nothing between these times, `unknown` if nobody knows."""
        ...
