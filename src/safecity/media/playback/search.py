"""Finding and loading what a viewer asks for. Everything here blocks and runs in the thread that reads files."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final, NamedTuple

from safecity.kit.clock import SECOND_US
from safecity.kit.errors import SafecityError
from safecity.media.formats.fmp4 import Sample, TrackSamples, fragment, init_segment
from safecity.media.formats.fmp4_read import Fragment, read_fragment, read_init
from safecity.media.playback.footage import Clip, Footage
from safecity.media.playback.retime import Timed, pictures
from safecity.model.values.media import CLOCK_HZ, VIDEO, CodecParameters, VideoParameters

GAP_US: Final = SECOND_US
"""A shorter hole is not worth a word."""
KEY_SEARCH: Final = 240
"""Clips looked through for a key frame (about so many seconds)."""
STILL_SEARCH: Final = 60
SKIP_UNREADABLE: Final = 30
STEP_SEARCH: Final = 5
FAR_SEARCHES: Final = 100
"""How often KEY_SEARCH clips are looked through for a picture behind sound alone (several hours of it)."""

ROUNDING_US: Final = 100
"""A browser knows the beginning of a picture in microseconds, rounded down more than once."""


class Gap(NamedTuple):
    """Nothing is recorded here, and why."""

    start: int
    end: int
    cause: str


class Loaded(NamedTuple):
    """A clip with its samples and its run's parameters."""

    clip: Clip
    fragment: Fragment
    tracks: Sequence[CodecParameters]

    def pictures(self) -> list[Timed]:
        """Its pictures and their times."""
        return pictures(self.fragment, self.clip.start)


class Landing(NamedTuple):
    """Where a jump lands: clips from the key frame on, the picture to show, the gap that was jumped over."""

    clips: list[Loaded]
    target: Timed
    gap: Gap | None


class Searcher:
    """Reads one viewer's footage; remembers the parameters of the last runs."""

    def __init__(self, footage: Footage, first: int = 0) -> None:
        self._footage = footage
        self._first = first
        self._tracks: dict[object, Sequence[CodecParameters]] = {}

    def land(self, at: int, *, step: int = 0, direction: int = 1, live: bool = False) -> Landing | None:
        """The picture shown at `at`; with `step` the one before (-1) or after (1) it. None where there is none.

        In a gap the next footage in `direction` is taken; with `live`, what was recorded last.
        """
        footage = self._footage
        # A step goes from the shown picture; the time a viewer says lies anywhere within it, or is rounded below it.
        at += ROUNDING_US if step else 0
        clips, gap, forward = list(footage.before(at + 1, KEY_SEARCH)), None, (step or direction) > 0
        if not clips or clips[0].end <= at:
            following = footage.after(at, 1) if forward else ()
            if following:
                begin = following[0].start
                if begin - at >= GAP_US:
                    gap = Gap(at, begin, footage.cause(at, begin))
                at, clips = begin, list(footage.before(begin + 1, KEY_SEARCH))
            elif clips and (not forward or live):
                at = clips[0].end - 1
            else:
                return None
            step = 0  # what is nearest is the step
        if not _decodable(clips, at):
            elsewhere = self._key_after(at) if forward else None
            if elsewhere is None and (not forward or live):
                elsewhere = _pictures_before(clips)
            if elsewhere is None:
                return None
            at, clips, step = elsewhere, list(footage.before(elsewhere + 1, KEY_SEARCH)), 0
        loaded = self._from_key(clips, at)
        shown = (one for clip in loaded for one in clip.pictures())
        everything = list(itertools.dropwhile(lambda one: not one.sample.is_key, shown))
        if not everything:
            return None
        if step:
            at = min(at, _target(everything, at, 0).wall)
        target = _target(everything, at, step)
        if step > 0 and target.wall <= at:
            for clip in footage.after(loaded[-1].clip.end, STEP_SEARCH):
                if clip.init != loaded[0].clip.init or clip.start - loaded[-1].clip.end >= GAP_US:
                    return self.land(clip.start, direction=1)
                loaded.append(self.load(clip))
                if further := loaded[-1].pictures():
                    target = further[0]
                    break
        if step < 0 and target.wall >= at and target.wall > self._first:
            if not footage.before(target.wall, 1):
                return None
            # From a key frame the step leads into the group before, which is not loaded and may have no key frame.
            earlier = self.land(target.wall - 1, direction=-1)
            if earlier is None or earlier.target.wall < target.wall:
                return earlier
        return Landing(loaded, target, gap)

    def load(self, clip: Clip) -> Loaded:
        """Read a clip; UnavailableError or InvalidError when it is gone or damaged."""
        tracks = self._tracks.get(clip.init)
        if tracks is None:
            if len(self._tracks) > 16:
                self._tracks.clear()
            tracks = self._tracks[clip.init] = read_init(self._footage.init(clip))
        return Loaded(clip, read_fragment(self._footage.load(clip)), tracks)

    def following(self, at: int) -> tuple[Loaded, Gap | None] | None:
        """The clip that plays after `at`, and the gap before it if there is one."""
        error: SafecityError | None = None
        for clip in self._footage.after(at, SKIP_UNREADABLE):
            try:
                loaded = self.load(clip)
            except SafecityError as reason:  # deleted or damaged since the index was read: a gap to the viewer
                error = reason
                continue
            gap = Gap(at, clip.start, self._footage.cause(at, clip.start)) if clip.start - at >= GAP_US else None
            return loaded, gap
        if error is not None:
            raise error
        return None

    def stills(self, at: int, direction: int, count: int) -> list[tuple[Loaded, Timed]]:
        """The next key frames from `at` in this direction."""
        footage = self._footage
        found: list[tuple[Loaded, Timed]] = []
        for clip in footage.after(at, STILL_SEARCH) if direction > 0 else footage.before(at, STILL_SEARCH):
            if clip.first_key < 0:
                continue
            try:
                loaded = self.load(clip)
            except SafecityError:
                continue
            keys = [one for one in loaded.pictures() if one.sample.is_key]
            if direction > 0:
                found += [(loaded, one) for one in keys if one.wall > at]
            else:
                found += [(loaded, one) for one in reversed(keys) if one.wall < at]
            if len(found) >= count:
                break
        return found

    def picture(self, at: int) -> tuple[int, bytes] | None:
        """See `key_picture`."""
        return key_picture(self._footage, at)

    def _key_after(self, at: int) -> int | None:
        """When the next key frame was taken."""
        for _ in range(FAR_SEARCHES):
            clips = self._footage.after(at, KEY_SEARCH)
            for clip in clips:
                if clip.first_key >= at:
                    return clip.first_key
            if not clips:
                break
            at = clips[-1].end
        return None

    def _from_key(self, clips: Sequence[Clip], at: int) -> list[Loaded]:
        """Clips (the latest first) back to the key frame at or before `at`, as its own picture tells.

        The index knows it by the clock of the recorder, which may differ by a hair: it would be looked for in a chunk
        in which it comes too late.
        """
        loaded: list[Loaded] = []
        for clip in clips:
            if clip.init != clips[0].init:
                break
            loaded.append(self.load(clip))
            if clip.first_key >= 0 and any(one.sample.is_key and one.wall <= at for one in loaded[-1].pictures()):
                break
        return loaded[::-1]


