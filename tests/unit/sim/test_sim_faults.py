"""Faults do what they say, judged by FFmpeg's demultiplexers and by counting packets."""

from __future__ import annotations

import asyncio
import io
import itertools

import av
import pytest

from safecity.model.values.media import Codec
from safecity.protocols.mpegts import looks_like_ts
from safecity.protocols.rtp.packets import parse
from safecity.sim.encode import Coded, SoundLoop, VideoEncoder, VideoSpec
from safecity.sim.gb28181.faults import Faults
from safecity.sim.gb28181.miniplatform import Ear
from safecity.sim.gb28181.muxing import Muxer
from safecity.sim.gb28181.sender import Sender
from safecity.sim.scene.street import Street
from safecity.sim.scene.strip import read_clock

AT = 1_763_686_800_000_000


def units(codec: Codec = Codec.H264, sound: Codec | None = None, count: int = 30) -> list[Coded]:
    video = VideoSpec(codec=codec, width=320, height=180, fps=15, kbps=400, gop_seconds=1.0)
    street, encoder = Street(seed=5, channel=1, light=1.0), VideoEncoder(video)
    loop = SoundLoop(sound) if sound else None
    made: list[Coded] = []
    for number in range(count):
        at = AT + number * 1_000_000 // video.fps
        coded = encoder.encode(street.render(at, 320, 180), at)
        assert coded is not None
        made += [coded, *(loop.until(at) if loop else ())]
    return made


def mux(pieces: list[Coded], faults: Faults, codec: Codec = Codec.H264, sound: Codec | None = None) -> bytes:
    muxer = Muxer(codec, sound, faults)
    return b"".join(muxer.write(each) for each in pieces)


def decoded(data: bytes, container: str) -> list[int | None]:
    """The clocks FFmpeg finds in a stream."""
    with av.open(io.BytesIO(data), format=container) as opened:
        return [read_clock(frame.to_ndarray(format="rgb24")) for frame in opened.decode(video=0)]


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265, Codec.MPEG4])
@pytest.mark.parametrize("sound", [None, Codec.PCMA, Codec.AAC])
def test_the_program_stream_is_read_by_a_foreign_demultiplexer(codec: Codec, sound: Codec | None) -> None:
    clocks = decoded(mux(units(codec, sound), Faults(), codec, sound), "mpeg")
    good = [clock for clock in clocks if clock is not None]
    assert len(good) >= 25
    assert good == sorted(good)


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_a_transport_stream_comes_on_request(codec: Codec) -> None:
    data = mux(units(codec, Codec.AAC), Faults(container="ts"), codec, Codec.AAC)
    assert len(data) % 188 == 0
    assert looks_like_ts(data)
    assert sum(clock is not None for clock in decoded(data, "mpegts")) >= 25


def test_the_map_can_be_left_out_or_sent_once() -> None:
    pieces = units()
    keys = sum(each.is_key for each in pieces)
    assert mux(pieces, Faults()).count(b"\0\0\1\xbc") == keys > 1
    assert mux(pieces, Faults(no_psm=True)).count(b"\0\0\1\xbc") == 0
    assert mux(pieces, Faults(first_psm=True)).count(b"\0\0\1\xbc") == 1


def test_pes_of_length_zero_holds_the_same_pictures() -> None:
    pieces = units()
    data = mux(pieces, Faults(pes_zero=True))
    assert data.count(b"\0\0\1\xe0\0\0") == len(pieces)
    # FFmpeg cannot read this; cut at the head of each packet, what lies between is the picture.
    found = [part[3 + part[2] :] for part in data.split(b"\0\0\1\xe0\0\0")[1:]]
    assert all(one.startswith(each.data) for one, each in zip(found, pieces, strict=True))


async def sent(faults: Faults, pieces: list[Coded]) -> tuple[list[bytes], Sender]:
    """What arrives of these units, in order of arrival."""
    loop, ear = asyncio.get_running_loop(), Ear()
    ear.transport, _ = await loop.create_datagram_endpoint(lambda: ear, local_addr=("127.0.0.1", 0))
    port = ear.transport.get_extra_info("sockname")[1]
    sender = Sender(Codec.H264, None, 77, faults, seed=1)
    await sender.open_udp(sender.bind_udp("127.0.0.1"), "127.0.0.1", port)
    for each in pieces:
        sender.offer(each)
        await asyncio.sleep(0)  # a receiver that never reads would lose by itself
    quiet, last = 0, -1
    while quiet < 5:  # until nothing more comes
        await asyncio.sleep(0.02)
        quiet, last = (quiet + 1, last) if len(ear.packets) == last else (0, len(ear.packets))
    await sender.close()
    ear.close()
    return ear.packets, sender


def numbers(packets: list[bytes]) -> list[int]:
    return [packet.sequence for each in packets if (packet := parse(each)) is not None]


async def test_without_faults_every_packet_arrives_in_order() -> None:
    packets, sender = await sent(Faults(), units())
    got = numbers(packets)
    assert len(got) == sender.packets
    assert [(got[0] + step) & 0xFFFF for step in range(len(got))] == got


async def test_lost_packets_are_lost_in_about_that_share() -> None:
    packets, sender = await sent(Faults(loss=0.2), units(count=60))
    assert 0.1 < 1 - len(packets) / sender.packets < 0.3


async def test_doubled_packets_come_twice() -> None:
    packets, sender = await sent(Faults(double=0.3), units())
    assert len(set(packets)) == sender.packets
    assert len(packets) > sender.packets * 1.1


async def test_swapped_packets_come_after_their_successor() -> None:
    packets, _ = await sent(Faults(swap=0.2), units())
    got = numbers(packets)
    backwards = sum((after - before) & 0xFFFF > 0x8000 for before, after in itertools.pairwise(got))
    assert backwards > 3
    ordered = sorted((number - min(got[0], got[1])) & 0xFFFF for number in got)
    assert ordered == list(range(len(got))), "nothing was lost or doubled"


async def test_a_changing_ssrc_changes() -> None:
    packets, _ = await sent(Faults(ssrc="changing"), units(count=15) * 20)
    assert len({packet.ssrc for each in packets if (packet := parse(each))}) > 1


async def test_a_long_wire_delays_and_keeps_the_order() -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    packets, sender = await sent(Faults(delay_ms=100, jitter_ms=30), units(count=5))
    assert loop.time() - begun > 0.1
    got = numbers(packets)
    assert len(got) == sender.packets
    assert got == [(got[0] + step) & 0xFFFF for step in range(len(got))]
