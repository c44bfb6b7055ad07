"""Depacketisers of RTP payload formats: a byte of flags and a byte of length before each payload."""

from __future__ import annotations

from safecity.protocols.rtp_payloads.audio import AacDepacketiser
from safecity.protocols.rtp_payloads.nal import H264Depacketiser, H265Depacketiser, codec_by_sets


def one_input(data: bytes) -> None:
    codec_by_sets(data)
    for depacketiser in (H264Depacketiser(), H265Depacketiser(), H265Depacketiser(donl=True), AacDepacketiser()):
        at = 0
        while at + 2 <= len(data):
            flags, length = data[at], data[at + 1]
            payload = data[at + 2 : at + 2 + length]
            for piece in depacketiser.push(flags & 3, bool(flags & 4), payload, bool(flags & 8)):
                assert piece.parts
                assert all(piece.parts)
            at += 2 + length
        depacketiser.flush()


SEEDS = [
    b"\x00\x05\x7c\x85abc\x04\x05\x7c\x45def\x01\x0b\x78\x00\x03\x67ab\x00\x02\x68c",
    b"\x00\x06\x62\x01\x93abc\x04\x06\x62\x01\x53def\x05\x07\x00\x10\x00\x18abc",
]
