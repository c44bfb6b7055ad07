"""The child: python -m safecity.vision.live.child; units come by standard input, pictures leave by standard output."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import IO, Any

from safecity.vision.confined import Read, confined
from safecity.vision.gate import MotionGate, shrink
from safecity.vision.live import wire

NOTE_EVERY_US = 1_000_000


@dataclass
class Child:
    """One stream: decodes all of it, shows what is due and moves."""

    out: IO[bytes]
    library: Any
    context: Any = None
    codec: int = 0
    sets: bytes = b""
    step_us: float = 200_000.0
    due: float = 0.0
    noted: int = 0
    decoded: int = 0
    still: int = 0
    gate: MotionGate = field(default_factory=MotionGate)

    def take(self, kind: int, codec: int, at: int, data: bytes) -> None:
        """One message."""
        if kind == wire.RATE:
            self.step_us = 1e9 / at if at > 0 else 0.0  # none: whatever comes is looked at
        elif kind == wire.PARAMETERS:
            sets = wire.as_decoded(codec, data)
            if sets != self.sets or codec != self.codec:
                self.sets, self.codec, self.context = sets, codec, None
        elif kind in (wire.UNIT, wire.KEY_UNIT) and (self.context is not None or kind == wire.KEY_UNIT):
            self._decode(at, data, key=kind == wire.KEY_UNIT)

    def _decode(self, at: int, data: bytes, *, key: bool) -> None:
        if self.context is None:
            self.context = self.library.CodecContext.create(wire.NAMES[self.codec], "r")
            self.context.thread_count = 1
        try:
            body = wire.as_decoded(self.codec, data)
            packet = self.library.Packet(self.sets + body if key else body)
            packet.pts = packet.dts = at
            frames = self.context.decode(packet)
        except (ValueError, self.library.error.FFmpegError):
            return  # a damaged picture; the next one may be whole
        for frame in frames:
            self.decoded += 1
            self._look(frame, at)

    def _look(self, frame: Any, at: int) -> None:
        shown = int(frame.pts) if frame.pts is not None else at
        if shown - self.noted >= NOTE_EVERY_US or shown < self.noted:
            self.noted = shown
            self._write(wire.NOTE, shown, 0, 0)
        if shown < self.due and self.due - shown < 10 * max(self.step_us, 1.0):
            return
        # Pictures come at their own pace: a step counted from the last one shown would always round up. After a
        # clock was set back it begins anew: until it is where it was, each picture would be due.
        begins = not self.due or shown < self.due
        self.due = shown + self.step_us if begins else max(self.due + self.step_us, shown + 0.5 * self.step_us)
        if frame.width * frame.height > wire.MAX_PIXELS:
            raise ValueError(f"a picture of {frame.width} x {frame.height}")
        if not self.gate.pass_(shrink(grey(frame))):
            self.still += 1
            return
        picture = frame.to_ndarray(format="bgr24")
        self._write(wire.PICTURE, shown, picture.shape[1], picture.shape[0])
        self.out.write(picture.data)
        self.out.flush()

    def _write(self, kind: int, at: int, width: int, height: int) -> None:
        spent = time.process_time()
        self.out.write(wire.FROM_CHILD.pack(wire.MARK, kind, at, width, height, spent, self.decoded, self.still))
        if kind == wire.NOTE:
            self.out.flush()


def grey(frame: Any) -> Any:
    """The luma plane as it lies in memory: nothing is converted."""
    import numpy as np

    if frame.format.name in ("yuv420p", "yuvj420p", "nv12", "yuv422p", "yuvj422p"):
        plane = frame.planes[0]
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        return rows[: frame.height, : frame.width]
    return frame.to_ndarray(format="gray")


def serve(library: Any, read: Read, out: IO[bytes]) -> bool:
    """Until the input ends, or makes no sense: then False."""
    child = Child(out, library)
    while len(head := read(wire.TO_CHILD.size)) == wire.TO_CHILD.size:
        kind, codec, at, size = wire.TO_CHILD.unpack(head)
        if size > wire.MAX_UNIT or codec not in (0, *wire.NAMES):
            return False
        child.take(kind, codec, at, read(size))
    return True


def main() -> int:
    """The status of the process, as `confined` has it."""
    return confined(serve)


if __name__ == "__main__":
    sys.exit(main())
