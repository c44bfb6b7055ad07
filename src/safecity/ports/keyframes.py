"""The key frames of recordings, for whoever looks through hours of footage without playing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from safecity.model.values.media import Quality, Unit


class KeyPlace(NamedTuple):
    """A recorded key frame: when it was taken (microseconds UTC), where it lies (the store's own), and `mark`, which is
    another one as soon as other footage lies there."""

    at: int
    mark: str
    where: Any = None


class Absent(NamedTuple):
    """Nothing is recorded within [start, end), and why (`unknown` where nobody knows)."""

    start: int
    end: int
    cause: str


class KeyFrames(Protocol):
    """Everything blocks, and is called in one thread. Nothing is ever written."""

    def places(self, channel: str, quality: Quality, start: int, end: int) -> Sequence[KeyPlace]:
        """Key frames within [start, end) in order of time, one for each chunk that has any: about one a second at
        most. What is not there, or not to be reached, is left out."""
        ...

    def load(self, place: KeyPlace) -> Unit:
        """The picture. NotFoundError or UnavailableError where it went meanwhile or is damaged, InvalidError where it
        cannot be understood."""
        ...

    def pictures(self, channel: str, quality: Quality, start: int, end: int) -> Sequence[Unit]:
        """All pictures of [start, end) in the order they are decoded in, with `arrived_us` by the recording's clock;
        the first one is a key frame, or there is none. Errors as of `load`."""
        ...

    def first(self, channel: str, quality: Quality) -> int | None:
        """When the earliest key frame was taken, None where there is none."""
        ...

    def absences(self, channel: str, quality: Quality, start: int, end: int) -> Sequence[Absent]:
        """Where nothing is recorded, in order of time."""
        ...

    def close(self) -> None:
        """Give the files back."""
        ...


OpenKeyFrames = Callable[[Sequence[Path]], KeyFrames]
"""The recordings on these volumes, read beside whoever writes them."""