def _decodable(clips: Sequence[Clip], at: int) -> bool:
    """Whether the run of the latest of these clips has a key frame at or before `at`.

    It has none where a camera's sound was there before its first picture, or where only sound went on.
    """
    for clip in clips:
        if clip.init != clips[0].init:
            break
        if 0 <= clip.first_key <= at:
            return True
    return False


def _pictures_before(clips: Sequence[Clip]) -> int | None:
    """The end of the last run (clips come the latest first) that has pictures."""
    run, end = object(), 0
    for clip in clips:
        if clip.init != run:
            run, end = clip.init, clip.end
        if clip.first_key >= 0 and end > clip.first_key:
            return end - 1
    return None


def key_picture(footage: Footage, at: int) -> tuple[int, bytes] | None:
    """The key frame at or before `at` (else the first after it) as an fMP4 of its own, and its time."""
    before = footage.before(at + 1, KEY_SEARCH)
    # Of a chunk that begins within a group of pictures, the key frame of its first ones lies in a chunk before it.
    run = itertools.takewhile(lambda clip: clip.init == before[0].init, before)
    choices = itertools.chain(
        (clip for clip in run if 0 <= clip.first_key <= at),
        (clip for clip in footage.after(at, STILL_SEARCH) if clip.first_key >= 0),
        (clip for clip in before if clip.first_key >= 0),
    )
    for clip in choices:
        keys = [one for one in pictures(read_fragment(footage.load(clip)), clip.start) if one.sample.is_key]
        if not keys:
            continue
        chosen = next((one for one in reversed(keys) if one.wall <= at), keys[0])
        video = [one for one in read_init(footage.init(clip)) if isinstance(one, VideoParameters)]
        alone = Sample(chosen.sample.data, 0, 0, CLOCK_HZ, True)
        return chosen.wall, init_segment(video) + fragment(1, [TrackSamples(VIDEO, [alone])])
    return None


def _target(everything: Sequence[Timed], at: int, step: int) -> Timed:
    if step > 0:
        return next((one for one in everything if one.wall > at), everything[-1])
    if step < 0:
        return next((one for one in reversed(everything) if one.wall < at), everything[0])
    return next((one for one in reversed(everything) if one.wall <= at), everything[0])
