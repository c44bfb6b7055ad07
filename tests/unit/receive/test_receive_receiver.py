"""The receiver on real sockets of the loopback, with the clock in the test's hand."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import termios
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from pathlib import Path

import pytest

from safecity.kit.clock import FakeClock
from safecity.kit.errors import ConflictError, ExhaustedError, InvalidError, NotFoundError
from safecity.media.receive import batch as batches
from safecity.media.receive.batch import MmsgBatch, PlainBatch, peer_address, peer_host, peer_key
from safecity.media.receive.feed import TCP_ACTIVE, TCP_PASSIVE, UDP
from safecity.media.receive.options import ReceiveOptions
from safecity.media.receive.receiver import Receiver
from safecity.media.streams import LOST, OPENING, RUNNING, Streams
from safecity.model.values.media import Codec, Quality, StreamKey, Unit
from safecity.protocols.mpegps.mux import PsMuxer
from safecity.protocols.nalbits import split_annex_b
from safecity.protocols.rtp import rtcp
from safecity.protocols.rtp.packets import HEADER, RtpPacket, packetise, write
from safecity.protocols.rtp_payloads.writing import write_h264

H264 = (Path(__file__).resolve().parents[2] / "vectors" / "h26x" / "two_slices_320x240.h264").read_bytes()
AUD = b"\0\0\0\1\x09"
PICTURES = [AUD + part for part in H264.split(AUD)[1:]]
KEY = StreamKey("ch_1", Quality.MAIN)
OTHER = StreamKey("ch_2", Quality.MAIN)


class Kept:
    """A reader that keeps what it gets."""

    def __init__(self) -> None:
        self.units: list[Unit] = []

    def offer(self, unit: Unit) -> None:
        self.units.append(unit)

    def ended(self, reason: str) -> None: ...


class Camera:
    """Sends a short film over UDP, again and again."""

    def __init__(self, port: int, ssrc: int) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.connect(("127.0.0.1", port))
        self.ssrc = ssrc
        self.sequence = 65_530
        self.number = 0
        self.sent = 0
        self.without_length = False
        self._muxer = PsMuxer(Codec.H264)

    def picture(self, size: int = 300) -> list[bytes]:
        """The packets of the next picture."""
        pack = self._muxer.video(PICTURES[self.number % 12], self.number * 3600, key=self.number % 6 == 0)
        if self.without_length:
            at = pack.index(b"\0\0\1\xe0") + 4
            pack = pack[:at] + b"\0\0" + pack[at + 2 :]
        packets = packetise(pack, sequence=self.sequence, timestamp=self.number * 3600, ssrc=self.ssrc, size=size)
        self.sequence = (self.sequence + len(packets)) & 0xFFFF
        self.number += 1
        self.sent += len(packets)
        return packets

    def send(self, count: int = 1) -> None:
        for _ in range(count):
            for packet in self.picture():
                self.sock.send(packet)


def listen(count: int = 1) -> tuple[dict[int, socket.socket], dict[int, socket.socket]]:
    udp: dict[int, socket.socket] = {}
    tcp: dict[int, socket.socket] = {}
    while len(udp) < count:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(("127.0.0.1", 0))
        other = socket.socket()
        try:
            other.bind(("127.0.0.1", one.getsockname()[1]))
        except OSError:
            one.close()
            other.close()
            continue
        other.listen()
        udp[one.getsockname()[1]] = one
        tcp[one.getsockname()[1]] = other
    return udp, tcp


class Bench:
    """A receiver with its ports."""

    def __init__(self, ports: int = 1, options: ReceiveOptions | None = None) -> None:
        self.udp, self.tcp = listen(ports)
        self.clock = FakeClock()
        self.options = options or ReceiveOptions()
        self.saved = 0
        self.cameras: list[Camera] = []
        self.make()

    def make(self) -> None:
        self.streams = Streams()
        self.receiver = Receiver(
            self.streams, self.udp, self.tcp, clock=self.clock, options=self.options, on_sessions=self._save
        )
        self.receiver.start()

    def _save(self) -> None:
        self.saved += 1

    def open(self, key: StreamKey = KEY, ssrc: int = 100, transport: str = UDP, host: str = "127.0.0.1") -> Kept:
        self.port = self.receiver.prepare(key, ssrc, transport)
        self.receiver.confirm(key, ssrc, host)
        kept = Kept()
        self.streams.ensure(key).attach(kept)
        return kept

    def camera(self, ssrc: int, port: int | None = None) -> Camera:
        camera = Camera(port if port is not None else self.port, ssrc)
        self.cameras.append(camera)
        return camera

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(30):  # patience of a busy machine, no promise
            while not true():
                await asyncio.sleep(0.005)

    async def settle(self) -> None:
        """All that was sent has been read."""

        def unread() -> int:
            # SIOCINQ: the size of the next waiting datagram, 0 when there is none.
            return sum(
                int.from_bytes(fcntl.ioctl(one, termios.FIONREAD, bytes(4)), "little") for one in self.udp.values()
            )

        await self.until(lambda: not unread())
        await asyncio.sleep(0.02)

    async def seconds(self, count: int) -> None:
        """Let time pass for the receiver, one tick a second."""
        for _ in range(count):
            self.clock.advance(1.0)
            self.receiver.tick()
            await asyncio.sleep(0)

    def close(self) -> None:
        self.receiver.stop()
        for one in (*self.udp.values(), *self.tcp.values(), *(camera.sock for camera in self.cameras)):
            one.close()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    one = Bench()
    yield one
    one.close()


# --- batches ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [MmsgBatch, PlainBatch])
def test_a_batch_gives_datagrams_with_their_sizes_and_sources(make: type[MmsgBatch | PlainBatch]) -> None:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.bind(("127.0.0.1", 0))
    sender.connect(("127.0.0.1", port))
    batch = make(8, 2048)
    assert batch.receive(sock) == 0
    packets = [write(RtpPacket(96, n % 2 == 0, n, n, 7, b"x" * n)) for n in range(5)]
    for packet in packets:
        sender.send(packet)
    assert batch.receive(sock) == 5
    assert batch.sizes == [len(packet) for packet in packets]
    assert set(batch.peers) == {peer_key(*sender.getsockname())}
    assert [head[1:] for head in batch.heads(5)] == [(n, n, 7) for n in range(5)]
    assert bytes(batch.buffer[2048 * 4 : 2048 * 4 + batch.sizes[4]]) == packets[4]
    sender.close()
    sock.close()


def test_a_source_is_one_number_and_back() -> None:
    key = peer_key("192.168.1.20", 15060)
    assert peer_address(key) == ("192.168.1.20", 15060)
    assert peer_host(key) == peer_host(peer_key("192.168.1.20", 1))
    with pytest.raises(ValueError):
        peer_key("camera.local", 1)


async def test_without_recvmmsg_everything_works_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> MmsgBatch:
        raise AttributeError("recvmmsg")

    monkeypatch.setattr(batches, "MmsgBatch", missing)
    bench = Bench()
    kept = bench.open()
    bench.camera(100).send(12)
    await bench.until(lambda: len(kept.units) == 12)
    bench.close()


# --- UDP -------------------------------------------------------------------------------------------------------


async def test_a_camera_s_pictures_arrive_and_the_stream_runs(bench: Bench) -> None:
    kept = bench.open()
    stream = bench.streams.ensure(KEY)
    assert stream.state == OPENING
    bench.camera(100).send(12)
    await bench.until(lambda: len(kept.units) == 12)
    await bench.seconds(1)
    assert stream.state == RUNNING
    assert stream.transport == UDP
    assert stream.packets == bench.cameras[0].sent
    assert stream.packets_lost == 0
    assert [unit.pts for unit in kept.units] == [90_000 + n * 3600 for n in range(12)]
    assert len(stream.gop()) == 6


async def test_streams_on_one_port_are_told_apart_by_ssrc(bench: Bench) -> None:
    one, two = bench.open(KEY, 100), bench.open(OTHER, 200)
    first, second = bench.camera(100), bench.camera(200)
    for _ in range(12):
        first.send()
        second.send()
    await bench.until(lambda: len(one.units) == len(two.units) == 12)


async def test_swapped_and_doubled_packets_make_no_difference(bench: Bench) -> None:
    kept = bench.open()
    camera = bench.camera(100)
    camera.send()
    for _ in range(11):
        packets = camera.picture()
        for packet in [*reversed(packets), packets[0]]:
            camera.sock.send(packet)
    await bench.until(lambda: len(kept.units) == 12)
    assert not any(unit.damaged for unit in kept.units)


async def test_a_lost_packet_is_counted_and_what_follows_is_marked(bench: Bench) -> None:
    kept = bench.open()
    camera = bench.camera(100)
    camera.send(2)
    for packet in camera.picture(size=50)[1:]:
        camera.sock.send(packet)
    camera.send(5)
    await bench.settle()
    bench.clock.advance(0.3)
    bench.receiver.tick()
    await bench.seconds(1)
    assert bench.streams.ensure(KEY).packets_lost == 1
    assert [unit.damaged for unit in kept.units[:2]] == [False, False]
    assert [unit.damaged for unit in kept.units[-2:]] == [False, False]
    assert any(unit.damaged for unit in kept.units)


@pytest.mark.parametrize("without_length", [False, True], ids=["length", "no length"])
async def test_a_picture_that_lost_its_end_is_marked_itself(bench: Bench, without_length: bool) -> None:
    kept = bench.open()
    camera = bench.camera(100)
    camera.without_length = without_length
    camera.send(2)
    *packets, _ = camera.picture(size=50)
    for packet in packets:
        camera.sock.send(packet)
    camera.send(2)
    await bench.settle()
    bench.clock.advance(0.3)
    bench.receiver.tick()
    await bench.until(lambda: len(kept.units) == 5)
    assert [unit.damaged for unit in kept.units] == [False, False, True, True, True]


async def test_a_second_source_of_a_bound_ssrc_is_refused_and_disturbs_nothing(bench: Bench) -> None:
    kept = bench.open()
    camera, thief = bench.camera(100), bench.camera(100)
    camera.send()
    await bench.until(lambda: kept.units)
    for _ in range(11):
        thief.sequence, thief.number = camera.sequence, camera.number  # what it sends would be the very next packets
        for packet in thief.picture():
            thief.sock.send(packet[:12] + bytes(len(packet) - 12))
        camera.send()
    await bench.until(lambda: len(kept.units) == 12)
    feed = bench.receiver.feed_of(KEY)
    assert feed is not None
    assert feed.source.refused > 10
    assert all(any(unit.data) for unit in kept.units)
    assert not any(unit.damaged for unit in kept.units)


async def test_a_camera_whose_binding_moved_is_followed_after_a_silence(bench: Bench) -> None:
    kept = bench.open()
    camera = bench.camera(100)
    camera.send(6)
    await bench.until(lambda: len(kept.units) == 6)
    feed = bench.receiver.feed_of(KEY)
    assert feed is not None
    feed.source.last_arrived_us -= 3_000_000
    moved = bench.camera(100)
    moved.sequence, moved.number = camera.sequence, camera.number
    moved.send(6)
    await bench.until(lambda: len(kept.units) == 12)


async def test_another_ssrc_on_an_exclusive_port_is_accepted_after_a_second(bench: Bench) -> None:
    kept = bench.open(host="")
    camera = bench.camera(777)
    camera.send(6)
    await bench.settle()
    assert kept.units == []
    bench.clock.advance(1.1)
    camera.send(6)
    await bench.until(lambda: len(kept.units) == 12)
    feed = bench.receiver.feed_of(KEY)
    assert feed is not None
    assert feed.ssrc == 777


async def test_another_ssrc_on_a_shared_port_is_accepted_from_the_unique_peer_alone(bench: Bench) -> None:
    one = bench.open(KEY, 100, host="127.0.0.1")
    two = bench.open(OTHER, 200, host="10.0.0.9")
    camera = bench.camera(777)
    camera.send(6)
    await bench.settle()
    bench.clock.advance(1.1)
    camera.send(6)
    await bench.until(lambda: len(one.units) == 12)
    assert two.units == []


async def test_an_ssrc_that_changes_under_way_is_followed(bench: Bench) -> None:
    kept = bench.open()
    camera = bench.camera(100)
    camera.send(6)
    await bench.until(lambda: len(kept.units) == 6)
    feed = bench.receiver.feed_of(KEY)
    assert feed is not None
    feed.source.last_arrived_us -= 3_000_000
    camera.ssrc = 101
    camera.sequence = 9
    camera.send(1)
    await bench.settle()
    bench.clock.advance(1.1)
    camera.send(11)
    await bench.until(lambda: len(kept.units) >= 17)
    pts = [unit.pts for unit in kept.units]
    assert pts == sorted(pts)


async def test_the_device_s_own_ssrc_holds_when_its_answer_names_one(bench: Bench) -> None:
    bench.port = bench.receiver.prepare(KEY, 100)
    bench.receiver.confirm(KEY, 300, "127.0.0.1")
    kept = Kept()
    bench.streams.ensure(KEY).attach(kept)
    bench.camera(300).send(12)
    await bench.until(lambda: len(kept.units) == 12)


async def test_rtp_with_extension_and_padding_is_read(bench: Bench) -> None:
    kept = bench.open()
    camera = bench.camera(100)
    for _ in range(12):
        for packet in camera.picture():
            dressed = bytes((packet[0] | 0x30,)) + packet[1:12] + b"\xbe\xde\0\1abcd" + packet[12:] + b"\0\0\0\4"
            camera.sock.send(dressed)
    await bench.until(lambda: len(kept.units) == 12)


@pytest.mark.parametrize("kind", [98, 96, 106])
async def test_bare_h264_is_read_under_its_own_payload_type_and_under_any_other(bench: Bench, kind: int) -> None:
    kept = bench.open()
    camera = bench.camera(100)
    sequence = 0
    for number, picture in enumerate(PICTURES):
        for payload, marker in write_h264(split_annex_b(picture), size=200):
            camera.sock.send(write(RtpPacket(kind, marker, sequence, number * 3600, 100, payload)))
            sequence += 1
    await bench.until(lambda: len(kept.units) >= 11)
    assert kept.units[0].is_key
    assert [unit.pts for unit in kept.units] == [90_000 + n * 3600 for n in range(len(kept.units))]


async def test_datagrams_larger_than_expected_are_read_from_the_second_on(bench: Bench) -> None:
    kept = bench.open()
    camera = bench.camera(100)
    muxer = PsMuxer(Codec.H264)
    idr = PICTURES[0] + b"\0\0\0\1\x06" + b"\x55" * 30_000
    sequence = 0
    for number in range(4):
        pack = muxer.video(idr, number * 3600, key=True)
        packets = packetise(pack, sequence=sequence, timestamp=number * 3600, ssrc=100, size=8000)
        sequence += len(packets)
        for packet in packets:
            camera.sock.send(packet)
        await bench.settle()
    assert len(kept.units) >= 2
    assert bench.receiver.figures()[0].oversize >= 1


async def test_two_sessions_exchange_without_a_gap_in_media_time(bench: Bench) -> None:
    kept = bench.open(KEY, 100)
    old = bench.camera(100)
    old.send(6)
    await bench.until(lambda: len(kept.units) == 6)
    bench.clock.advance(0.5)
    assert bench.receiver.prepare(KEY, 101) == bench.port
    bench.receiver.confirm(KEY, 101, "127.0.0.1")
    old.send(3)
    await bench.until(lambda: len(kept.units) == 9)
    assert bench.streams.ensure(KEY).state == RUNNING
    bench.camera(101).send(6)
    await bench.until(lambda: len(kept.units) == 15)
    old.send(3)
    await bench.settle()
    assert len(kept.units) == 15
    pts = [unit.pts for unit in kept.units]
    assert all(b > a for a, b in pairwise(pts))


# --- failures have a name --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step", ["gb_no_packet", "gb_other_ssrc", "gb_no_ps_header", "codec_unsupported", "gb_packets_stopped"]
)
async def test_a_stream_that_does_not_come_says_which_step_failed(step: str) -> None:
    bench = Bench()
    bench.open(KEY, 100)
    bench.open(OTHER, 200)
    stream = bench.streams.ensure(KEY)
    camera = bench.camera(100)
    if step == "gb_other_ssrc":
        bench.camera(555).send(3)
    elif step == "gb_no_ps_header":
        for number in range(30):
            camera.sock.send(write(RtpPacket(96, True, number, number, 100, b"\xd5" * 200)))
    elif step == "codec_unsupported":
        from safecity.protocols.mpegps.mux import pack_header, pes, stream_map

        section = bytearray(stream_map({0xE0: Codec.H264}))
        section[12] = 0x80
        body = pack_header(0) + bytes(section) + pes(0xE0, b"\0\0\1\x67svac" * 20, 0)
        camera.sock.send(write(RtpPacket(96, True, 1, 1, 100, body)))
    elif step == "gb_packets_stopped":
        camera.send(6)
    await bench.settle()
    await bench.seconds(14)
    assert stream.state in (OPENING, RUNNING)
    await bench.seconds(3)
    assert (stream.state, stream.step) == (LOST, step)
    bench.close()


async def test_a_stream_that_comes_back_by_itself_runs_again(bench: Bench) -> None:
    kept = bench.open()
    camera = bench.camera(100)
    camera.send(6)
    await bench.until(lambda: len(kept.units) == 6)
    await bench.seconds(17)
    stream = bench.streams.ensure(KEY)
    assert stream.state == LOST
    camera.send(6)
    await bench.until(lambda: len(kept.units) == 12)
    await bench.seconds(1)
    assert (stream.state, stream.reconnects) == (RUNNING, 1)


async def test_what_cannot_be_prepared_is_refused_with_a_reason(bench: Bench) -> None:
    with pytest.raises(InvalidError):
        bench.receiver.prepare(KEY, 0)
    with pytest.raises(InvalidError):
        bench.receiver.prepare(KEY, 5, "sctp")
    with pytest.raises(NotFoundError):
        bench.receiver.confirm(KEY, 5)
    bench.receiver.prepare(KEY, 5)
    with pytest.raises(ConflictError):
        bench.receiver.prepare(OTHER, 5)
    bench.receiver.close(KEY, "gb_refused", {"status": 486})
    assert bench.receiver.prepare(OTHER, 5) in bench.udp
    stream = bench.streams.ensure(KEY)
    assert (stream.state, stream.step, stream.params) == (LOST, "gb_refused", {"status": 486})


async def test_one_port_per_camera_is_a_setting() -> None:
    bench = Bench(2, ReceiveOptions(exclusive_ports=True))
    ports = {bench.receiver.prepare(StreamKey(f"ch_{n}", Quality.MAIN), 10 + n) for n in range(2)}
    assert ports == set(bench.udp)
    with pytest.raises(ExhaustedError):
        bench.receiver.prepare(StreamKey("ch_9", Quality.MAIN), 19)
    bench.close()


# --- reports, restart, floods ----------------------------------------------------------------------------------


async def test_receiver_reports_are_sent_to_the_camera(bench: Bench) -> None:
    kept = bench.open()
    camera = bench.camera(100)
    camera.sock.setblocking(False)
    camera.sock.send(rtcp.sender_report(100, 1 << 32, 0, 0, 0))
    camera.send(6)
    await bench.until(lambda: len(kept.units) == 6)
    await bench.seconds(6)
    report = camera.sock.recv(2000)
    assert report[1] == rtcp.RECEIVER
    assert int.from_bytes(report[8:12], "big") == 100
    assert int.from_bytes(report[16:20], "big") & 0xFFFF == (camera.sequence - 1) & 0xFFFF


async def test_a_restarted_slot_goes_on_with_its_sessions_on_the_same_sockets(bench: Bench) -> None:
    kept = bench.open()
    camera = bench.camera(100)
    camera.send(6)
    await bench.until(lambda: len(kept.units) == 6)
    assert bench.saved >= 3
    records = bench.receiver.export_sessions()
    bench.receiver.stop()
    camera.send(3)
    bench.make()
    assert bench.receiver.restore_sessions(records) == []
    again = Kept()
    bench.streams.ensure(KEY).attach(again)
    thief = bench.camera(100)
    thief.send(1)
    camera.send(9)
    await bench.until(lambda: len(again.units) == 12)
    assert again.units[0].is_key
    feed = bench.receiver.feed_of(KEY)
    assert feed is not None
    assert feed.source.refused >= 1


async def test_sessions_over_tcp_cannot_be_restored_and_are_named(bench: Bench) -> None:
    bench.open(KEY, 100, TCP_PASSIVE)
    records = bench.receiver.export_sessions()
    bench.receiver.stop()
    bench.make()
    assert bench.receiver.restore_sessions(records) == [KEY]


@pytest.mark.parametrize("kind", ["unknown_ssrc", "known_ssrc", "junk"])
async def test_a_flooding_stranger_is_blocked_and_the_camera_beside_it_loses_nothing(bench: Bench, kind: str) -> None:
    kept = bench.open(KEY, 100)
    bench.open(OTHER, 200, host="10.0.0.9")
    camera, flood = bench.camera(100), bench.camera(100)
    camera.send()
    await bench.until(lambda: kept.units)
    junk = {
        "unknown_ssrc": write(RtpPacket(96, False, 1, 1, 12345, b"x" * 1000)),
        "known_ssrc": write(RtpPacket(96, False, 1, 1, 100, b"x" * 1000)),
        "junk": b"\x01" * 1000,
    }[kind]
    for _ in range(300):
        for _ in range(10):
            flood.sock.send(junk)
        if camera.number < 12:
            camera.send()
        await asyncio.sleep(0)
    await bench.until(lambda: len(kept.units) == 12)
    await bench.settle()
    figure = bench.receiver.figures()[0]
    assert figure.blocked == 1
    assert not any(unit.damaged for unit in kept.units)
    for _ in range(200):
        flood.sock.send(junk)
    camera.send(6)
    await bench.until(lambda: len(kept.units) == 18)
    assert bench.receiver.figures()[0].datagrams - figure.datagrams <= 60


async def test_who_spreads_its_flood_over_all_ports_is_blocked_on_all_of_them() -> None:
    bench = Bench(ports=8)
    try:
        bench.open(KEY, 100)
        sender = bench.camera(100)
        junk = write(RtpPacket(96, False, 1, 1, 12345, b"x" * 200))
        for _ in range(300):  # 300 for each port, far below the limit of a source; 2,400 in all
            for port in bench.udp:
                sender.sock.sendto(junk, ("127.0.0.1", port))
            await asyncio.sleep(0)
        await bench.settle()
        assert [figure.blocked for figure in bench.receiver.figures()] == [1] * 8
    finally:
        bench.close()


async def test_a_recorder_that_sends_more_than_was_asked_for_is_not_cut_off(bench: Bench) -> None:
    kept = bench.open(KEY, 100)
    bench.open(OTHER, 200, host="10.0.0.9")
    recorder = bench.camera(100)
    recorder.send()
    await bench.until(lambda: kept.units)
    for _ in range(11):
        for number in range(200):
            recorder.sock.send(write(RtpPacket(96, False, number, 1, 12345, b"x" * 1000)))
        recorder.send()
        await asyncio.sleep(0)
    await bench.until(lambda: len(kept.units) == 12)
    figure = bench.receiver.figures()[0]
    assert (figure.blocked, figure.unknown) == (0, 2200)


async def test_a_camera_that_floods_loses_its_own_stream_alone(bench: Bench) -> None:
    kept, other = bench.open(KEY, 100), bench.open(OTHER, 200)
    camera, mad = bench.camera(100), bench.camera(200)
    camera.send(1)
    mad.send(1)
    await bench.until(lambda: kept.units and other.units)
    stream = bench.streams.ensure(OTHER)
    for burst in range(500):
        for number in range(burst * 400, burst * 400 + 400):
            mad.sock.send(HEADER.pack(0x80, 96, (mad.sequence + number) & 0xFFFF, burst, 200) + b"x" * 100)
        await asyncio.sleep(0)
        if stream.state == LOST:
            break
    await bench.settle()
    camera.send(11)
    await bench.until(lambda: len(kept.units) == 12)
    assert (stream.state, stream.step) == (LOST, "gb_flood")
    assert not any(unit.damaged for unit in kept.units)


# --- TCP -------------------------------------------------------------------------------------------------------


async def connect(port: int) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    return writer


def framed(packets: list[bytes]) -> bytes:
    return b"".join(len(packet).to_bytes(2, "big") + packet for packet in packets)


@pytest.mark.parametrize("ssrc", [100, 555], ids=["the_ssrc_asked_for", "another"])
async def test_a_camera_that_connects_is_received(bench: Bench, ssrc: int) -> None:
    kept = bench.open(KEY, 100, TCP_PASSIVE)
    camera = bench.camera(ssrc)
    writer = await connect(bench.port)
    for _ in range(12):
        wire = framed(camera.picture())
        writer.write(wire[:7])
        await asyncio.sleep(0)
        writer.write(wire[7:])
    await bench.until(lambda: len(kept.units) == 12)
    stream = bench.streams.ensure(KEY)
    assert (stream.state, stream.transport) == (RUNNING, TCP_PASSIVE)
    writer.close()
    await bench.until(lambda: stream.state == LOST)
    assert stream.step == "gb_connection_closed"


async def test_a_connection_nobody_expects_is_closed(bench: Bench) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", next(iter(bench.tcp)))
    assert await reader.read() == b""
    writer.close()


async def test_a_connection_with_other_people_s_packets_is_closed(bench: Bench) -> None:
    bench.open(KEY, 100, TCP_PASSIVE, host="10.0.0.1")
    bench.open(OTHER, 200, TCP_PASSIVE, host="10.0.0.2")
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.port)
    writer.write(framed(bench.camera(999).picture()))
    assert await reader.read() == b""
    writer.close()


async def test_a_camera_that_listens_is_dialled(bench: Bench) -> None:
    camera = Camera(next(iter(bench.udp)), 100)
    bench.cameras.append(camera)
    asked = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(12):
            writer.write(framed(camera.picture()))
        await writer.drain()
        await asked.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    assert bench.receiver.prepare(KEY, 100, TCP_ACTIVE) == 9
    kept = Kept()
    bench.streams.ensure(KEY).attach(kept)
    bench.receiver.confirm(KEY, 100, "127.0.0.1", server.sockets[0].getsockname()[1])
    await bench.until(lambda: len(kept.units) == 12)
    asked.set()
    server.close()
    await server.wait_closed()


async def test_a_camera_that_does_not_listen_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safecity.media.receive.tcp.DIAL_PAUSE_SECONDS", 0.0)
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    bench.receiver.prepare(KEY, 100, TCP_ACTIVE)
    bench.receiver.confirm(KEY, 100, "127.0.0.1", port)
    stream = bench.streams.ensure(KEY)
    await bench.until(lambda: stream.state == LOST)
    assert stream.step == "gb_dial_failed"
    assert stream.params["remote_port"] == port


async def test_closing_a_stream_ends_its_connection(bench: Bench) -> None:
    kept = bench.open(KEY, 100, TCP_PASSIVE)
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.port)
    camera = bench.camera(100)
    writer.write(framed(camera.picture()))
    await bench.until(lambda: kept.units)
    bench.receiver.close(KEY)
    assert await reader.read() == b""
    assert bench.streams.ensure(KEY).state == "idle"
    writer.close()
