"""The child: python -m safecity.vision.movement.child; key frames come by standard input, small grey ones leave."""

from __future__ import annotations

import sys
from typing import IO, Any

from safecity.vision.confined import Read, confined
from safecity.vision.gate import shrink
from safecity.vision.live import wire as live
from safecity.vision.live.child import grey
from safecity.vision.movement.wire import FROM_CHILD, MARK, MOST_SHOWN, RUN, SHOWN, TO_CHILD

NICER = 9
"""Than the slot, which is nicer than everybody else: plates are read first."""


class Decoder:
    """Key frames alone, each for itself; or runs of pictures that begin with one."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._context: Any = None
        self._codec = 0
        self._run: Any = None
        self._asked = 0

    def small(self, codec: int, sets: bytes, data: bytes) -> bytes | None:
        """Grey bytes, None where there is no whole picture in it, or one larger than any is. MemoryError says nothing
        of the picture: another time there may be enough."""
        context = self._fresh(codec)
        try:
            packet = self._library.Packet(live.as_decoded(codec, sets) + live.as_decoded(codec, data))
            packet.pts = packet.dts = 0
            frames = [*context.decode(packet), *context.decode(None)]
        except MemoryError:  # the library's is one of its own errors too
            raise
        except (ValueError, self._library.error.FFmpegError):
            self._context = None
            return None
        if not frames or frames[0].is_corrupt or frames[0].width * frames[0].height > live.MAX_PIXELS:
            return None
        return shrink(grey(frames[0])).tobytes()

    def run(self, codec: int, sets: bytes, data: bytes) -> list[tuple[int, bytes]]:
        """The next picture of a run, or its end: pictures that can be shown now, each with the number of its question.
        One that is damaged is left out."""
        if sets or self._run is None:
            self._run, self._asked = self._library.CodecContext.create(live.NAMES[codec], "r"), 0
            self._run.thread_count = 1
        number, self._asked = self._asked, self._asked + 1
        frames: list[Any] = []
        try:
            packet = None
            if data:
                packet = self._library.Packet(live.as_decoded(codec, sets) + live.as_decoded(codec, data))
                packet.pts = packet.dts = number
            frames = self._run.decode(packet)
        except MemoryError:
            raise
        except (ValueError, self._library.error.FFmpegError):
            pass  # a damaged picture; the next one may be whole
        if not data:
            self._run = None
        return [
            (int(frame.pts), shrink(grey(frame)).tobytes())
            for frame in frames
            if frame.pts is not None and not frame.is_corrupt and frame.width * frame.height <= live.MAX_PIXELS
        ][:MOST_SHOWN]

    def _fresh(self, codec: int) -> Any:
        if self._context is not None and codec == self._codec:
            self._context.flush_buffers()
            return self._context
        context = self._library.CodecContext.create(live.NAMES[codec], "r")
        context.thread_count = 1
        # Both pictures of a pair lack it alike, and it is a good part of the work.
        context.options = {"skip_loop_filter": "all"}
        self._context, self._codec = context, codec
        return context


def serve(library: Any, read: Read, out: IO[bytes]) -> bool:
    """Until the input ends, or makes no sense: then False."""
    decoder = Decoder(library)
    while len(head := read(TO_CHILD.size)) == TO_CHILD.size:
        codec, sets, size = TO_CHILD.unpack(head)
        if sets + size > live.MAX_UNIT or codec & ~RUN not in live.NAMES:
            return False
        if codec & RUN:
            shown = decoder.run(codec & ~RUN, read(sets), read(size))
            out.write(FROM_CHILD.pack(MARK, len(shown)))
            for number, body in shown:
                out.write(SHOWN.pack(number) + body)
            out.flush()
            continue
        small = decoder.small(codec, read(sets), read(size))
        out.write(FROM_CHILD.pack(MARK, small is not None) + (small or b""))
        out.flush()
    return True


def main() -> int:
    """The status of the process, as `confined` has it."""
    return confined(serve, NICER)


if __name__ == "__main__":
    sys.exit(main())
