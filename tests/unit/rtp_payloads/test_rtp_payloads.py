"""RTP payload formats: what is written is read back; what is lost damages its own unit and no other."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.model.values.media import Codec
from safecity.protocols.nalbits import split_annex_b
from safecity.protocols.rtp_payloads.audio import AacDepacketiser, PlainDepacketiser
from safecity.protocols.rtp_payloads.nal import H264Depacketiser, H265Depacketiser, codec_by_sets
from safecity.protocols.rtp_payloads.pieces import Depacketiser, Piece
from safecity.protocols.rtp_payloads.writing import Payloads, write_aac, write_h264, write_h265

SPS, PPS, SEI = b"\x67sps", b"\x68pps", b"\x06sei"
IDR, SLICE, MORE = b"\x65\x88" + b"i" * 5000, b"\x41\x9a" + b"p" * 900, b"\x41\x20more"
VPS5, SPS5, PPS5 = b"\x40\x01vps", b"\x42\x01sps", b"\x44\x01pps"
IDR5, SLICE5 = b"\x26\x01\x80" + b"i" * 5000, b"\x02\x01\x80" + b"p" * 500


def feed(depacketiser: Depacketiser, timestamp: int, payloads: Payloads) -> list[Piece]:
    return [piece for payload, marker in payloads for piece in depacketiser.push(timestamp, marker, payload)]


@pytest.mark.parametrize("size", [50, 100, 1400, 9000])
def test_h264_units_survive_writing_and_reading(size: int) -> None:
    depacketiser = H264Depacketiser()
    for number, unit in enumerate(([SPS, PPS, SEI, IDR], [SLICE], [SLICE, MORE])):
        assert feed(depacketiser, number, write_h264(unit, size=size)) == [Piece(number, unit, False)]
    assert all(len(payload) <= size for payload, _ in write_h264([IDR, SLICE, SPS], size=size))


@pytest.mark.parametrize("size", [50, 1400])
def test_h265_units_survive_writing_and_reading(size: int) -> None:
    depacketiser = H265Depacketiser()
    for number, unit in enumerate(([VPS5, SPS5, PPS5, IDR5], [SLICE5])):
        assert feed(depacketiser, number, write_h265(unit, size=size)) == [Piece(number, unit, False)]
    assert all(len(payload) <= size for payload, _ in write_h265([IDR5], size=size))


def test_the_packets_are_those_of_the_standards() -> None:
    # RFC 6184, 5.7.1: STAP-A of SPS and PPS; 5.8: FU-A, start and end bits, type in the FU header.
    assert write_h264([b"\x67ab", b"\x68c"]) == [(b"\x78\x00\x03\x67ab\x00\x02\x68c", True)]
    assert write_h264([b"\x65abcdef"], size=5) == [(b"\x7c\x85abc", False), (b"\x7c\x45def", True)]
    # RFC 7798, 4.4.3: FU of type 49.
    assert write_h265([b"\x26\x01abcdef"], size=6) == [(b"\x62\x01\x93abc", False), (b"\x62\x01\x53def", True)]
    # RFC 3640, 3.3.6: 16 bits of header, 13 of size.
    assert write_aac([b"abc"]) == [(b"\x00\x10\x00\x18abc", True)]


def test_h265_aggregates_are_taken_apart_with_and_without_order_numbers() -> None:
    plain = b"\x60\x01" + b"\x00\x05\x40\x01vps" + b"\x00\x06\x26\x01\x80abc"
    assert H265Depacketiser().push(1, True, plain) == [Piece(1, [b"\x40\x01vps", b"\x26\x01\x80abc"], False)]
    numbered = b"\x60\x01\x00\x07" + b"\x00\x05\x40\x01vps" + b"\x00" + b"\x00\x06\x26\x01\x80abc"
    donl = H265Depacketiser(donl=True)
    assert donl.push(1, True, numbered) == [Piece(1, [b"\x40\x01vps", b"\x26\x01\x80abc"], False)]
    assert donl.push(2, True, b"\x02\x01\x00\x08\x80x") == [Piece(2, [b"\x02\x01\x80x"], False)]


def test_a_lost_marker_is_made_up_for_by_the_next_time_stamp() -> None:
    depacketiser = H264Depacketiser()
    assert depacketiser.push(1, False, SLICE) == []
    assert depacketiser.push(2, True, SLICE) == [Piece(1, [SLICE], False), Piece(2, [SLICE], False)]


def test_parameter_sets_with_a_marker_of_their_own_stay_with_their_picture() -> None:
    depacketiser = H264Depacketiser()
    assert depacketiser.push(5, True, SPS) == []
    assert depacketiser.push(5, True, PPS) == []
    assert depacketiser.push(5, True, SLICE) == [Piece(5, [SPS, PPS, SLICE], False)]


def test_a_camera_that_marks_every_slice_is_found_out() -> None:
    depacketiser = H264Depacketiser()
    pieces: list[Piece] = []
    for stamp in range(4):
        pieces += depacketiser.push(stamp, True, SLICE)
        pieces += depacketiser.push(stamp, True, MORE)
    pieces += depacketiser.flush()
    assert depacketiser.false_markers
    assert [piece.timestamp for piece in pieces] == [0, 0, 1, 2, 3]
    assert all(list(piece.parts) == [SLICE, MORE] for piece in pieces[2:])


@pytest.mark.parametrize(
    ("make", "write", "unit"), [(H264Depacketiser, write_h264, IDR), (H265Depacketiser, write_h265, IDR5)]
)
def test_any_lost_packet_marks_the_unit_damaged_and_the_next_one_is_whole(make, write, unit) -> None:
    payloads = write([unit], size=500)
    for missing in range(len(payloads)):
        depacketiser = make()
        gap = False
        pieces: list[Piece] = []
        for stamp in (1, 2, 3):
            for number, (payload, marker) in enumerate(payloads):
                if stamp == 2 and number == missing:
                    gap = True
                    continue
                pieces += depacketiser.push(stamp, marker, payload, gap)
                gap = False
        whole = [piece.timestamp for piece in pieces if not piece.damaged and list(piece.parts) == [unit]]
        assert 1 in whole
        assert 2 not in whole
        assert all(piece.parts[0] == unit for piece in pieces if piece.timestamp == 3)
        assert 3 in whole or missing == len(payloads) - 1  # a lost end may have been the next one's beginning


@pytest.mark.parametrize(
    "payload", [b"", b"\x00", b"\x1e12", b"\x78\x00\xffab", b"\x7c\x05mid", b"\x7c", b"\x78\x00\x00a"]
)
def test_what_makes_no_sense_is_dropped_counted_and_damages(payload: bytes) -> None:
    depacketiser = H264Depacketiser()
    depacketiser.push(1, False, payload)
    assert depacketiser.dropped == 1
    assert depacketiser.push(1, True, SLICE) == [Piece(1, [SLICE], True)]


def test_a_unit_without_end_is_bounded() -> None:
    depacketiser = H264Depacketiser()
    depacketiser.push(1, False, b"\x7c\x85" + b"x" * 1000)
    for _ in range(9000):
        depacketiser.push(1, False, b"\x7c\x05" + b"x" * 1000)
    assert depacketiser.dropped > 0
    assert depacketiser.push(2, True, SLICE)[-1].parts == [SLICE]


def test_aac_frames_are_read_one_or_several_to_a_packet_and_over_packets() -> None:
    depacketiser = AacDepacketiser()
    [(payload, marker)] = write_aac([b"one", b"second"])
    assert depacketiser.push(0xFFFFFFFF, marker, payload) == [
        Piece(0xFFFFFFFF, [b"one"], False), Piece(1023, [b"second"], False)]  # fmt: skip
    head = b"\x00\x10" + (6 << 3).to_bytes(2, "big")
    assert depacketiser.push(9, False, head + b"abc") == []
    assert depacketiser.push(9, True, head + b"def") == [Piece(9, [b"abcdef"], False)]
    assert depacketiser.push(10, False, head + b"abc") == []
    assert depacketiser.push(11, True, payload, gap=True)[0] == Piece(11, [b"one"], True)


@pytest.mark.parametrize("payload", [b"", b"\x00\x10", b"\x00\x00abc", b"\xff\xff" + b"x" * 50, b"\x00\x10\x00\x00"])
def test_broken_aac_is_dropped(payload: bytes) -> None:
    depacketiser = AacDepacketiser()
    assert depacketiser.push(1, True, payload) == []
    assert depacketiser.dropped == 1


def test_g711_passes_as_it_is() -> None:
    depacketiser = PlainDepacketiser()
    assert depacketiser.push(160, False, b"\xd5" * 160, gap=True) == [Piece(160, [b"\xd5" * 160], True)]
    assert depacketiser.push(320, False, b"") == []
    assert depacketiser.dropped == 1


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.binary(max_size=60), st.booleans()), max_size=40))
@settings(max_examples=150, deadline=None)
def test_no_payloads_raise(packets: list[tuple[int, bool, bytes, bool]]) -> None:
    for depacketiser in (H264Depacketiser(), H265Depacketiser(), H265Depacketiser(donl=True), AacDepacketiser()):
        for stamp, marker, payload, gap in packets:
            for piece in depacketiser.push(stamp, marker, payload, gap):
                assert piece.parts
        depacketiser.flush()


@pytest.mark.parametrize("seed", range(10))
def test_what_passes_as_whole_really_is_whole_whatever_is_lost(seed: int) -> None:
    chance = random.Random(seed)
    depacketiser, sent, gap = H264Depacketiser(), {}, False
    pieces: list[Piece] = []
    for stamp in range(60):
        unit = [bytes((0x41, 0x80 | stamp)) + chance.randbytes(chance.randrange(1, 3000)) for _ in range(2)]
        unit[1] = unit[1][:1] + b"\x20" + unit[1][1:]
        sent[stamp] = unit
        for payload, marker in write_h264(unit, size=300):
            if chance.random() < 0.03:
                gap = True
                continue
            pieces += depacketiser.push(stamp, marker, payload, gap)
            gap = False
    assert sum(not piece.damaged for piece in pieces) > 20
    for piece in pieces:
        if not piece.damaged:
            assert list(piece.parts) == sent[piece.timestamp]


VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "h26x"


@pytest.mark.parametrize(
    ("name", "write", "codec"),
    [("two_slices_320x240.h264", write_h264, Codec.H264), ("aud_320x240.h265", write_h265, Codec.H265)],
)
def test_parameter_sets_tell_the_codec_and_nothing_else_does(name: str, write, codec: Codec) -> None:
    nals = split_annex_b((VECTORS / name).read_bytes())
    told = [codec_by_sets(payload) for payload, _ in write(nals[:6], size=200)]
    assert codec in told
    assert set(told) <= {codec, None}
    slices = [nal for nal in nals if (nal[0] & 31 in (1, 5) if codec is Codec.H264 else nal[0] >> 1 < 32)]
    assert {codec_by_sets(payload) for payload, _ in write(slices, size=200)} == {None}


def test_the_middle_of_something_else_is_no_parameter_set() -> None:
    """A camera's program stream is looked at wherever it begins; whoever guesses wrong shows nothing."""
    dice = random.Random(1)
    likely = [bytes((0x67,)) + dice.randbytes(dice.choice((30, 200, 1399))) for _ in range(60_000)]
    wrong = [payload for payload in likely if codec_by_sets(payload) is not None]
    assert len(wrong) < 60, "of those that begin like one; nearly all do not"
    assert not [payload for payload in wrong if len(payload) > 300]


@given(st.binary(max_size=60))
def test_no_payload_makes_the_guess_raise(payload: bytes) -> None:
    assert codec_by_sets(payload) in (None, Codec.H264, Codec.H265)
