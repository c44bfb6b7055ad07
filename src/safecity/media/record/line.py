"""A recorded stream as the writer thread sees it: what waits to be written, in order, and the book of its gaps."""

from __future__ import annotations

import copy
import logging
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from safecity.kit.errors import InvalidError
from safecity.media.record.cutter import Cut, Cutter
from safecity.media.record.gaps import GapBook, GapChange
from safecity.media.record.place import Place, channel_bytes
from safecity.media.record.shelf import Shelf, ShelfStream
from safecity.media.record.stream import Mark, StreamRecorder
from safecity.model.facts.media_calls import RecordPolicy
from safecity.model.values.media import Quality, StreamKey, Unit

logger = logging.getLogger(__name__)

QUALITIES: Final = {Quality.MAIN: 0, Quality.SUB: 1}
_MOST_GAPS: Final = 100


class Kept(NamedTuple):
    """What a line was before an attempt to write it."""

    todo: list[Cut | Mark]
    gaps: list[GapChange]
    book: GapBook


class Line:
    """See the module."""

    def __init__(self, recorder: StreamRecorder) -> None:
        self.recorder = recorder
        self.channel = channel_bytes(recorder.key.channel)
        self.quality = QUALITIES[recorder.key.quality]
        self.place: Place | None = None
        self.book: GapBook | None = None
        self.kept: RecordPolicy | None = None
        """The policy whose retention the volumes were told last."""
        self.refused = False
        self._cutter = Cutter()
        self._todo: list[Cut | Mark] = []
        self._gaps: list[GapChange] = []
        self._told: list[GapChange] = []
        self._shed = 0

    @property
    def key(self) -> StreamKey:
        return self.recorder.key

    @property
    def waiting(self) -> bool:
        """Whether there is something for a volume."""
        return bool(self._todo or self._gaps)

    def follow(self, old: Line) -> None:
        """Take over what an earlier reader of the same stream left behind."""
        self.place, self.book = old.place, old.book
        self._todo, self._gaps = old._todo, old._gaps

    def begin_book(self, places: Sequence[Place]) -> None:
        """What is missing since the footage that earlier lives left: the process was stopped, or it died."""
        recorder = self.recorder
        expected = recorder.decision.absence
        ends: list[tuple[int, Place, Shelf, ShelfStream]] = []
        for place in places:
            shelf = place.shelf
            if shelf is not None and (self.channel, self.quality) in shelf.index.channels():
                stream = shelf.stream(self.channel, self.quality, recorder.epoch)
                if stream.last_end is not None:
                    ends.append((stream.last_end, place, shelf, stream))
        if not ends or expected is None:
            self.book = GapBook(recorder.opened_at, expected)
            return
        end, self.place, shelf, stream = max(ends, key=lambda one: one[0])
        cause = expected if expected != "network" else "maintenance" if self.place.revived.clean else "unknown"
        self.book = GapBook(min(end, recorder.opened_at), cause, "restart" if expected == "network" else "")
        row = shelf.index.open_gap(stream.channel_no)
        if row is not None and row[0] >= end:
            self.book.resume(GapChange(row[0], 0, row[1], row[2]))

    def collect(self, stepped: int) -> int:
        """Cut what came since last time; bytes taken over. `stepped`: the wall clock was set by so much."""
        taken = 0
        units: list[Unit] = []
        try:
            for item in self.recorder.drain():
                if type(item) is Unit:
                    units.append(item)
                    taken += len(item.data)
                elif type(item) is Mark:
                    self._todo += self._cutter.feed(units, stepped)
                    units = []
                    if item.ends_run:
                        self._cutter.end_run()
                    self._todo.append(item)
            self._todo += self._cutter.feed(units, stepped)
        except Exception:  # one stream's nonsense must not stop the others
            logger.exception("stream cannot be cut key=%s", self.key)
            self._cutter = Cutter()
        return taken

    def keep(self) -> Kept:
        return Kept(list(self._todo), list(self._gaps), copy.copy(self._book()))

    def restore(self, kept: Kept) -> None:
        """The attempt failed: everything is still to be written."""
        self._todo, self._gaps, self.book = list(kept.todo), list(kept.gaps), copy.copy(kept.book)
        self._told = []

    def write(self, stream: ShelfStream) -> None:
        """All that waits, in order. ExhaustedError leaves the rest where it is."""
        book = self._book()
        while self._todo:
            item = self._todo[0]
            if isinstance(item, Mark):
                self._gaps += book.why(item.cause, item.detail, item.at)
            else:
                try:
                    stream.write(item)
                except (InvalidError, struct.error, ValueError, OverflowError) as error:
                    self._refuse(item, error)
                else:
                    self._gaps += book.footage(item.wall, item.end)
            del self._todo[0]
        for change in self._gaps:
            stream.gap(change)
        self._told += self._gaps
        self._gaps = []

    def lose(self) -> None:
        """No volume takes it: what there was is gone, and the gap says why."""
        book = self._book()
        for item in self._todo:
            if isinstance(item, Mark):
                self._gaps += book.why(item.cause, item.detail, item.at)
            else:
                self._gaps += book.why("disk", "no_volume", item.wall)
                self._cutter.end_run()
        self._todo = []
        del self._gaps[:-_MOST_GAPS]

    def tick(self, now: int) -> None:
        """Time goes by: a stream that is silent has a gap."""
        self._gaps += self._book().tick(now)

    def was_shed(self) -> bool:
        """Whether pictures were left out since the last question, because the disk was too slow."""
        before, self._shed = self._shed, self.recorder.shed
        return self._shed > before

    def told(self) -> list[GapChange]:
        """Gaps written since the last question."""
        told, self._told = self._told, []
        return told

    def _refuse(self, cut: Cut, error: Exception) -> None:
        if not self.refused:
            logger.warning("stream cannot be kept key=%s why=%s", self.key, error)
        self.refused = True
        self._gaps += self._book().why("camera", "bad_stream", cut.wall)

    def _book(self) -> GapBook:
        if self.book is None:
            self.book = GapBook(self.recorder.opened_at, self.recorder.decision.absence)
        return self.book
