"""Torn and foreign fragments and init segments."""

from __future__ import annotations

import contextlib

from safecity.kit.errors import InvalidError
from safecity.media.formats.fmp4 import init_segment
from safecity.media.formats.fmp4_read import read_fragment, read_init
from safecity.model.values.media import Codec, VideoParameters


def one_input(data: bytes) -> None:
    """Nothing but InvalidError may come out."""
    with contextlib.suppress(InvalidError):
        read_fragment(data)
    with contextlib.suppress(InvalidError):
        read_init(data)
    for codec in (Codec.H264, Codec.H265, Codec.MPEG4):
        half = len(data) // 2
        with contextlib.suppress(InvalidError):
            init_segment([VideoParameters(codec, 16, 16, (data[:half], data[half:]), "")])
