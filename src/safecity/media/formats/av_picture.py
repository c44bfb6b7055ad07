"""A disposable child that turns one coded picture into a JPEG: `python -m safecity.media.formats.av_picture`.

An fMP4 of one picture comes on standard input, a JPEG leaves on standard output. Decoding untrusted video is what most
often breaks, so it happens here: with limits on memory, time and files, and without anything worth stealing. Exit
status 0, or 2 with the reason on standard error.

With `--pool` it serves until its input ends, each time `size u32 | width u16 | picture` -> `size u32 | JPEG`, size 0
where the picture cannot be decoded (big-endian). Needs the extra `safecity[av]`; without it the status is 3.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportAttributeAccessIssue=false, reportPrivateImportUsage=false
# (the library's own types are incomplete)

from __future__ import annotations

import argparse
import io
import os
import resource
import struct
import sys
from fractions import Fraction
from typing import BinaryIO

MAX_PICTURE_BYTES = 32 * 1024 * 1024
MAX_PIXELS = 64_000_000
MEMORY_BYTES = 2 << 30
CPU_SECONDS = 20
_REQUEST = struct.Struct(">IH")
_ANSWER = struct.Struct(">I")


def confine(cpu_seconds: int) -> None:
    """Give up what a decoder does not need."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    if cpu_seconds:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    os.nice(5)


def to_jpeg(picture: bytes, width: int, quality: int) -> bytes:
    """The first picture of the file as JPEG, at most `width` pixels wide (0: as it is); ValueError when it cannot."""
    import av

    try:
        with av.open(io.BytesIO(picture), options={"threads": "1"}) as container:
            stream = container.streams.video[0]
            if stream.width * stream.height > MAX_PIXELS:
                raise ValueError("picture too large")
            frame = next(container.decode(stream))
    except (av.FFmpegError, StopIteration, IndexError) as error:
        raise ValueError(f"cannot be decoded: {type(error).__name__}") from error
    wide, high = frame.width, frame.height
    if 0 < width < wide:
        high = max(2, round(high * width / wide / 2) * 2)
        wide = max(2, width // 2 * 2)
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = wide, high, "yuvj420p"
    encoder.time_base = Fraction(1)
    # 2 is the best the encoder knows, 31 the worst.
    step = str(max(2, min(31, round(31 - quality * 0.29))))
    encoder.options = {"qmin": step, "qmax": step, "strict": "unofficial"}
    still = frame.reformat(width=wide, height=high, format="yuvj420p")
    still.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(still), *encoder.encode(None)])


def serve(source: BinaryIO, sink: BinaryIO, quality: int) -> None:
    """Picture after picture."""
    while len(head := source.read(_REQUEST.size)) == _REQUEST.size:
        size, width = _REQUEST.unpack(head)
        if size > MAX_PICTURE_BYTES:
            return
        picture = source.read(size)
        if len(picture) < size:
            return
        try:
            jpeg = to_jpeg(picture, width, quality)
        except (ValueError, MemoryError):
            jpeg = b""
        sink.write(_ANSWER.pack(len(jpeg)) + jpeg)
        sink.flush()


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="av_picture")
    parser.add_argument("--width", type=int, default=0)
    parser.add_argument("--quality", type=int, default=85)
    parser.add_argument("--pool", action="store_true")
    options = parser.parse_args()
    try:
        import av.logging

        av.logging.set_level(av.logging.PANIC)
    except ImportError:
        sys.stderr.write("safecity[av] is not installed\n")
        return 3
    confine(0 if options.pool else CPU_SECONDS)
    if options.pool:
        serve(sys.stdin.buffer, sys.stdout.buffer, options.quality)
        return 0
    picture = sys.stdin.buffer.read(MAX_PICTURE_BYTES + 1)
    if len(picture) > MAX_PICTURE_BYTES:
        sys.stderr.write("picture too large\n")
        return 2
    try:
        jpeg = to_jpeg(picture, options.width, options.quality)
    except (ValueError, MemoryError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.buffer.write(jpeg)
    return 0


if __name__ == "__main__":
    sys.exit(main())
