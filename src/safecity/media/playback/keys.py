"""The port `KeyFrames` on the node's shelves: read-only, in any process: the recorder is not asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from safecity.kit.errors import InvalidError, NotFoundError
from safecity.media.formats.fmp4_read import read_fragment, read_init
from safecity.media.playback.footage import Clip
from safecity.media.playback.retime import pictures
from safecity.media.playback.shelves import ShelfFootage
from safecity.media.record.reading import Archive
from safecity.model.facts.media_calls import Gap
from safecity.model.values.media import VIDEO, Quality, Unit, VideoParameters
from safecity.ports.keyframes import Absent, KeyPlace
from safecity.ports.sqlfile import OpenSqlReader

SHORTEST_ABSENCE_MS: Final = 2000
_RUNS: Final = 32
"""Parameters of so many runs are remembered."""


class ShelfKeys:
    """`volumes` are folders; those that are away are passed over, and found again when they are back."""

    def __init__(self, volumes: Sequence[Path], open_reader: OpenSqlReader) -> None:
        paths = tuple(volumes)
        self._archive = Archive(lambda: paths, open_reader)
        self._parameters: dict[object, VideoParameters] = {}

    def places(self, channel: str, quality: Quality, start: int, end: int) -> Sequence[KeyPlace]:
        """See `KeyFrames`."""
        # A chunk that begins before `start` may have its key frame behind it.
        clips = ShelfFootage(channel, quality, self._archive).within(start, end)
        return [
            KeyPlace(clip.first_key, f"{clip.init}/{clip.start}/{clip.first_key}", (channel, quality, clip))
            for clip in clips
            if start <= clip.first_key < end
        ]

    def load(self, place: KeyPlace) -> Unit:
        """See `KeyFrames`."""
        channel, quality, clip = place.where
        footage = ShelfFootage(channel, quality, self._archive)
        parameters = self._of_run(footage, clip)
        for picture in pictures(read_fragment(footage.load(clip)), clip.start):
            if picture.sample.is_key:
                sample = picture.sample
                return Unit(VIDEO, sample.data, sample.pts, sample.dts, True, False, place.at, parameters)
        raise NotFoundError("no key frame where the index has one", code="footage_damaged")

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

    def _of_run(self, footage: ShelfFootage, clip: Clip) -> VideoParameters:
        known = self._parameters.get(clip.init)
        if known is None:
            tracks = read_init(footage.init(clip))
            known = next((one for one in tracks if isinstance(one, VideoParameters)), None)
            if known is None:
                raise InvalidError("a run without pictures", code="footage_damaged")
            if len(self._parameters) >= _RUNS:
                self._parameters.clear()
            self._parameters[clip.init] = known
        return known


def _named(start: int, end: int, gaps: Sequence[Gap]) -> list[Absent]:
    """A hole, by what is known of it."""
    known = [one for one in gaps if one.start < end and one.end > start]
    if not known:
        return [Absent(start, end, "unknown")]
    return [Absent(max(one.start, start), min(one.end, end), one.cause) for one in known]
