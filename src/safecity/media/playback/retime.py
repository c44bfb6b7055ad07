"""From recorded samples to the time line of one viewer. Pure.

The viewer's media time is playing time: it grows without a hole whatever is played, at the speed asked for, so the
browser plays at its normal rate over seeks, gaps, runs and backwards. What was recorded when, the heads tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from safecity.media.door.messages import FRAGMENT, KEY_FRAGMENT, RAW_AUDIO, SOUND_FRAGMENT, binary, is_raw
from safecity.media.formats.fmp4 import Sample, TrackSamples, fragment_head
from safecity.media.formats.fmp4_read import Fragment
from safecity.model.values.media import AUDIO, CLOCK_HZ, VIDEO, AudioParameters

START_90K: Final = CLOCK_HZ
LARGEST_HOLE_90K: Final = CLOCK_HZ // 2
"""A hole in the recorded media time that is larger is closed up."""
MAX_FRAME_90K: Final = 4 * CLOCK_HZ
RAW_HOLE_90K: Final = CLOCK_HZ // 20
"""Raw sound has no times of its own within a message: a longer silence of the device begins another one."""


class Timed(NamedTuple):
    """A recorded picture and when it was taken (microseconds UTC)."""

    sample: Sample
    wall: int


def pictures(fragment: Fragment, start: int) -> list[Timed]:
    """The pictures of a chunk that begins at `start`, each with its time; sound alone gives none."""
    for one in fragment.tracks:
        if one.track == VIDEO:
            origin = one.samples[0].dts
            return [Timed(sample, start + (sample.dts - origin) * 100 // 9) for sample in one.samples]
    return []


def sounds(fragment: Fragment) -> list[Sample]:
    """The sound of a chunk."""
    return [sample for one in fragment.tracks if one.track == AUDIO for sample in one.samples]


@dataclass(slots=True)
class Line:
    """The viewer's time line: where it ends, and how recorded media time maps onto it."""

    end: int = START_90K
    speed: float = 1.0
    _origin: int = 0
    _base: int = START_90K
    _expected: int | None = None
    _sequence: int = 0
    _sound_end: int = 0

    def cut(self) -> None:
        """What comes next does not continue what came last."""
        self._expected = None

    def place(self, dts: int) -> int:
        """Recorded decoding time to media time."""
        return self._base + round((dts - self._origin) / self.speed)

    def follow(self, dts: int) -> None:
        """Continue with a picture of this time, closing up what is no continuation."""
        if self._expected is None or not -900 <= dts - self._expected <= LARGEST_HOLE_90K:
            self._origin, self._base = dts, self.end

    def lay(self, shown: Sequence[Timed], until: int | None = None) -> list[Sample]:
        """Pictures in order onto the line, without a hole; `until`: the recorded time of the next picture, where known.

        How long the last picture of a chunk lasts was guessed when it was recorded. A browser that is sent to a moment
        that two pictures claim shows the first of them.

        A camera that sent nothing for some tenths of a second leaves one between two chunks. The picture before is at
        the viewer's already, and a browser stops for good at what nobody covers: the picture behind is shown early.
        """
        self.follow(shown[0].sample.dts)
        samples: list[Sample] = []
        last = shown[-1].sample
        if until is None or not 0 < until - last.dts <= LARGEST_HOLE_90K:
            until = last.dts + max(1, last.duration)
        for at, (sample, _) in enumerate(shown):
            dts = self.place(sample.dts) if at else min(self.place(sample.dts), self.end)
            following = shown[at + 1].sample.dts if at + 1 < len(shown) else until
            lasts = min(max(1, self.place(following) - dts), MAX_FRAME_90K)
            shift = round((sample.pts - sample.dts) / self.speed)
            samples.append(Sample(sample.data, dts, max(0, dts + shift), lasts, sample.is_key))
        self._expected = until
        self.end = max(self.end, samples[-1].dts + samples[-1].duration)
        return samples

    def messages(
        self, shown: Sequence[Timed], heard: Sequence[Sample], sound: AudioParameters | None, until: int | None = None
    ) -> bytes:
        """Pictures in order, and before them the sound that goes with them (at normal speed only), as whole frames.

        `until`: see `lay`.
        """
        samples = self.lay(shown, until)
        early = self.place(shown[0].sample.dts) - samples[0].dts
        voice = self._voice(heard) if sound is not None and self.speed == 1.0 else []
        before = b""
        if voice and sound is not None:
            before = self._sound_messages(voice, sound, _wall(shown[0].wall, -early), samples[0].dts)
        if early <= 0:
            return before + self._pictures(samples, shown[0].wall)
        # One that is shown early stands alone, so that it and those behind it each have their own time.
        alone, behind = self._pictures(samples[:1], shown[0].wall), samples[1:]
        return before + alone + (self._pictures(behind, shown[1].wall) if behind else b"")

    def _pictures(self, samples: Sequence[Sample], wall: int) -> bytes:
        """One message of pictures, the first of which was taken at `wall`."""
        self._sequence += 1
        kind = KEY_FRAGMENT if samples[0].is_key else FRAGMENT
        parts = [fragment_head(self._sequence, [TrackSamples(VIDEO, samples)]), *(one.data for one in samples)]
        return binary(kind, wall, samples[0].dts, parts)

    def _sound_messages(self, voice: Sequence[Sample], sound: AudioParameters, wall: int, begin: int) -> bytes:
        """Sound never shares a message with pictures: a browser that lacks it, or has no use for it, leaves it out."""
        if is_raw(sound):
            return b"".join(
                binary(RAW_AUDIO, _wall(wall, piece[0].dts - begin), piece[0].dts, [one.data for one in piece])
                for piece in _unbroken(voice, sound.sample_rate * sound.channels)
            )
        self._sequence += 1
        head = fragment_head(self._sequence, [TrackSamples(AUDIO, voice)])
        at, data = voice[0].dts, [one.data for one in voice]
        return binary(SOUND_FRAGMENT, _wall(wall, at - begin), at, [head, *data])

    def still(self, picture: Timed, lasts_90k: int) -> bytes:
        """A key frame alone, for `lasts_90k` of playing time: fast, and backwards."""
        self.cut()
        self._sequence += 1
        data = picture.sample.data
        lasts = min(max(900, lasts_90k), MAX_FRAME_90K)
        head = fragment_head(self._sequence, [TrackSamples(VIDEO, [Sample(data, self.end, self.end, lasts, True)])])
        frame = binary(KEY_FRAGMENT, picture.wall, self.end, [head, data])
        self.end += lasts
        return frame

    def _voice(self, heard: Sequence[Sample]) -> list[Sample]:
        found: list[Sample] = []
        for sample in heard:
            at = self.place(sample.dts)
            if at < max(self._sound_end - 450, 0) or at > self.end + CLOCK_HZ:
                continue  # doubled by a jump, or of another run
            found.append(Sample(sample.data, at, at, sample.duration, True))
            self._sound_end = at + sample.duration
        return found


def _wall(wall: int, ahead_90k: int) -> int:
    return max(0, wall + ahead_90k * 100 // 9)


def _unbroken(voice: Sequence[Sample], bytes_per_second: int) -> list[list[Sample]]:
    """Raw sound in pieces without a hole."""
    pieces: list[list[Sample]] = []
    ends = 0.0
    for sample in voice:
        if not pieces or abs(sample.dts - ends) > RAW_HOLE_90K:
            pieces.append([])
            ends = sample.dts
        pieces[-1].append(sample)
        ends += len(sample.data) * CLOCK_HZ / max(1, bytes_per_second)
    return pieces
