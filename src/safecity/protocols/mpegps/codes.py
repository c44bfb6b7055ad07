"""Stream ids and stream types of program streams (ISO/IEC 13818-1 table 2-18, GB/T 28181 annex C)."""

from __future__ import annotations

from typing import Final

from safecity.model.values.media import Codec

PACK: Final = 0xBA
SYSTEM: Final = 0xBB
MAP: Final = 0xBC
END: Final = 0xB9
VIDEO_ID: Final = 0xE0
AUDIO_ID: Final = 0xC0

TYPE_OF: Final[dict[Codec, int]] = {
    Codec.MPEG4: 0x10,
    Codec.H264: 0x1B,
    Codec.H265: 0x24,
    Codec.AAC: 0x0F,
    Codec.PCMA: 0x90,
    Codec.PCMU: 0x91,
}
CODEC_OF: Final[dict[int, Codec]] = {number: codec for codec, number in TYPE_OF.items()}
VIDEO_TYPES: Final = frozenset((0x01, 0x02, 0x10, 0x1B, 0x24, 0x80))
UNSUPPORTED: Final[dict[int, str]] = {
    0x01: "MPEG-1",
    0x02: "MPEG-2",
    0x03: "MPEG audio",
    0x04: "MPEG audio",
    0x11: "AAC LATM",
    0x80: "SVAC",
    0x92: "G.722.1",
    0x93: "G.723.1",
    0x99: "G.729",
    0x9B: "SVAC audio",
}
"""Types we know by name and do not carry."""

VIDEO_CODECS: Final = frozenset((Codec.H264, Codec.H265, Codec.MPEG4))


def _table() -> tuple[int, ...]:
    rows: list[int] = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
        rows.append(value & 0xFFFFFFFF)
    return tuple(rows)


_CRC = _table()


def crc32_mpeg2(data: bytes) -> int:
    """CRC of ISO/IEC 13818-1 annex B: polynomial 04C11DB7, start FFFFFFFF, nothing mirrored."""
    value = 0xFFFFFFFF
    for byte in data:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC[value >> 24 ^ byte]
    return value
