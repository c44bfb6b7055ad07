"""Parameter sets and pictures of H.264, H.265, MPEG-4 and AAC."""

from __future__ import annotations

import contextlib
from pathlib import Path

from safecity.model.values.media import Codec
from safecity.protocols import aac, h264, h265, mpeg4
from safecity.protocols.nalbits import split_annex_b, split_lengths
from safecity.protocols.pictures import guess_codec, pictures_for

_VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "h26x"
SEEDS = [
    *split_annex_b((_VECTORS / "two_slices_320x240.h264").read_bytes())[:4],
    *split_annex_b((_VECTORS / "aud_320x240.h265").read_bytes())[:5],
    (_VECTORS / "two_slices_320x240.h264").read_bytes()[:3000],
    (_VECTORS / "aud_320x240.h265").read_bytes()[:1500],
    b"\xff\xf1\x60\x40\x01\xff\xfc" + b"x" * 8,
]


def one_input(data: bytes) -> None:
    """Every parser may refuse with a ValueError and nothing else."""
    for parse in (h264.parse_sps, h265.parse_sps, mpeg4.parameters_of, aac.parameters_of):
        with contextlib.suppress(ValueError):
            parse(data)
    aac.read_adts(data)
    guess_codec(data, 0, len(data))
    with contextlib.suppress(ValueError):
        split_lengths(data)
    for codec in (Codec.H264, Codec.H265, Codec.MPEG4):
        pictures = pictures_for(codec)
        pictures.convert(data, 0, len(data))
        pictures.separate(data, 0, len(data))
        pictures.take(split_annex_b(data))
        picture = pictures.convert(b"\0\0\1" + data, 0, len(data) + 3)
        if picture is not None and codec is not Codec.MPEG4:
            assert split_lengths(picture[0])
