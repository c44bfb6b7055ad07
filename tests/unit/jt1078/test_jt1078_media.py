"""Media of vehicle terminals: packets at any split, frames from pieces, units for the media plane."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.kit.errors import InvalidError
from safecity.model.values.media import AUDIO, VIDEO, Codec, Unit, VideoParameters
from safecity.protocols import aac
from safecity.protocols.jt1078.frames import FrameJoiner, MediaStream, packetise
from safecity.protocols.jt1078.packets import (
    MAX_HUNT,
    HuntError,
    Kind,
    MediaPacket,
    MediaReader,
    PayloadType,
    Piece,
    read_datagram,
    write_packet,
)
from safecity.protocols.nalbits import nal_spans

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "h26x"
PHONE = "13912345678"
# An I frame (30 bytes of header), sound (26) and transparent data (18) as they are on the wire.
VIDEO_PACKET = "30316364 81 E2 0001 013912345678 01 00 0000017F0A0B0C0D 0028 0014 0003 AABBCC"
SOUND_PACKET = "30316364 81 86 0002 013912345678 01 30 0000017F0A0B0C0D 0002 D5D5"
DATA_PACKET = "30316364 81 80 0003 013912345678 01 40 0001 7F"
LONG_PHONE = "30316364 81 E2 0001 00000000013912345678 01 00 0000017F0A0B0C0D 0028 0014 0003 AABBCC"

packets = st.builds(
    MediaPacket,
    phone=st.integers(0, 10**12 - 1).map(str),
    channel=st.integers(0, 255),
    kind=st.sampled_from(list(Kind)),
    piece=st.sampled_from(list(Piece)),
    payload_type=st.integers(0, 127),
    sequence=st.integers(0, 0xFFFF),
    payload=st.binary(max_size=60),
    marker=st.booleans(),
    timestamp_ms=st.integers(0, 2**64 - 1),
    since_key_ms=st.integers(0, 0xFFFF),
    since_frame_ms=st.integers(0, 0xFFFF),
)


def as_read(packet: MediaPacket) -> MediaPacket:
    """Without what its kind does not carry."""
    if packet.kind == Kind.TRANSPARENT:
        packet = dataclasses.replace(packet, timestamp_ms=None)
    return packet if packet.is_video else dataclasses.replace(packet, since_key_ms=0, since_frame_ms=0)


def h264_pictures() -> list[bytes]:
    """Pictures of a recorded stream in Annex B form, parameter sets in front of theirs."""
    data = (VECTORS / "two_slices_320x240.h264").read_bytes()
    found: list[bytes] = []
    under_way = b""
    sliced = False
    for start, end in nal_spans(data, 0, len(data)):
        kind = data[start] & 31
        first = kind in (1, 5) and data[start + 1] & 0x80
        if sliced and (kind not in (1, 5) or first):
            found.append(under_way)
            under_way, sliced = b"", False
        under_way += b"\0\0\0\1" + data[start:end]
        sliced = sliced or kind in (1, 5)
    return [*found, under_way]


def wired(pictures: list[bytes], **more: Any) -> list[MediaPacket]:
    """As a terminal sends them: 25 pictures a second."""
    sequence, result = more.pop("sequence", 0), []
    for number, picture in enumerate(pictures):
        kind = Kind.I_FRAME if b"\0\0\0\1\x67" in picture else Kind.P_FRAME
        result += packetise(
            picture, phone=PHONE, channel=1, kind=kind, payload_type=PayloadType.H264, sequence=sequence,
            timestamp_ms=1_700_000_000_000 + number * 40, **more,
        )  # fmt: skip
        sequence = result[-1].sequence + 1
    return result


def play(feed: list[MediaPacket], step_us: int = 40_000) -> tuple[MediaStream, list[Unit]]:
    units: list[Unit] = []
    stream = MediaStream(units.append)
    at = 1_700_000_000_000_000
    for packet in feed:
        stream.add(packet, at)
        at += step_us if packet.piece in (Piece.WHOLE, Piece.LAST) else 0
    return stream, units


# --- packets ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "size"), [(VIDEO_PACKET, 30), (SOUND_PACKET, 26), (DATA_PACKET, 18)])
def test_a_packet_is_written_back_as_it_came(text: str, size: int) -> None:
    wire = bytes.fromhex(text)
    packet = read_datagram(wire)
    assert packet is not None
    assert len(wire) - len(packet.payload) == size
    assert (packet.phone, packet.channel, packet.long_phone) == (PHONE, 1, False)
    assert write_packet(packet) == wire
    long = read_datagram(bytes.fromhex(LONG_PHONE))
    assert long is not None
    assert (long.phone, long.payload, long.long_phone) == (PHONE, b"\xaa\xbb\xcc", True)
    assert write_packet(long) == bytes.fromhex(LONG_PHONE)


@given(packets)
def test_packets_come_back(packet: MediaPacket) -> None:
    assert read_datagram(write_packet(packet)) == as_read(packet)


@settings(max_examples=150)
@given(st.lists(packets, min_size=1, max_size=6), st.booleans(), st.integers(1, 200))
def test_a_connection_gives_the_same_at_any_split(several: list[MediaPacket], long: bool, step: int) -> None:
    several = [as_read(dataclasses.replace(one, long_phone=long)) for one in several]
    data = b"".join(map(write_packet, several))
    whole, split = MediaReader(), MediaReader()
    found = whole.feed(data)
    assert [one for at in range(0, len(data), step) for one in split.feed(data[at : at + step])] == found


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("phone", [PHONE, "13000000000", "64012345678", "1"])
def test_the_length_of_the_phone_number_is_found(phone: str, long: bool) -> None:
    feed = [dataclasses.replace(one, phone=phone) for one in wired(h264_pictures()[:5], long_phone=long)]
    reader = MediaReader()
    found = reader.feed(b"".join(map(write_packet, feed)))
    assert found == feed
    assert reader.resyncs == 0


@pytest.mark.parametrize("phone", [PHONE, "13900000000", "139", "88012345678901234567", "12345678901200000000"])
@pytest.mark.parametrize("long", [False, True])
def test_sound_with_a_long_number_is_no_picture_with_a_short_one(phone: str, long: bool) -> None:
    """The two have their length at the same place."""
    if len(phone) > 12 and not long:
        return
    for kind, payload_type in ((Kind.AUDIO, 6), (Kind.I_FRAME, 98)):
        for stamp in (0, 40, 1_700_000_000_000):
            packet = packetise(
                b"\xd5" * 160, phone=phone, channel=3, kind=kind, payload_type=payload_type, sequence=5,
                timestamp_ms=stamp, long_phone=long,
            )[0]  # fmt: skip
            wire = write_packet(packet)
            assert read_datagram(wire) == packet
            assert MediaReader().feed(wire * 2) == [packet, packet]


def test_a_slipped_stream_goes_on_at_the_next_packet() -> None:
    feed = wired(h264_pictures()[:6])
    wires = list(map(write_packet, feed))
    damaged = wires[0] + b"01c noise 01cd" + wires[1] + wires[2][:20] + b"".join(wires[3:])
    reader = MediaReader()
    found = reader.feed(damaged)
    assert found[0] == feed[0]
    assert found[-1] == feed[-1]
    assert len(found) >= len(feed) - 4
    assert reader.resyncs >= 1


def test_every_truncation_waits_for_the_rest() -> None:
    first, second = (bytes.fromhex(one) for one in (VIDEO_PACKET, SOUND_PACKET))
    for cut_at in range(len(first)):
        reader = MediaReader()
        assert reader.feed(first[:cut_at]) == []
        assert [one.kind for one in reader.feed(first[cut_at:] + second + first)] == [
            Kind.I_FRAME,
            Kind.AUDIO,
            Kind.I_FRAME,
        ]


def test_a_connection_that_is_none_of_this_is_given_up() -> None:
    reader = MediaReader()
    with pytest.raises(HuntError):
        for _ in range(MAX_HUNT // 1000 + 2):
            reader.feed(b"GET /" * 200)
    assert len(reader._buffer) < 2000


def test_what_does_not_fit_is_not_written() -> None:
    packet = wired(h264_pictures()[:1])[0]
    for wrong in ({"phone": "x"}, {"channel": 256}, {"payload": bytes(2000)}, {"since_key_ms": 70_000}):
        with pytest.raises(InvalidError):
            write_packet(dataclasses.replace(packet, **wrong))


# --- frames -----------------------------------------------------------------------------------------------------


def test_pieces_make_frames_and_a_lost_one_marks_its_frame() -> None:
    pictures = [bytes((number,)) * 2500 for number in range(4)]
    feed = wired(pictures, size=950)
    assert len(feed) == 12
    joiner = FrameJoiner()
    frames = [frame for packet in feed for frame in joiner.add(packet)]
    assert [(one.data, one.damaged) for one in frames] == [(picture, False) for picture in pictures]
    for missing in range(3, 6):
        joiner = FrameJoiner()
        frames = [frame for packet in feed[:missing] + feed[missing + 1 :] for frame in joiner.add(packet)]
        assert [one.damaged for one in frames] == [False, True, False, False]
        assert joiner.lost == 1


@pytest.mark.parametrize("shared", [True, False])
def test_sound_between_the_pieces_is_no_loss(shared: bool) -> None:
    """Some makers count all packets of a channel together, some sound and pictures each by itself."""
    picture = wired([bytes(2500)])
    sound = packetise(
        b"\xd5" * 160, phone=PHONE, channel=1, kind=Kind.AUDIO, payload_type=6, sequence=7, timestamp_ms=1
    )
    feed = [picture[0], sound[0], *picture[1:]]
    if shared:
        feed = [dataclasses.replace(one, sequence=number) for number, one in enumerate(feed)]
    joiner = FrameJoiner()
    frames = [frame for packet in feed for frame in joiner.add(packet)]
    assert [(one.kind, len(one.data), one.damaged) for one in frames] == [(3, 160, False), (1, 2500, False)]
    assert joiner.lost == 0


def test_a_frame_without_end_is_given_up() -> None:
    joiner = FrameJoiner()
    packet = dataclasses.replace(wired([bytes(950)])[0], piece=Piece.MIDDLE)
    for number in range(10_000):
        joiner.add(dataclasses.replace(packet, sequence=number & 0xFFFF))
    assert joiner.oversize >= 1


# --- units ------------------------------------------------------------------------------------------------------


def test_a_stream_becomes_units_of_the_media_plane() -> None:
    pictures = h264_pictures()
    stream, units = play(wired(pictures))
    assert len(units) == len(pictures)
    assert units[0].is_key
    assert isinstance(units[0].parameters, VideoParameters)
    assert (units[0].parameters.codec, units[0].parameters.width, units[0].parameters.height) == (Codec.H264, 320, 240)
    assert [later.dts - one.dts for one, later in pairwise(units)] == [3600] * (len(units) - 1)
    assert not any(one.damaged for one in units)
    assert stream.unsupported == ""


def test_the_bytes_decide_the_codec() -> None:
    data = (VECTORS / "aud_320x240.h265").read_bytes()
    feed = packetise(data, phone=PHONE, channel=1, kind=Kind.I_FRAME, payload_type=98, sequence=0, timestamp_ms=5)
    _, units = play(feed)
    assert units[0].parameters.codec is Codec.H265


def test_viewers_begin_with_a_key_frame_and_are_told_of_loss() -> None:
    pictures = h264_pictures()
    late = next(number for number, one in enumerate(pictures) if number and b"\0\0\0\1\x67" in one)
    stream, units = play(wired(pictures[1:] + pictures))
    assert units[0].is_key
    assert stream.before_key == late - 1
    feed = wired(pictures, size=300)
    second = next(number for number, one in enumerate(feed) if one.timestamp_ms != feed[0].timestamp_ms)
    _, units = play(feed[:second] + feed[second + 1 :])
    assert not units[0].damaged
    assert units[-1].damaged or len(units) < len(pictures)


def test_time_stamps_that_stand_still_are_replaced_by_arrival() -> None:
    still = [dataclasses.replace(one, timestamp_ms=42) for one in wired(h264_pictures())]
    _, units = play(still)
    assert [later.dts - one.dts for one, later in pairwise(units)] == [3600] * (len(units) - 1)


@pytest.mark.parametrize(
    ("payload_type", "codec", "data"),
    [
        (PayloadType.G711A, Codec.PCMA, b"\xd5" * 160),
        (PayloadType.G711U, Codec.PCMU, b"\xff" * 160),
        (PayloadType.AAC, Codec.AAC, b"\xff\xf1\x50\x80\x02\x1f\xfc" + b"a" * 9),
    ],
)
def test_sound_follows_the_pictures(payload_type: PayloadType, codec: Codec, data: bytes) -> None:
    feed = wired(h264_pictures()[:3])
    sound = packetise(
        data, phone=PHONE, channel=1, kind=Kind.AUDIO, payload_type=payload_type, sequence=99,
        timestamp_ms=feed[-1].timestamp_ms or 0,
    )  # fmt: skip
    _, units = play(sound + feed + sound)
    heard = [one for one in units if one.track == AUDIO]
    assert [one.parameters.codec for one in heard] == [codec]
    assert heard[0].pts == max(one.pts for one in units if one.track == VIDEO)


def test_half_a_frame_of_sound_spoils_no_whole_one() -> None:
    parameters = aac.parameters_of(aac.specific_config(2, 16_000, 1))
    feed = wired(h264_pictures()[:3])
    sounds = [
        packetise(
            aac.write_adts(bytes((number,)) * 50, parameters), phone=PHONE, channel=1, kind=Kind.AUDIO,
            payload_type=PayloadType.AAC, sequence=200 + number * 3, timestamp_ms=feed[-1].timestamp_ms or 0, size=20,
        )
        for number in range(4)
    ]  # fmt: skip
    del sounds[1][1:]  # its other pieces got lost
    _, units = play(feed + [packet for one in sounds for packet in one])
    assert [unit.data for unit in units if unit.track == AUDIO] == [bytes((number,)) * 50 for number in (0, 2, 3)]
