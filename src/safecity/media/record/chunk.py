"""The chunk: what the store writes. A header that explains itself, then a body.

    magic, version, header length | volume, extent generation | channel, quality, kind, tracks, flags |
    run, epoch, sequence, duration | wall, device time, media time | init digest | cipher key, length, payload CRC |
    first key | hash of the previous chunk | header CRC

A reader believes CRCs, never lengths: a chunk is there when its header CRC, its volume and its extent's generation and
its payload CRC all fit (specs: docs/design/0003-recording-store.md). All numbers are little-endian.
"""

from __future__ import annotations

import struct
import zlib
from enum import IntEnum, IntFlag
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

MAGIC: Final = b"SCCH"
VERSION: Final = 1
NO_KEY: Final = 0xFFFF_FFFF
MAX_PAYLOAD: Final = 24 << 20
"""One picture may be larger than a chunk wants to be; nothing sane is larger than this."""

_FORMAT = struct.Struct("<4sHH16sQ16sBBBxIQQIIqqq16sIIII32sI")
HEADER_BYTES: Final = _FORMAT.size + 4
_CRC = struct.Struct("<I")


class Kind(IntEnum):
    """What a chunk's body is."""

    INIT = 1
    """Init segment (ftyp+moov) of a run; stands again at its begin in each further extent."""
    MEDIA = 2
    """One moof and mdat."""
    TABLE = 3
    """The extent's trailer: headers of its chunks."""


class Flag(IntFlag):
    """What a reader should know before it reads the body."""

    KEY = 1
    DAMAGED = 2
    CLOCK_STEPPED = 4
    BACKFILLED = 8
    CONTINUES = 16
    """The first chunk of a run that begins without a key frame: its pictures need those of the run before (the clock
    was set, the volume changed)."""


class Header(NamedTuple):
    """See the module. Times are microseconds (UTC; `device` 0: unknown), `media` is in 1/90,000 s.

    `tracks` is a bit mask; `init` begins the SHA-256 of the init segment; `cipher` 0 means clear (reserved);
    `first_key` is microseconds after `wall`, or NO_KEY.
    """

    volume: bytes
    generation: int
    channel: bytes
    quality: int
    kind: int
    tracks: int
    flags: int
    run: int
    epoch: int
    sequence: int
    duration: int
    wall: int
    device: int
    media: int
    init: bytes
    cipher: int
    payload: int
    crc: int
    first_key: int
    previous: bytes

    @property
    def length(self) -> int:
        """Header and payload together."""
        return HEADER_BYTES + self.payload

    @property
    def end(self) -> int:
        """Where the next chunk's wall time is expected."""
        return self.wall + self.duration

    @property
    def channel_id(self) -> UUID:
        return UUID(bytes=self.channel)


def pack_header(header: Header) -> bytes:
    """The HEADER_BYTES that stand before the payload."""
    h = header
    raw = _FORMAT.pack(
        MAGIC, VERSION, HEADER_BYTES, h.volume, h.generation, h.channel, h.quality, h.kind, h.tracks, h.flags,
        h.run, h.epoch, h.sequence, h.duration, h.wall, h.device, h.media, h.init, h.cipher, h.payload, h.crc,
        h.first_key, h.previous, 0,
    )  # fmt: skip
    return raw + _CRC.pack(zlib.crc32(raw))


def unpack_header(data: bytes | memoryview, offset: int = 0) -> Header | None:
    """The header at `offset`, or None when there is none that can be believed."""
    raw = bytes(data[offset : offset + HEADER_BYTES])
    if len(raw) < HEADER_BYTES or raw[:4] != MAGIC or zlib.crc32(raw[:-4]) != _CRC.unpack(raw[-4:])[0]:
        return None
    fields = _FORMAT.unpack(raw[:-4])
    if fields[1] != VERSION or fields[2] != HEADER_BYTES:
        return None
    header = Header(*fields[3:-1])
    if header.payload > MAX_PAYLOAD:
        return None
    return header


def payload_fits(header: Header, payload: bytes | memoryview) -> bool:
    """Whether this is the payload the header speaks of."""
    return len(payload) == header.payload and zlib.crc32(payload) == header.crc


def chunk_hash(header: bytes | memoryview, payload: bytes | memoryview) -> bytes:
    """The link of the chain: SHA-256 over header and payload, the header holding the hash before it."""
    link = sha256(header)
    link.update(payload)
    return link.digest()
