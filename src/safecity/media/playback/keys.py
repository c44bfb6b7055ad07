"""The port `KeyFrames` on the node's shelves: read-only, in any process: the recorder is not asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from safecity.kit.errors import NotFoundError
from safecity.media.playback.shelves import ShelfFootage
from safecity.media.record.reading import Archive
from safecity.model.facts.media_calls import Gap
from safecity.model.values.media import VIDEO, Quality, Unit
from safecity.ports.keyframes import Absent, KeyPlace
from safecity.ports.sqlfile import OpenSqlReader

SHORTEST_ABSENCE_MS: Final = 2000
ROUNDED_US: Final = 2_000
"""The index and the pictures themselves may say the time of one of them so differently."""


class ShelfKeys:
    """`volumes` are folders; those that are away are passed over, and found again when they are back."""

    def __init__(self, volumes: Sequence[Path], open_reader: OpenSqlReader) -> None:
        paths = tuple(volumes)
        self._archive = Archive(lambda: paths, open_reader)

    def places(self, channel: str, quality: Quality, start: int, end: int) -> Sequence[KeyPlace]:
        """See `KeyFrames`."""
        # A chunk that begins before `start` may have its key frame behind it.
        clips = ShelfFootage(channel, quality, self._archive).within(start, end)
        return [
            KeyPlace(clip.first_key, f"{clip.init}/{clip.start}/{clip.first_key}", clip.where)
            for clip in clips
            if start <= clip.first_key < end
        ]

    def load(self, place: KeyPlace) -> Unit:
        """See `KeyFrames`."""
        for unit in self._archive.units(place.where):
            if unit.track == VIDEO and unit.is_key:
                return unit._replace(arrived_us=place.at)
        raise NotFoundError("no key frame where the index has one", code="footage_damaged")

    def pictures(self, channel: str, quality: Quality, start: int, end: int) -> Sequence[Unit]:
        """See `KeyFrames`."""
        found: list[Unit] = []
        for clip in ShelfFootage(channel, quality, self._archive).within(start, end):
            for unit in self._archive.units(clip.where):
                # A clip of another run has other parameter sets: what follows is decoded without what came before.
                inside = start - ROUNDED_US <= unit.arrived_us < end - ROUNDED_US
                if unit.track == VIDEO and inside and (found or unit.is_key):
                    found.append(unit)
        return found

    def first(self, channel: str, quality: Quality) -> int | None:
        """See `KeyFrames`."""
        found = self._archive.key_after(channel, 0, quality)
        return None if found is None else found.key

    def absences(self, channel: str, quality: Quality, start: int, end: int) -> Sequence[Absent]:
        """See `KeyFrames`."""
        line = self._archive.timeline(channel, start, end, SHORTEST_ABSENCE_MS, quality)
        found: list[Absent] = []
        at = start
        for begin, stop in [*((one.start, one.end) for one in line.pieces), (end, end)]:
            # The timeline names no gap where a channel was not recorded yet, or not any more: here it is one all the
            # same, for nothing was looked at.
            if begin - at > SHORTEST_ABSENCE_MS * 1000:
                found += _named(at, begin, line.gaps)
            at = max(at, stop)
        return found

    def close(self) -> None:
        """See `KeyFrames`."""
        self._archive.close()


def _named(start: int, end: int, gaps: Sequence[Gap]) -> list[Absent]:
    """A hole, by what is known of it; what lies between and beside that is `unknown`."""
    found: list[Absent] = []
    at = start
    for one in gaps:  # in order of time
        begin, stop = max(one.start, at), min(one.end, end)
        if stop <= begin:
            continue
        if begin - at > SHORTEST_ABSENCE_MS * 1000:
            found.append(Absent(at, begin, "unknown"))
        found.append(Absent(begin, stop, one.cause))
        at = stop
    if end - at > SHORTEST_ABSENCE_MS * 1000:
        found.append(Absent(at, end, "unknown"))
    return found
