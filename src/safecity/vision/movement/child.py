"""The child: python -m safecity.vision.movement.child; key frames come by standard input, small grey ones leave."""

from __future__ import annotations

import os
import resource
import sys
from typing import Any

from safecity.model.values.media import Codec
from safecity.protocols.nalbits import annex_b
from safecity.vision.gate import shrink
from safecity.vision.live import wire as live
from safecity.vision.live.child import grey
from safecity.vision.movement.wire import FROM_CHILD, MARK, NOT_INSTALLED, TO_CHILD

NICER = 9
"""Than the slot, which is nicer than everybody else: plates are read first."""


class Decoder:
    """Key frames alone, each for itself."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._context: Any = None
        self._codec = 0

    def small(self, codec: int, sets: bytes, data: bytes) -> bytes | None:
        """Grey bytes, None where there is no whole picture in it, or one larger than any is. MemoryError says nothing
        of the picture: another time there may be enough."""
        context = self._fresh(codec)
        if codec != live.CODECS[Codec.MPEG4]:
            sets, data = annex_b(sets), annex_b(data)
        try:
            packet = self._library.Packet(sets + data)
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


def main() -> int:
    """0 when the input ends, 1 when it makes no sense, 3 without a decoder."""
    try:
        import av
    except ImportError:
        return NOT_INSTALLED
    os.nice(NICER)
    resource.setrlimit(resource.RLIMIT_AS, (live.MAX_CHILD_BYTES, live.MAX_CHILD_BYTES))
    # It has its pipes; whoever takes it over by a picture made for that opens no file and calls nobody.
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    library: Any = av
    library.logging.set_level(None)
    decoder = Decoder(library)
    read, out = sys.stdin.buffer.read, sys.stdout.buffer
    try:
        while len(head := read(TO_CHILD.size)) == TO_CHILD.size:
            codec, sets, size = TO_CHILD.unpack(head)
            if sets + size > live.MAX_UNIT or codec not in live.NAMES:
                return 1
            small = decoder.small(codec, read(sets), read(size))
            out.write(FROM_CHILD.pack(MARK, small is not None) + (small or b""))
            out.flush()
    except BrokenPipeError:
        pass  # the slot has enough
    except (ValueError, MemoryError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
