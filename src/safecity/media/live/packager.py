"""Units in, prepared WebSocket frames out: one fragment per picture, made once for all viewers of a stream.

Knows no sockets and no clock. What a browser's MediaSource needs is decided here:

- the time line never goes back and never jumps far, whatever the source does (a new run is put behind the old one);
- a picture says that it lasts twice as long as pictures lately did, because MediaSource throws everything up to the
  next key frame away once a picture comes later than twice the duration of the one before;
- sound waits for the next picture (at most `AUDIO_WAIT`), because each message costs every viewer the same;
- where AAC stays away, silence is put in its place, because MediaSource shows no picture that has no sound;
- after a loss nothing is shown until a whole key frame comes, and one is asked for.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from safecity.kit.errors import InvalidError
from safecity.media.door.messages import FRAGMENT, KEY_FRAGMENT, RAW_AUDIO, binary, init_messages, is_raw
from safecity.media.formats.fmp4 import Sample, TrackSamples, fragment_head
from safecity.media.formats.silence import silent_frame
from safecity.model.values.media import (
    AUDIO,
    CLOCK_HZ,
    VIDEO,
    AudioParameters,
    CodecParameters,
    Unit,
    VideoParameters,
)

START_90K: Final = CLOCK_HZ
"""Where the time line begins: sound may come a little before the first picture."""
AUDIO_WAIT: Final = CLOCK_HZ // 4
FILL_AFTER: Final = CLOCK_HZ
"""Sound that is so much later than its picture does not come."""
MAX_STEP: Final = 10 * CLOCK_HZ
"""A larger step forward, or any beyond `MAX_BACK` backward, begins a new run."""
MAX_BACK: Final = CLOCK_HZ
_MAX_WAITING = 64


class Packet(NamedTuple):
    """Whole WebSocket frames, to be written as they are. `init` goes before them where it is new to the viewer."""

    frames: bytes
    is_key: bool
    units: int


class Packager:
    """Makes the packets of one stream for as long as somebody watches."""

    def __init__(self, quality: str) -> None:
        self._quality = quality
        self._video: VideoParameters | None = None
        self._audio: AudioParameters | None = None
        self._next_audio: AudioParameters | None = None
        self._offset: int | None = None
        self._last = 0
        self._steps: deque[int] = deque(maxlen=8)
        self._sequence = 0
        self._waiting: list[Unit] = []
        self._sound_end = 0
        self._filled_to = 0
        self._silent = False
        self.init = b""
        """What a viewer must get before anything else; changes only together with a key packet."""
        self.generation = 0
        """Counts the changes of `init`."""
        self.broken = False
        """Pictures were lost, and the next key frame is waited for."""
        self.dropped = 0
        """Units that nobody will see."""

    def feed(self, unit: Unit) -> Packet | None:
        """The packet this unit completes, None when there is nothing to send yet."""
        if unit.track == VIDEO and isinstance(unit.parameters, VideoParameters):
            return self._picture(unit, unit.parameters)
        if unit.track == AUDIO and isinstance(unit.parameters, AudioParameters):
            return self._sound(unit, unit.parameters)
        self.dropped += 1
        return None

    def know_audio(self, parameters: CodecParameters) -> None:
        """The stream has this sound, also if none came since the key frame."""
        if isinstance(parameters, AudioParameters):
            self._next_audio = parameters

    def _picture(self, unit: Unit, parameters: VideoParameters) -> Packet | None:
        after_loss = self.broken
        if unit.is_key and not unit.damaged:
            self.broken = False
        elif unit.damaged or self.broken or not self.init or parameters != self._video:
            # A damaged key frame is no beginning either: the browser's decoder gives up on it, and who reconnects
            # would get the same one again.
            self.broken = True
            self.dropped += 1
            return None
        if unit.is_key and not self._begin(unit, parameters):
            return None
        dts = self._place(unit, after_loss)
        sample = Sample(unit.data, dts, max(0, dts + unit.pts - unit.dts), self._duration(), unit.is_key)
        before, beside = self._take_sound()
        beside = beside or self._silence(dts)
        tracks = [TrackSamples(VIDEO, [sample])]
        parts = [unit.data]
        if beside:
            tracks.append(TrackSamples(AUDIO, beside))
            parts += [one.data for one in beside]
        self._sequence += 1
        kind = KEY_FRAGMENT if unit.is_key else FRAGMENT
        frames = binary(kind, unit.arrived_us, dts, [fragment_head(self._sequence, tracks), *parts])
        return Packet(before + frames if before else frames, unit.is_key, 1)

    def _begin(self, unit: Unit, parameters: VideoParameters) -> bool:
        """Make a new init where a key frame needs one; False when the parameter sets are unusable."""
        if parameters is self._video and self._audio is self._next_audio:
            return True
        if self.init and parameters == self._video and self._audio == self._next_audio:
            self._video, self._audio = parameters, self._next_audio
            return True
        tracks: list[CodecParameters] = [parameters]
        if self._next_audio is not None:
            tracks.append(self._next_audio)
        try:
            init = init_messages(tracks, unit.arrived_us, max(self._last, START_90K), self._quality)
        except InvalidError:
            self.broken = True
            self.dropped += 1
            return False
        self.init, self._video, self._audio = init, parameters, self._next_audio
        self.generation += 1
        self._waiting = [one for one in self._waiting if one.parameters == self._audio]
        self._sound_end, self._silent = 0, False
        self._steps.clear()
        return True

    def _place(self, unit: Unit, after_loss: bool) -> int:
        """The unit's decoding time on the viewers' time line.

        The step over lost pictures says nothing of how long pictures last: taken for it, those that follow would
        promise seconds, and a browser would look for the live edge where nothing has come yet.
        """
        if self._offset is None:
            self._offset = START_90K - unit.dts
        dts = unit.dts + self._offset
        if self._last:
            step = dts - self._last
            if not -MAX_BACK <= step <= MAX_STEP:
                dts = self._last + self._duration()
                self._offset = dts - unit.dts
            elif step <= 0:
                dts = self._last + 1
            elif not after_loss:
                self._steps.append(step)
        self._last = dts
        return dts

    def _duration(self) -> int:
        if self._steps:
            lately = max(self._steps)
        else:
            fps = self._video.fps if self._video is not None else 0.0
            lately = round(CLOCK_HZ / fps) if 1 <= fps <= 240 else 3600
        return min(2 * lately, 4 * CLOCK_HZ)

    def _sound(self, unit: Unit, parameters: AudioParameters) -> Packet | None:
        if parameters is not self._next_audio and parameters != self._next_audio:
            self._next_audio = parameters
        if parameters != self._audio or self._offset is None:
            self.dropped += 1
            return None
        self._waiting.append(unit)
        oldest = self._waiting[0]
        if unit.dts - oldest.dts < AUDIO_WAIT and len(self._waiting) < _MAX_WAITING:
            return None
        before, beside = self._take_sound()
        if not beside:
            return Packet(before, False, 0) if before else None
        self._sequence += 1
        tracks = [TrackSamples(AUDIO, beside)]
        parts = [fragment_head(self._sequence, tracks), *(one.data for one in beside)]
        return Packet(binary(FRAGMENT, oldest.arrived_us, beside[0].dts, parts), False, 0)

    def _take_sound(self) -> tuple[bytes, list[Sample]]:
        """What sound waits: raw as a message of its own, AAC as samples."""
        units, self._waiting = self._waiting, []
        audio, offset = self._audio, self._offset
        if not units or audio is None or offset is None:
            return b"", []
        units = [one for one in units if abs(one.dts + offset - self._last) < MAX_STEP and one.dts + offset >= 0]
        if not units:
            return b"", []
        if is_raw(audio):
            first = units[0]
            return binary(RAW_AUDIO, first.arrived_us, first.dts + offset, [one.data for one in units]), []
        lasts = 1024 * CLOCK_HZ // max(audio.sample_rate, 1)
        found = [Sample(one.data, one.dts + offset, one.pts + offset, lasts, True) for one in units]
        self._silent = False
        found = [one for one in found if one.dts >= self._filled_to - lasts // 2]
        if found:
            self._sound_end = found[-1].dts + lasts
        return b"", found

    def _silence(self, dts: int) -> list[Sample]:
        """What stands for sound that did not come, up to a picture."""
        audio = self._audio
        quiet = silent_frame(audio) if audio is not None else None
        if audio is None or quiet is None:
            return []
        self._sound_end = self._sound_end or dts
        if not self._silent and dts - self._sound_end < FILL_AFTER:
            return []
        self._silent = True
        lasts = 1024 * CLOCK_HZ // max(audio.sample_rate, 1)
        found = [Sample(quiet, at, at, lasts, True) for at in range(self._sound_end, dts + 1, lasts)]
        self._filled_to = self._sound_end = self._sound_end + len(found) * lasts
        return found
