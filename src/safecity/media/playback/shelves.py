"""`Footage` on the node's shelves: the recordings of one channel as playback and export see them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from safecity.kit.clock import SECOND_US
from safecity.media.playback.footage import Clip
from safecity.media.record.reading import Archive, ChunkRef, ReaderThread
from safecity.model.values.media import Quality

_OVERLAP_US: Final = SECOND_US // 5
"""Two shelves may both have a stretch (a channel that moved); more overlap than this is a double."""
_WIDEST_US: Final = 600 * SECOND_US


class ShelfFootage:
    """One channel and quality in an `Archive`, whose thread it must be used in."""

    def __init__(self, channel: str, quality: Quality, archive: Archive | None = None) -> None:
        self._channel = channel
        self._quality = quality
        self._archive = archive

    def in_thread(self, reader: ReaderThread) -> Callable[[Callable[[], Any]], Awaitable[Any]]:
        """Runs work that uses this footage in the reader's thread, on its archive."""

        def run(work: Callable[[], Any]) -> Awaitable[Any]:
            def question(archive: Archive) -> Any:
                self._archive = archive
                return work()

            return reader.ask(question)

        return run

    @property
    def archive(self) -> Archive:
        """The archive it reads."""
        if self._archive is None:
            raise RuntimeError("footage is used outside its thread")
        return self._archive

    def after(self, at: int, limit: int) -> Sequence[Clip]:
        """See `Footage`."""
        window = min((limit + 3) * SECOND_US, _WIDEST_US)
        found = self._between(at, at + window)
        found = [one for one in found if one.end > at]
        if not found:
            following = self.archive.key_after(self._channel, at, self._quality)
            if following is None:
                return []
            found = self._between(following.start, following.start + window)
        return _clips(found)[:limit]

    def before(self, at: int, limit: int) -> Sequence[Clip]:
        """See `Footage`."""
        window = min((limit + 3) * SECOND_US, _WIDEST_US)
        found = [one for one in self._between(at - window, at) if one.start < at]
        if not found:
            earlier = self.archive.key_before(self._channel, at, self._quality)
            if earlier is None:
                return []
            # Behind its last key frame footage goes on for one group of pictures at most.
            found = [one for one in self._between(earlier.start - window, earlier.end + _WIDEST_US) if one.start < at]
        return _clips(found)[::-1][:limit]

    def within(self, start: int, end: int) -> Sequence[Clip]:
        """All clips that touch [start, end), in order of time, however many."""
        return _clips(self._between(start, end))

    def load(self, clip: Clip) -> bytes:
        """See `Footage`."""
        return self.archive.read_chunk(clip.where).body

    def init(self, clip: Clip) -> bytes:
        """See `Footage`."""
        return self.archive.init_of(clip.where)

    def cause(self, start: int, end: int) -> str:
        """See `Footage`."""
        gaps = self.archive.timeline(self._channel, start, end, 500, self._quality).gaps
        longest = max(gaps, key=lambda one: one.end - one.start, default=None)
        return longest.cause if longest is not None else "unknown"

    def _between(self, start: int, end: int) -> list[ChunkRef]:
        return self.archive.chunks(self._channel, max(0, start), end, self._quality)


def _clips(chunks: Sequence[ChunkRef]) -> list[Clip]:
    found: list[Clip] = []
    for one in chunks:
        init = (one.shelf, one.run)
        if found and init != found[-1].init and one.start < found[-1].end - _OVERLAP_US:
            continue
        found.append(Clip(one.start, one.end, one.key or -1, init, one))
    return found
