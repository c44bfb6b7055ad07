"""The footage of a job, run by run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from safecity.kit.errors import NotFoundError, SafecityError
from safecity.media.export.job import Job
from safecity.media.playback.footage import Clip
from safecity.media.playback.shelves import ShelfFootage
from safecity.media.record.reading import Archive
from safecity.model.facts.media_calls import Gap
from safecity.model.values.media import Quality
from safecity.ports.sqlfile import OpenSqlReader

WINDOW = 600
"""Clips looked up at once (about so many seconds)."""
LEAD_SECONDS = 30
"""How far before the range the first key frame is looked for."""


@dataclass(slots=True)
class Footing:
    """The archive of a job and the quality that was recorded."""

    job: Job
    archive: Archive
    footage: ShelfFootage
    quality: Quality
    unreadable: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    def clips(self) -> Iterator[Clip]:
        """All of the range, beginning with the key frame from which its first picture can be decoded."""
        at = self._begin()
        end = self.job.end_us
        while True:
            found = [one for one in self.footage.after(at, WINDOW) if one.start < end]
            if not found:
                return
            yield from found
            at = max(one.end for one in found)
            if at >= end:
                return

    def gaps(self) -> Sequence[Gap]:
        """What is missing in the range and why, with what turned out to be unreadable."""
        gaps = list(self.archive.timeline(self.job.channel, self.job.start_us, self.job.end_us, 500, self.quality).gaps)
        gaps += [Gap(start, end, "unknown", "unreadable") for start, end in self.unreadable]
        return sorted(gaps, key=lambda one: one.start)

    def _begin(self) -> int:
        start = self.job.start_us
        for clip in self.footage.before(start + 1, LEAD_SECONDS):
            if 0 <= clip.first_key <= start:
                return clip.start
        return start


def footing(job: Job, open_reader: OpenSqlReader) -> Footing:
    """NotFoundError (`export_nothing_recorded`) where the range holds nothing in either quality."""
    paths = [Path(one.path) for one in job.volumes]
    archive = Archive(lambda: paths, open_reader)
    for quality in (Quality.MAIN, Quality.SUB):
        footage = ShelfFootage(job.channel, quality, archive)
        found = footage.after(job.start_us, 1)
        if found and found[0].start < job.end_us:
            return Footing(job, archive, footage, quality)
    raise NotFoundError("nothing recorded in the range", code="export_nothing_recorded")


def load(footing: Footing, clip: Clip) -> bytes | None:
    """moof and mdat; None, and noted, where the disk does not give it back."""
    try:
        return footing.footage.load(clip)
    except SafecityError:
        footing.unreadable.append((clip.start, clip.end))
        return None
