"""What lies in an extent may be anything: torn, stale, or written by somebody who wishes us ill."""

from __future__ import annotations

import zlib
from contextlib import suppress

from safecity.kit.errors import SafecityError
from safecity.media.formats.fmp4_read import read_fragment
from safecity.media.record.chunk import HEADER_BYTES, Header, Kind, pack_header, unpack_header
from safecity.media.record.extent import (
    ExtentState,
    Head,
    Layout,
    guess_head,
    pack_head,
    read_table,
    scan_chunks,
    scan_table,
    unpack_head,
)
from safecity.media.record.files import BLOCK

VOLUME = bytes(range(16))


class Memory:
    """A file that is a string of bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, length: int, offset: int) -> bytes:
        return self.data[offset : offset + length]

    def has_holes(self) -> bool:
        return True

    def write(self, view: memoryview, offset: int) -> None:
        raise AssertionError("a scan does not write")

    allocate = punch = sync = close = write


def one_input(data: bytes) -> None:
    """Scans end, stay within the file and believe nothing whose checksums do not fit."""
    head = Head(ExtentState.CLOSED, VOLUME, 7, BLOCK + len(data), 0, Layout.CHANNEL, BLOCK, 0)
    file = Memory(pack_head(head) + data)
    assert unpack_head(file.read(BLOCK, 0)) is not None
    unpack_head(data[:BLOCK])
    header = unpack_header(data)
    if header is not None:
        assert pack_header(header) == data[:HEADER_BYTES]
    read_table(data)
    scan_table(file, head)  # type: ignore[arg-type]
    guess_head(file, VOLUME)  # type: ignore[arg-type]
    scan = scan_chunks(file, head)  # type: ignore[arg-type]
    end = BLOCK
    for found in scan.found:
        assert found.offset >= end
        end = found.offset + found.header.length
        assert end <= len(file.data)
        if found.header.kind == Kind.MEDIA:
            with suppress(SafecityError):
                read_fragment(file.read(found.header.payload, found.offset + HEADER_BYTES))


def good(payload: bytes, generation: int = 7) -> bytes:
    """A chunk that a scan believes, for the corpus."""
    nobody = bytes(16)
    crc = zlib.crc32(payload)
    header = Header(
        VOLUME, generation, nobody, 0, Kind.MEDIA, 1, 0, 1, 1, 0, 0, 0, 0, 0, nobody, 0, len(payload), crc, 0, bytes(32)
    )
    return (pack_header(header) + payload).ljust(-(-(HEADER_BYTES + len(payload)) // 64) * 64, b"\0")


SEEDS = [good(b"x" * 100), good(b"") + good(b"y" * 500), good(b"z", 6) + good(b"z" * 40)]
