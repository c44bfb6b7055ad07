"""Units survive the link whatever way the bytes are cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.kit.errors import InvalidError
from safecity.media.link.wire import (
    Ask,
    Ended,
    LinkDecoder,
    Skipped,
    UnitEncoder,
    encode_ask,
    encode_ended,
    encode_skipped,
)
from safecity.model.values.media import (
    AUDIO,
    VIDEO,
    AudioParameters,
    Codec,
    Quality,
    StreamKey,
    Unit,
    VideoParameters,
)

SMALL = VideoParameters(Codec.H264, 352, 288, (b"\x67sps", b"\x68pps"), "avc1.42001e", 25.0)
LARGE = VideoParameters(Codec.H265, 1920, 1080, (b"vps", b"sps", b"pps"), "hvc1.1.6.L93.B0")
SOUND = AudioParameters(Codec.PCMA, 8000, 1)


def unit(number: int, parameters: VideoParameters | AudioParameters) -> Unit:
    track = VIDEO if isinstance(parameters, VideoParameters) else AUDIO
    return Unit(
        track,
        bytes([number]) * (number * 10),
        number * 3600,
        number * 3600 - 1,
        number == 0,
        number == 3,
        number,
        parameters,
    )


UNITS = [unit(0, SMALL), unit(1, SOUND), unit(2, SMALL), unit(3, LARGE), unit(4, SOUND)]


def wire() -> bytes:
    encoder = UnitEncoder()
    key = StreamKey("ch_1", Quality.SUB)
    units = b"".join(b"".join(encoder.encode(u)) for u in UNITS)
    return encode_ask(key) + units + encode_skipped(7) + encode_ended("lost")


@given(st.lists(st.integers(0, len(wire())), max_size=6))
def test_any_cut_gives_the_same_items(cuts: list[int]) -> None:
    data, decoder = wire(), LinkDecoder()
    edges = [0, *sorted(cuts), len(data)]
    items = [item for a, b in itertools.pairwise(edges) for item in decoder.feed(data[a:b])]
    assert items == [Ask(StreamKey("ch_1", Quality.SUB)), *UNITS, Skipped(7), Ended("lost")]


def test_parameters_travel_once_and_again_when_they_change() -> None:
    encoder = UnitEncoder()
    assert [len(encoder.encode(u)) for u in UNITS] == [3, 3, 2, 3, 2]


@pytest.mark.parametrize(
    "data", [b"\xff\xff\xff\xff\x03", b"\0\0\0\x05\x03abcd", b"\0\0\0\x03\x02\0\x01", b"\0\0\0\x02\x01\xc1"]
)
def test_nonsense_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(InvalidError):
        LinkDecoder().feed(data)
