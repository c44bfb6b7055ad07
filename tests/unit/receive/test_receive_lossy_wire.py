"""A sender and a receiver joined by a bad wire: packets lost, doubled, swapped. What passes as whole really is."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from safecity.media.receive.source import NEVER, RtpSource
from safecity.model.values.media import VIDEO, Codec, Unit
from safecity.protocols.mpegps.mux import PsMuxer
from safecity.protocols.pictures import pictures_for
from safecity.protocols.rtp.packets import packetise, parse

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "h26x"
FILMS = {
    Codec.H264: ("two_slices_320x240.h264", b"\0\0\0\1\x09"),
    Codec.H265: ("aud_320x240.h265", b"\0\0\0\1\x46"),
}
LOOPS = 12


def film(codec: Codec) -> list[tuple[bytes, bool]]:
    """(Annex B, key) of each picture."""
    name, delimiter = FILMS[codec]
    parts = [delimiter + part for part in (VECTORS / name).read_bytes().split(delimiter)[1:]]
    pictures = pictures_for(codec)
    found: list[tuple[bytes, bool]] = []
    for part in parts:
        picture = pictures.convert(part, 0, len(part))
        assert picture is not None
        found.append((part, picture[1]))
    return found


def sent(codec: Codec) -> tuple[list[bytes], dict[int, bytes]]:
    """Packets of the film played again and again, and what each picture is to become, by its number."""
    muxer, pictures = PsMuxer(codec, Codec.PCMA), pictures_for(codec)
    packets: list[bytes] = []
    wanted: dict[int, bytes] = {}
    pieces = film(codec)
    for number in range(LOOPS * len(pieces)):
        part, key = pieces[number % len(pieces)]
        picture = pictures.convert(part, 0, len(part))
        assert picture is not None
        wanted[number] = picture[0]
        pack = muxer.video(part, 90_000 + number * 3600, key=key)
        if number % 3 == 0:
            pack += muxer.audio(bytes((number % 200 + 1,)) * 320, 90_000 + number * 3600)
        packets += packetise(pack, sequence=65_000 + len(packets), timestamp=number * 3600, ssrc=7, size=100)
    return packets, wanted


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("codec", FILMS)
def test_what_passes_as_whole_is_whole_and_all_comes_again(codec: Codec, seed: int) -> None:
    chance = random.Random(seed)
    packets, wanted = sent(codec)
    wire: list[bytes] = []
    lost = 0
    tail = len(packets) * 3 // 4  # from there on the wire is good
    for number, packet in enumerate(packets):
        if number < tail and chance.random() < 0.03:
            lost += 1
            continue
        wire.append(packet)
        if number < tail and chance.random() < 0.03:
            wire.append(packet)
        if number < tail and len(wire) > 8 and chance.random() < 0.05:
            at = len(wire) - chance.randint(2, 8)
            wire[-1], wire[at] = wire[at], wire[-1]
    units: list[Unit] = []
    source = RtpSource(7, units.append, 0)
    source.media.begin(90_000)
    now = 0.0
    for number, packet in enumerate(wire):
        read = parse(packet)
        assert read is not None
        now = number * 0.004
        source.accept(read.sequence, read.timestamp, read.marker, read.payload, now, round(now * 1e6))
        source.expire_held(now, round(now * 1e6))
    source.expire_held(now + 1, round((now + 1) * 1e6))
    source.media.boundary(round(now * 1e6))

    video = [unit for unit in units if unit.track == VIDEO]
    assert lost > 5
    assert source.lost >= lost - 3, "what is lost before the first packet nobody knows of"
    whole = [unit for unit in video if not unit.damaged]
    period = len(film(codec))
    places = {wanted[number]: number for number in range(period)}
    anchor = places[bytes(whole[0].data)] * 3600 - whole[0].pts
    for unit in whole:
        number = round((unit.pts + anchor) / 3600) % period
        assert bytes(unit.data) == wanted[number], f"picture {number} is not what was sent"
    assert len(whole) < len(video), "some were hurt, and say so"
    assert not any(unit.damaged for unit in video[-period:]), "on a good wire all is whole again"
    assert all(late.dts > early.dts for early, late in itertools.pairwise(video))


@pytest.mark.parametrize("kind", [96, 98], ids=["by its looks", "by its payload type"])
def test_a_program_stream_that_was_taken_for_something_else_is_known_by_its_next_pack(kind: int) -> None:
    """It was first looked at in the middle of a picture, where anything can stand: here a parameter set."""
    packets, wanted = sent(Codec.H264)
    first = parse(packets[0])
    assert first is not None
    units: list[Unit] = []
    source = RtpSource(7, units.append, 0)
    source.media.begin(90_000)
    lie = bytes.fromhex("6742c00cda05067e784000000300400000052 3c50aa8".replace(" ", ""))
    source.look_at(kind, lie)
    source.accept(first.sequence - 1, first.timestamp - 3600, True, lie, 0.0, 0)
    assert source.head == NEVER, "it was taken for H.264 in RTP"
    for number, packet in enumerate(packets):
        read = parse(packet)
        assert read is not None
        if not source.media.recognised:
            source.look_at(kind, read.payload)
        source.accept(read.sequence, read.timestamp, read.marker, read.payload, number * 0.004, number * 4000)
    source.media.boundary(len(packets) * 4000)
    whole = [bytes(unit.data) for unit in units if unit.track == VIDEO and not unit.damaged]
    assert whole == list(wanted.values())[-len(whole) :]
    assert len(whole) > len(wanted) - 30
