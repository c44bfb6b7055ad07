"""A child that joins run files into one MP4 with H.264 and AAC: `python -m safecity.media.formats.av_transcode`.

One JSON object on standard input: `{"runs": [path, ...], "out": path, "copy_picture": bool, "from": 0.3}`. Tells its
progress on standard output as the export does. Status 0, 2 when it cannot, 3 without the extra `safecity[av]`.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportAttributeAccessIssue=false, reportPrivateImportUsage=false
# (the library's own types are incomplete)

from __future__ import annotations

import json
import os
import resource
import sys
import time
from fractions import Fraction
from typing import Any

MEMORY_BYTES = 6 << 30
_CLOCK = Fraction(1, 90_000)
_SOUND_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


class Joiner:
    """Reads run after run, writes one file; each run begins where the one before ended."""

    def __init__(self, work: dict[str, Any]) -> None:
        import av

        self._av = av
        self._copy = bool(work["copy_picture"])
        self._out = av.open(work["out"], "w", format="mp4", options={"movflags": "+faststart"})
        self._picture: Any = None
        self._sound: Any = None
        self._resampler: Any = None
        self._base = 0
        self._end = 0
        self._sound_end = 0
        self._size = (0, 0)
        self._told = 0.0

    def join(self, runs: list[str], begin: float) -> None:
        """All of them."""
        # What the file holds must be known before its first packet: look for sound in every run.
        rates = [rate for rate in map(self._sound_rate, runs) if rate]
        rate = max(rates, default=0)
        for number, path in enumerate(runs):
            with self._av.open(path, options={"threads": "1"}) as source:
                if number == 0:
                    self._prepare(source, rate)
                self._run(source)
            self._base = self._end
            done = (number + 1) / len(runs)
            self._tell(begin + (1 - begin) * done)
        self._flush()
        self._out.close()

    def _sound_rate(self, path: str) -> int:
        with self._av.open(path) as source:
            return source.streams.audio[0].rate if source.streams.audio else 0

    def _prepare(self, source: Any, rate: int) -> None:
        video = source.streams.video[0]
        if self._copy:
            self._picture = self._out.add_stream_from_template(video)
            self._picture.time_base = _CLOCK
        else:
            self._size = (video.width // 2 * 2, video.height // 2 * 2)
            self._picture = self._out.add_stream("libx264", rate=25)
            self._picture.width, self._picture.height = self._size
            self._picture.pix_fmt = "yuv420p"
            self._picture.codec_context.time_base = _CLOCK
            self._picture.options = {"preset": "veryfast", "crf": "23", "bf": "0"}
        if rate:
            rate = min((one for one in _SOUND_RATES if one >= rate), default=48000)
            self._sound = self._out.add_stream("aac", rate=rate, layout="mono")

    def _run(self, source: Any) -> None:
        video = source.streams.video[0]
        streams = [video, *source.streams.audio[:1]] if self._sound is not None else [video]
        if self._sound is not None:
            self._resampler = self._av.AudioResampler("fltp", "mono", self._sound.rate, 1024)
        first: int | None = None
        for packet in source.demux(streams):
            if packet.stream.type == "video":
                if packet.dts is not None and first is None:
                    first = packet.dts
                self._video(packet, video, first or 0)
            elif first is not None:
                for frame in packet.decode():
                    self._voice(frame, first, video.time_base)
            if time.monotonic() - self._told > 1:
                self._tell(None)

    def _video(self, packet: Any, video: Any, first: int) -> None:
        if self._copy:
            if packet.dts is None:
                return
            scale = video.time_base / _CLOCK
            packet.pts = self._base + int((packet.pts - first) * scale)
            packet.dts = self._base + int((packet.dts - first) * scale)
            packet.time_base = _CLOCK
            packet.stream = self._picture
            lasts = int((packet.duration or 0) * scale) or 3600
            self._end = max(self._end, packet.dts + lasts)
            self._out.mux(packet)
            return
        try:
            frames = packet.decode()
        except self._av.FFmpegError:
            return
        for frame in frames:
            if frame.pts is None:
                continue
            at = self._base + int((frame.pts - first) * (frame.time_base / _CLOCK))
            still = frame.reformat(width=self._size[0], height=self._size[1], format="yuv420p")
            still.pts, still.time_base, still.pict_type = max(at, self._end - 3600, 0), _CLOCK, 0
            self._end = max(self._end, at + 3600)
            self._out.mux(self._picture.encode(still))

    def _voice(self, frame: Any, first: int, video_base: Fraction) -> None:
        if frame.pts is None:
            return
        seconds = frame.pts * frame.time_base - first * video_base
        for piece in self._resampler.resample(frame):
            # Sound is laid end to end, and moved only where it would drift from the pictures by more than a blink.
            rate = self._sound.rate
            at = int((self._base * _CLOCK + seconds) * rate)
            if abs(at - self._sound_end) < rate // 4:
                at = self._sound_end
            if at < self._sound_end:
                continue
            piece.pts, piece.time_base = at, Fraction(1, rate)
            self._sound_end = at + piece.samples
            seconds += Fraction(piece.samples, rate)
            self._out.mux(self._sound.encode(piece))

    def _flush(self) -> None:
        if not self._copy:
            self._out.mux(self._picture.encode(None))
        if self._sound is not None:
            self._out.mux(self._sound.encode(None))

    def _tell(self, done: float | None) -> None:
        self._told = time.monotonic()
        if done is not None:
            sys.stdout.write(json.dumps({"progress": round(done, 4)}) + "\n")
            sys.stdout.flush()


def main() -> int:
    """See the module."""
    work = json.loads(sys.stdin.read(1 << 24))
    try:
        import av.logging

        av.logging.set_level(av.logging.PANIC)
    except ImportError:
        return 3
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)
    try:
        Joiner(work).join(work["runs"], float(work.get("from", 0.0)))
    except (av.FFmpegError, ValueError, IndexError, MemoryError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
