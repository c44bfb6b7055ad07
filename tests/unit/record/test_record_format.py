"""What stands on the disk is believed because of its checksums, and of nothing else."""

from __future__ import annotations

import zlib

import pytest

from safecity.media.record.chunk import HEADER_BYTES, Header, Kind, pack_header, payload_fits, unpack_header
from safecity.media.record.extent import ExtentState, Head, Layout, pack_head, unpack_head

BODY = b"moof and mdat"
HEADER = Header(
    volume=b"v" * 16, generation=7 << 32 | 0x100, channel=b"c" * 16, quality=0, kind=Kind.MEDIA, tracks=1, flags=1,
    run=1_700_000_000_000_000, epoch=3, sequence=9, duration=1_000_000, wall=1_700_000_000_000_000, device=0,
    media=90_000, init=b"i" * 16, cipher=0, payload=len(BODY), crc=zlib.crc32(BODY), first_key=0, previous=b"p" * 32,
)  # fmt: skip
HEAD = Head(ExtentState.OPEN, b"v" * 16, 7 << 32, 64 << 20, 1, Layout.CHANNEL, 0, 1_700_000_000_000_000)
HEAD_BYTES = 72


def test_a_header_and_a_head_are_read_as_they_were_written() -> None:
    assert unpack_header(pack_header(HEADER)) == HEADER
    assert unpack_head(pack_head(HEAD)) == HEAD


def test_a_header_with_any_byte_changed_is_no_header() -> None:
    whole = pack_header(HEADER)
    for at in range(HEADER_BYTES):
        raw = bytearray(whole)
        raw[at] ^= 0x40
        assert unpack_header(raw) is None, at
        assert unpack_header(whole[:at]) is None


def test_the_head_of_an_extent_with_any_byte_changed_is_no_head() -> None:
    whole = pack_head(HEAD)
    assert not any(whole[HEAD_BYTES:])
    for at in range(HEAD_BYTES):
        raw = bytearray(whole)
        raw[at] ^= 0x01
        assert unpack_head(raw) is None, at
        assert unpack_head(whole[:at]) is None


@pytest.mark.parametrize("payload", [BODY[:-1], BODY + b"x", BODY[:-1] + b"T", b""])
def test_a_payload_must_be_the_one_its_header_speaks_of(payload: bytes) -> None:
    assert payload_fits(HEADER, BODY)
    assert not payload_fits(HEADER, payload)
