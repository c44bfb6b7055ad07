"""Parameter sets as real encoders write them, and what we make of broken ones."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.model.values.media import Codec
from safecity.protocols import aac, h264, h265, mpeg4
from safecity.protocols.nalbits import (
    BitReader,
    BitsExhausted,
    annex_b,
    split_annex_b,
    split_lengths,
    unescape,
    with_lengths,
)
from safecity.protocols.pictures import H264Pictures, H265Pictures, guess_codec, pictures_for

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "h26x"

H264_SPS = [
    # (bytes, width, height, fps, codec string): x264 baseline 640x360; x264 high 320x240
    ("6742c01eda0280bfe584000003000400000300ca3c58ba80", 640, 360, 25.0, "avc1.42c01e"),
    ("6764000dacb40a0fd080000003008000001947 8a1550", 320, 240, 25.0, "avc1.64000d"),
]


@pytest.mark.parametrize(("text", "width", "height", "fps", "codec"), H264_SPS)
def test_an_h264_sps_tells_size_rate_and_codec(text: str, width: int, height: int, fps: float, codec: str) -> None:
    sps = h264.parse_sps(bytes.fromhex(text))
    assert (sps.width, sps.height, sps.fps, sps.codec_string) == (width, height, fps, codec)


def test_an_h265_sps_tells_size_rate_and_codec() -> None:
    nals = split_annex_b((VECTORS / "aud_320x240.h265").read_bytes())
    sps = h265.parse_sps(next(nal for nal in nals if nal[0] >> 1 & 63 == h265.SPS))
    assert (sps.width, sps.height) == (320, 240)
    assert sps.codec_string == "hvc1.1.6.L60.90"


def test_h265_main_profile_has_the_string_of_the_standard() -> None:
    sps = h265.Sps(0, 0, 0, 1, 0x60000000, bytes((0xB0, 0, 0, 0, 0, 0)), 93, 1920, 1080, 25.0)
    assert sps.codec_string == "hvc1.1.6.L93.B0"


@pytest.mark.parametrize("name", ["two_slices_320x240.h264", "aud_320x240.h265"])
def test_every_truncation_of_a_parameter_set_is_a_value_error_or_a_result(name: str) -> None:
    parse = h264.parse_sps if name.endswith("h264") else h265.parse_sps
    wanted = h264.SPS if name.endswith("h264") else h265.SPS
    for nal in split_annex_b((VECTORS / name).read_bytes()):
        kind = nal[0] & 31 if name.endswith("h264") else nal[0] >> 1 & 63
        if kind != wanted:
            continue
        for cut in range(len(nal)):
            with contextlib.suppress(ValueError):
                assert parse(nal[:cut]).width == 320


def test_a_picture_size_beyond_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="out of range"):
        h264.parse_sps(bytes.fromhex("6742c01e") + b"\xf8" + b"\x00\x00\x40\x00\x40\x00\x00\x40" + b"\xff" * 8)


@pytest.mark.parametrize("name", ["two_slices_320x240.h264", "aud_320x240.h265"])
def test_annex_b_and_lengths_are_two_forms_of_the_same(name: str) -> None:
    nals = split_annex_b((VECTORS / name).read_bytes())
    assert len(nals) > 10
    assert split_lengths(with_lengths(nals)) == nals
    assert split_annex_b(annex_b(with_lengths(nals))) == nals


@given(st.lists(st.binary(min_size=1, max_size=40).map(lambda b: b.replace(b"\0", b"\7") + b"\x80"), max_size=8))
def test_nal_units_survive_both_start_code_lengths(nals: list[bytes]) -> None:
    assert split_annex_b(b"".join(b"\0\0\1" + nal for nal in nals)) == nals
    assert split_annex_b(b"".join(b"\0\0\0\1" + nal for nal in nals)) == nals


def test_emulation_prevention_is_taken_out() -> None:
    assert unescape(bytes.fromhex("0000030100000300000302")) == bytes.fromhex("0000010000000002")


def test_bits_end_with_an_error_and_not_with_zeros() -> None:
    reader = BitReader(b"\x80")
    assert reader.ue() == 0
    with pytest.raises(BitsExhausted):
        BitReader(b"\x00\x00\x00\x00\x00\x00").ue()
    with pytest.raises(BitsExhausted):
        reader.bits(8)


def test_a_length_that_leaves_its_unit_is_an_error() -> None:
    with pytest.raises(ValueError):
        split_lengths(b"\x00\x00\x00\x09abc")


# --- pictures ------------------------------------------------------------------------------------------------


def pictures_of(name: str) -> tuple[H264Pictures | H265Pictures, list[bytes]]:
    data = (VECTORS / name).read_bytes()
    aud = b"\0\0\0\1\x09" if name.endswith("h264") else b"\0\0\0\1\x46\x01"
    parts = [aud + part for part in data.split(aud)[1:]]
    return (H264Pictures() if name.endswith("h264") else H265Pictures()), parts


@pytest.mark.parametrize("name", ["two_slices_320x240.h264", "aud_320x240.h265"])
def test_a_picture_loses_its_delimiter_and_parameter_sets_and_nothing_else(name: str) -> None:
    pictures, parts = pictures_of(name)
    assert len(parts) == 12
    for number, part in enumerate(parts):
        picture = pictures.convert(part, 0, len(part))
        assert picture is not None
        data, key = picture
        assert key is (number % 6 == 0)
        kept = split_lengths(data)
        dropped = [nal for nal in split_annex_b(part) if nal not in kept]
        assert len(kept) + len(dropped) == len(split_annex_b(part))
        if pictures.codec is Codec.H264:
            assert {nal[0] & 31 for nal in dropped} <= {7, 8, 9}
        else:
            assert {nal[0] >> 1 & 63 for nal in dropped} <= {32, 33, 34, 35}


@pytest.mark.parametrize("name", ["two_slices_320x240.h264", "aud_320x240.h265"])
def test_unchanged_parameters_stay_the_same_object(name: str) -> None:
    pictures, parts = pictures_of(name)
    seen = set()
    for part in parts:
        pictures.convert(part, 0, len(part))
        seen.add(id(pictures.parameters))
    assert len(seen) == 1
    assert pictures.parameters is not None
    assert (pictures.parameters.width, pictures.parameters.height, pictures.parameters.fps) == (320, 240, 25.0)


@pytest.mark.parametrize("name", ["two_slices_320x240.h264", "aud_320x240.h265"])
def test_nal_units_and_annex_b_give_the_same_picture(name: str) -> None:
    pictures, parts = pictures_of(name)
    other = pictures_for(pictures.codec)
    for part in parts:
        assert pictures.convert(part, 0, len(part)) == other.take(split_annex_b(part))
    assert pictures.parameters == other.parameters


@pytest.mark.parametrize("name", ["two_slices_320x240.h264", "aud_320x240.h265"])
def test_several_pictures_in_one_stretch_are_separated(name: str) -> None:
    pictures, parts = pictures_of(name)
    data = b"".join(parts[:4])
    pictures.convert(data, 0, len(data))
    assert pictures.firsts == 4
    spans = pictures.separate(data, 0, len(data))
    whole = [split_annex_b(data[a:b]) for a, b in spans]
    assert whole == [split_annex_b(part) for part in parts[:4]]


def test_another_sps_makes_new_parameters() -> None:
    pictures = H264Pictures()
    first, second = (bytes.fromhex(row[0].replace(" ", "")) for row in H264_SPS)
    pps, idr = b"\x68\xce\x3c\x80", b"\x65\x88\x84\x00\x33"
    assert pictures.take([first, pps, idr]) is not None
    before = pictures.parameters
    assert pictures.take([second, pps, idr]) is not None
    assert before is not None
    assert pictures.parameters is not None
    assert (before.width, pictures.parameters.width) == (640, 320)


def test_a_broken_sps_is_counted_and_the_old_one_stays() -> None:
    pictures = H264Pictures()
    good = bytes.fromhex(H264_SPS[0][0])
    pictures.take([good, b"\x68\xce\x3c\x80", b"\x65\x88\x84\x00\x33"])
    before = pictures.parameters
    pictures.take([b"\x67\x42", b"\x65\x88\x84\x00\x33"])
    assert pictures.parameters is before
    assert pictures.bad_sets == 1


@pytest.mark.parametrize(("name", "codec"), [("two_slices_320x240.h264", Codec.H264), ("aud_320x240.h265", Codec.H265)])
def test_the_bytes_tell_the_codec(name: str, codec: Codec) -> None:
    data = (VECTORS / name).read_bytes()
    assert guess_codec(data, 0, len(data)) is codec
    assert guess_codec(b"\xd5" * 500, 0, 500) is None


# --- AAC and MPEG-4 ------------------------------------------------------------------------------------------


def test_adts_there_and_back() -> None:
    parameters = aac.parameters_of(aac.specific_config(2, 16_000, 1))
    assert (parameters.sample_rate, parameters.channels, parameters.codec_string) == (16_000, 1, "mp4a.40.2")
    wire = aac.write_adts(b"abcdef", parameters) + aac.write_adts(b"ghi", parameters)
    first = aac.read_adts(wire)
    assert first is not None
    assert first == (b"abcdef", 13, parameters.config)
    assert aac.read_adts(wire, first[1]) == (b"ghi", 23, parameters.config)


@pytest.mark.parametrize("cut", range(13))
def test_half_an_adts_frame_is_none(cut: int) -> None:
    parameters = aac.parameters_of(aac.specific_config(2, 8_000, 2))
    assert aac.read_adts(aac.write_adts(b"abcdef", parameters)[:cut]) is None


def test_an_mpeg4_header_tells_the_size() -> None:
    bits = "0" + "00000001" + "0" + "0001" + "0" + "00" + "1" + f"{25:016b}" + "1" + "1" + f"{1:05b}"
    bits += "1" + f"{704:013b}" + "1" + f"{576:013b}" + "1"
    vol = int(bits.ljust(96, "0"), 2).to_bytes(12, "big")
    head = b"\0\0\1\xb0\x03\0\0\1\xb5\x09\0\0\1\x00\0\0\1\x20" + vol
    picture = head + b"\0\0\1\xb6\x10abc"
    pictures = pictures_for(Codec.MPEG4)
    assert pictures.convert(picture, 0, len(picture)) == (picture, True)
    assert pictures.parameters is not None
    assert (pictures.parameters.width, pictures.parameters.height, pictures.parameters.fps) == (704, 576, 25.0)
    assert pictures.parameters.codec_string == "mp4v.20.3"
    assert not mpeg4.is_key(b"\0\0\1\xb6\x50abc")
    assert guess_codec(picture, 0, len(picture)) is Codec.MPEG4


@given(st.binary(max_size=200))
def test_no_bytes_make_the_parsers_raise_anything_but_value_errors(data: bytes) -> None:
    for parse in (h264.parse_sps, h265.parse_sps, mpeg4.parameters_of, aac.parameters_of):
        with contextlib.suppress(ValueError):
            parse(data)
    for head in (b"\0\0\1\x67", b"\0\0\1\x42\x01", b"\0\0\1\x20"):
        guess_codec(head + data, 0, len(head) + len(data))
        for codec in (Codec.H264, Codec.H265, Codec.MPEG4):
            pictures_for(codec).convert(head + data, 0, len(head) + len(data))
