"""Media of vehicle terminals at a slot: what was ordered gets through, and lies harm nobody but the liar."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from tests.unit.jt1078.test_jt1078_media import h264_pictures

from safecity.kit.errors import ConflictError, InvalidError
from safecity.media.receive.feed import JT1078, JT1078_UDP
from safecity.media.receive.receiver import Receiver
from safecity.media.receive.vehicles import SILENT_SECONDS
from safecity.media.streams import LOST, OPENING, RUNNING, Stream, Streams
from safecity.model.values.media import Quality, StreamKey, Unit
from safecity.protocols.jt1078.frames import packetise
from safecity.protocols.jt1078.packets import Kind, MediaPacket, MediaReader, PayloadType, Piece, write_packet

BUS, TAXI, LORRY = "13912345678", "13800000001", "13700000002"
HOME, ABROAD = "127.0.0.1", "127.0.0.2"
PICTURES = h264_pictures()


class Datagrams:
    """Somebody who sends them from one place."""

    def __init__(self, port: int, host: str) -> None:
        self._port = port
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))

    def send(self, packets: list[bytes]) -> None:
        for one in packets:
            self.socket.sendto(one, ("127.0.0.1", self._port))


@dataclass
class Kept:
    """A reader of a stream."""

    units: list[Unit] = field(default_factory=list)

    def offer(self, unit: Unit) -> None:
        self.units.append(unit)

    def ended(self, reason: str) -> None:
        pass


class Clock:
    """Stands still until it is turned."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now_us(self) -> int:
        return 1_700_000_000_000_000 + round(self.seconds * 1e6)


class Slot:
    """A receiver with two ports that vehicles may be told to connect to."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.streams = Streams()
        listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        open_to_all = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        open_to_all.bind(("127.0.0.1", 0))
        self.receiver = Receiver(
            self.streams, {open_to_all.getsockname()[1]: open_to_all},
            {one.getsockname()[1]: one for one in listening}, clock=self.clock,
        )  # fmt: skip
        self.listening = [*listening, open_to_all]
        self.kept: dict[str, Kept] = {}
        self.writers: list[asyncio.StreamWriter] = []

    def order(
        self, channel: str, phone: str, number: int = 1, quality: Quality = Quality.MAIN, host: str = "",
        transport: str = JT1078,
    ) -> int:  # fmt: skip
        key = StreamKey(channel, quality)
        port = self.receiver.prepare_vehicle(key, phone, number, host, transport)
        self.receiver.confirm(key, 0)
        stream = self.stream(channel, quality)
        if channel not in self.kept:
            self.kept[channel] = Kept()
            stream.attach(self.kept[channel])
        return port

    def stream(self, channel: str, quality: Quality = Quality.MAIN) -> Stream:
        found = self.streams.get(StreamKey(channel, quality))
        assert found is not None
        return found

    async def connect(self, port: int, host: str = HOME) -> asyncio.StreamWriter:
        _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(host, 0))
        self.writers.append(writer)
        return writer

    def sender(self, port: int, host: str = HOME) -> Datagrams:
        made = Datagrams(port, host)
        self.listening.append(made.socket)
        return made

    async def until(self, true: object, what: str) -> None:
        async with asyncio.timeout(30):
            while not true():  # type: ignore[operator]
                await asyncio.sleep(0.005)
        assert true(), what  # type: ignore[operator]

    async def pictures(self, channel: str, count: int) -> None:
        await self.until(lambda: len(self.kept[channel].units) >= count, f"{count} pictures of {channel}")

    def pass_time(self, seconds: float) -> None:
        self.clock.seconds += seconds
        self.receiver.tick()

    async def close(self) -> None:
        for writer in self.writers:
            writer.close()
        self.receiver.stop()
        for one in self.listening:
            one.close()


def sent(phone: str, number: int = 1, *, count: int = 6, long: bool = False, first: int = 0) -> bytes:
    """Pictures as that terminal sends them."""
    packets: list[MediaPacket] = []
    for at, picture in enumerate(PICTURES[:count]):
        kind = Kind.I_FRAME if b"\0\0\0\1\x67" in picture else Kind.P_FRAME
        packets += packetise(
            picture, phone=phone, channel=number, kind=kind, payload_type=PayloadType.H264,
            sequence=(first + len(packets)) & 0xFFFF, timestamp_ms=at * 40, long_phone=long,
        )  # fmt: skip
    return b"".join(map(write_packet, packets))


@pytest.fixture
async def slot() -> AsyncIterator[Slot]:
    made = Slot()
    made.receiver.start()
    yield made
    await made.close()


@pytest.mark.parametrize("long", [False, True])
async def test_an_ordered_channel_becomes_a_stream(slot: Slot, long: bool) -> None:
    port = slot.order("ch_bus", BUS)
    assert slot.stream("ch_bus").state == OPENING
    line = await slot.connect(port)
    data = sent(BUS, long=long)
    for at in range(0, len(data), 333):  # the network cuts where it likes
        line.write(data[at : at + 333])
        await asyncio.sleep(0)
    await slot.pictures("ch_bus", 5)
    stream = slot.stream("ch_bus")
    assert (stream.state, stream.transport) == (RUNNING, "jt1078")
    assert slot.kept["ch_bus"].units[0].is_key
    slot.pass_time(1.0)
    assert stream.packets > 0
    line.close()
    await slot.until(lambda: stream.state == LOST, "a closed connection is told at once")
    assert stream.step == "jt_connection_closed"


async def test_a_long_number_is_known_by_its_end_where_the_packets_have_room_for_no_more(slot: Slot) -> None:
    port = slot.order("ch_bus", "88" + "0" * 7 + BUS)
    line = await slot.connect(port)
    line.write(sent(BUS))
    await slot.pictures("ch_bus", 5)


async def test_strangers_are_turned_away_and_counted(slot: Slot) -> None:
    port = slot.order("ch_bus", BUS)
    for phone, number in ((TAXI, 1), (LORRY, 2)):
        stranger = await slot.connect(port)
        stranger.write(sent(phone, number))
        await slot.until(lambda: not slot.receiver._tcp._connections, "it is cut off")
    assert slot.receiver.vehicles.intruders == 2
    assert slot.kept["ch_bus"].units == []
    slot.pass_time(16)
    stream = slot.stream("ch_bus")
    assert (stream.state, stream.step) == (LOST, "jt_other_number"), "whoever looks for the fault is told"


async def test_a_terminal_that_numbers_its_cameras_otherwise_is_told_apart_from_a_stranger(slot: Slot) -> None:
    port = slot.order("ch_bus", BUS, 1)
    line = await slot.connect(port)
    line.write(sent(BUS, 0))
    await slot.until(lambda: slot.receiver.vehicles.intruders == 1, "it is refused")
    slot.pass_time(16)
    stream = slot.stream("ch_bus")
    assert (stream.step, stream.params["expected"], stream.params["seen"]) == ("jt_other_channel", 1, 0)


async def test_a_port_that_nobody_was_told_of_takes_nobody(slot: Slot) -> None:
    told = slot.order("ch_bus", BUS)
    other = next(one.getsockname()[1] for one in slot.listening if one.getsockname()[1] != told)
    line = await slot.connect(other)
    line.write(sent(BUS))
    await slot.until(lambda: line.transport.is_closing() or not slot.receiver._tcp._connections, "cut off")
    assert slot.kept["ch_bus"].units == []


async def test_a_vehicle_that_speaks_for_another_disturbs_neither(slot: Slot) -> None:
    """The liar has a stream of its own; on its connection it sends pictures in the name of two others, one of which is
    only expected yet and one of which runs."""
    ports = [slot.order(f"ch_{phone}", phone) for phone in (BUS, TAXI, LORRY)]
    liar_port = ports[0]
    same = [phone for phone, port in zip((TAXI, LORRY), ports[1:], strict=True) if port == liar_port]
    assert same, "with two ports one of the others shares the liar's"
    victim = same[0]
    liar = await slot.connect(liar_port)
    liar.write(sent(BUS) + sent(victim) + sent(BUS, first=6))
    await slot.pictures(f"ch_{BUS}", 10)
    assert slot.kept[f"ch_{victim}"].units == []
    assert slot.stream(f"ch_{victim}").state == OPENING
    honest = await slot.connect(liar_port)
    honest.write(sent(victim))
    await slot.pictures(f"ch_{victim}", 5)
    before = len(slot.kept[f"ch_{victim}"].units)
    liar.write(sent(victim) + sent(BUS, first=30))
    await slot.pictures(f"ch_{BUS}", 15)
    assert len(slot.kept[f"ch_{victim}"].units) == before
    assert slot.receiver.vehicles.foreign > 0
    assert not honest.transport.is_closing()


async def test_whoever_comes_from_where_the_terminal_is_known_to_be_outranks_whoever_came_first(slot: Slot) -> None:
    port = slot.order("ch_bus", BUS, host=HOME)
    liar = await slot.connect(port, ABROAD)
    liar.write(sent(BUS, count=1))
    await slot.until(lambda: slot.receiver.vehicles._feeds[StreamKey("ch_bus", Quality.MAIN)].connection, "it is in")
    honest = await slot.connect(port)
    honest.write(sent(BUS))
    await slot.pictures("ch_bus", 5)
    late = await slot.connect(port, ABROAD)
    late.write(sent(BUS))
    await slot.until(lambda: len(slot.receiver._tcp._connections) == 1, "both others are cut off")
    slot.clock.seconds += SILENT_SECONDS + 1  # nor does silence make room for one from elsewhere
    late = await slot.connect(port, ABROAD)
    late.write(sent(BUS))
    await slot.until(lambda: slot.receiver.vehicles.intruders == 2, "turned away")
    assert len(slot.receiver._tcp._connections) == 1


async def test_a_terminal_whose_line_broke_unnoticed_comes_in_anew(slot: Slot) -> None:
    port = slot.order("ch_bus", BUS)
    dead = await slot.connect(port)
    dead.write(sent(BUS))
    await slot.pictures("ch_bus", 5)
    early = await slot.connect(port)
    early.write(sent(BUS))
    await slot.until(lambda: slot.receiver.vehicles.intruders == 1, "while the first one sends there is no room")
    slot.clock.seconds += SILENT_SECONDS + 0.5
    units = slot.kept["ch_bus"].units
    before = len(units)
    again = await slot.connect(port)
    again.write(sent(BUS))
    await slot.pictures("ch_bus", before + 5)
    assert [one.dts for one in units] == sorted(one.dts for one in units), "media time never goes back"


async def test_main_stream_sub_stream_and_playback_of_a_camera_never_share_a_port(slot: Slot) -> None:
    """Their packets carry the same name."""
    main, sub = slot.order("ch_bus", BUS), slot.order("ch_bus", BUS, quality=Quality.SUB)
    assert main != sub
    with pytest.raises(ConflictError):
        slot.receiver.prepare_vehicle(StreamKey("dp_1", Quality.MAIN), BUS, 1)
    slot.receiver.close(StreamKey("ch_bus", Quality.SUB))
    assert slot.receiver.prepare_vehicle(StreamKey("dp_1", Quality.MAIN), BUS, 1) == sub


async def test_a_closed_stream_takes_its_connection_along(slot: Slot) -> None:
    port = slot.order("ch_bus", BUS)
    line = await slot.connect(port)
    line.write(sent(BUS))
    await slot.pictures("ch_bus", 5)
    assert [one.transport for one in slot.receiver.export_sessions()] == ["jt1078"]
    slot.receiver.close(StreamKey("ch_bus", Quality.MAIN), "not_wanted")
    assert slot.receiver.export_sessions() == []
    await slot.until(lambda: not slot.receiver._tcp._connections, "the terminal sees that nobody reads")


async def test_after_a_restart_the_stream_is_told_lost(slot: Slot) -> None:
    slot.order("ch_bus", BUS)
    records = slot.receiver.export_sessions()
    assert Receiver(Streams(), {}, {}).restore_sessions(records) == [StreamKey("ch_bus", Quality.MAIN)]


async def test_silence_is_told_by_what_is_missing(slot: Slot) -> None:
    port = slot.order("ch_bus", BUS)
    slot.pass_time(16)
    assert slot.stream("ch_bus").step == "jt_no_connection"
    slot.order("ch_taxi", TAXI)
    port = slot.receiver.vehicles._feeds[StreamKey("ch_taxi", Quality.MAIN)].port
    line = await slot.connect(port)
    wires = [
        write_packet(one)
        for at in range(1, 4)
        for one in packetise(
            PICTURES[1], phone=TAXI, channel=1, kind=Kind.P_FRAME, payload_type=98, sequence=at, timestamp_ms=at * 40
        )
    ]
    line.write(b"".join(wires))
    await slot.until(lambda: slot.receiver.vehicles._feeds[StreamKey("ch_taxi", Quality.MAIN)].packets, "packets came")
    slot.pass_time(16)
    assert slot.stream("ch_taxi").step == "jt_no_key_frame"


def _hostile(kind: str) -> bytes:
    """What a broken or a wicked terminal may send behind its first good pictures."""
    good = sent(BUS)
    packet = packetise(
        PICTURES[0], phone=BUS, channel=1, kind=Kind.I_FRAME, payload_type=98, sequence=0, timestamp_ms=1
    )[0]
    match kind:
        case "a length that is a lie":
            wire = bytearray(write_packet(packet))
            wire[28:30] = b"\xff\xff"
            return bytes(wire) * 3
        case "sequence jumps":
            wires = [write_packet(packet)] * 50
            return b"".join(wire[:6] + random.Random(1).randbytes(2) + wire[8:] for wire in wires)
        case "fragments that never end":
            middle = write_packet(MediaPacket(
                phone=BUS, channel=1, kind=Kind.P_FRAME, piece=Piece.MIDDLE, payload_type=98, sequence=0,
                payload=bytes(950), timestamp_ms=5,
            ))  # fmt: skip
            return b"".join(middle[:6] + at.to_bytes(2, "big") + middle[8:] for at in range(9000))
        case "half a packet":
            return good[: len(good) // 2 + 7]
        case _:
            return random.Random(7).randbytes(200_000)


@pytest.mark.parametrize(
    "kind", ["a length that is a lie", "sequence jumps", "fragments that never end", "half a packet", "noise"]
)
async def test_hostile_bytes_end_at_their_own_stream(slot: Slot, kind: str) -> None:
    port = slot.order("ch_bus", BUS)
    taxi_port = slot.order("ch_taxi", TAXI)
    wicked, honest = await slot.connect(port), await slot.connect(taxi_port)
    wicked.write(sent(BUS) + _hostile(kind) + sent(BUS, first=100))
    honest.write(sent(TAXI))
    await slot.pictures("ch_bus", 5)
    await slot.pictures("ch_taxi", 5)
    wicked.close()
    await slot.until(lambda: slot.stream("ch_bus").state == LOST, "it is heard to its end")
    assert slot.stream("ch_taxi").state == RUNNING
    feed = slot.receiver.vehicles._feeds[StreamKey("ch_bus", Quality.MAIN)]
    assert feed.media is not None
    assert sum(one.size for one in feed.media.frames._joining.values()) < 5 * 1024 * 1024


@pytest.mark.parametrize(("phone", "number"), [("", 1), ("139x", 1), ("000", 1), (BUS, 256), (BUS, -1)])
async def test_what_is_no_channel_of_a_terminal_is_not_expected(slot: Slot, phone: str, number: int) -> None:
    with pytest.raises(InvalidError):
        slot.receiver.prepare_vehicle(StreamKey("ch_x", Quality.MAIN), phone, number)


# --- datagrams --------------------------------------------------------------------------------------------------


def datagrams(phone: str, number: int = 1, *, first: int = 0, long: bool = False) -> list[bytes]:
    """The same pictures, a packet each."""
    return [write_packet(one) for one in MediaReader().feed(sent(phone, number, first=first, long=long))]


@pytest.mark.parametrize("long", [False, True])
async def test_a_terminal_may_send_its_pictures_as_datagrams(slot: Slot, long: bool) -> None:
    port = slot.order("ch_bus", BUS, transport=JT1078_UDP)
    packets = datagrams(BUS, long=long)
    for at in range(1, len(packets) - 1, 3):  # the network overtakes
        packets[at], packets[at + 1] = packets[at + 1], packets[at]
    slot.sender(port).send([*packets[:4], *packets[:2], *packets[4:]])
    await slot.pictures("ch_bus", 5)
    stream = slot.stream("ch_bus")
    assert (stream.state, stream.transport) == (RUNNING, "jt1078_udp")
    assert not any(one.damaged for one in slot.kept["ch_bus"].units)
    slot.pass_time(1.0)
    assert (stream.packets, stream.packets_lost) == (len(packets) + 2, 0)
    slot.receiver.close(StreamKey("ch_bus", Quality.MAIN), "not_wanted")
    assert not slot.receiver.ports[port].marks


async def test_datagrams_count_for_what_was_ordered_over_them_alone(slot: Slot) -> None:
    """A connection does not speak for what is expected as datagrams, nor the other way round."""
    port = slot.order("ch_bus", BUS, transport=JT1078_UDP)
    over_tcp = slot.order("ch_taxi", TAXI)
    assert over_tcp != port
    slot.sender(port).send([*datagrams(LORRY), *datagrams(TAXI), b"01cd junk"])
    await slot.until(lambda: slot.receiver.ports[port].junk >= 3, "they are strangers")
    assert slot.stream("ch_taxi").state == OPENING
    slot.pass_time(20.0)
    assert (slot.stream("ch_bus").state, slot.stream("ch_bus").step) == (LOST, "jt_other_number")
    assert slot.stream("ch_bus").params["seen"] == TAXI


async def test_who_sends_datagrams_from_where_the_terminal_is_known_to_be_takes_the_place_of_others(
    slot: Slot,
) -> None:
    port = slot.order("ch_bus", BUS, transport=JT1078_UDP, host=HOME)
    foreign, own = slot.sender(port, ABROAD), slot.sender(port)
    foreign.send(datagrams(BUS))
    await slot.pictures("ch_bus", 5)
    own.send(datagrams(BUS, first=500))
    await slot.pictures("ch_bus", 10)
    foreign.send(datagrams(BUS, first=900))
    await slot.until(lambda: slot.receiver.vehicles.intruders, "it is turned away from then on")
    assert len(slot.kept["ch_bus"].units) < 15


async def test_datagrams_that_stop_are_told_and_go_on_from_another_place(slot: Slot) -> None:
    """The network of a vehicle gives it another port at any time."""
    port = slot.order("ch_bus", BUS, transport=JT1078_UDP)
    slot.sender(port).send(datagrams(BUS))
    await slot.pictures("ch_bus", 5)
    slot.pass_time(20.0)
    slot.pass_time(20.0)
    assert (slot.stream("ch_bus").state, slot.stream("ch_bus").step) == (LOST, "jt_packets_stopped")
    slot.sender(port).send(datagrams(BUS, first=100))
    await slot.pictures("ch_bus", 10)
    slot.pass_time(1.0)
    assert slot.stream("ch_bus").state == RUNNING


async def test_nothing_that_came_is_told_as_that(slot: Slot) -> None:
    slot.order("ch_bus", BUS, transport=JT1078_UDP)
    slot.pass_time(20.0)
    assert slot.stream("ch_bus").step == "jt_no_datagram"


async def test_a_flooded_port_lets_through_what_terminals_were_told_to_send(slot: Slot) -> None:
    port = slot.order("ch_bus", "88" + "0" * 7 + BUS, transport=JT1078_UDP)
    marks = set(slot.receiver.ports[port].expected)
    for long in (False, True):
        phone = "88" + "0" * 7 + BUS if long else "0" + BUS
        one = datagrams(phone, long=long)[0]
        assert int.from_bytes(one[8:12], "big") in marks, "where the filter of the kernel looks"


async def drained(slot: Slot, port: int, count: int) -> None:
    await slot.until(lambda: slot.receiver.ports[port].datagrams >= count, f"{count} datagrams were taken")


async def test_a_vehicle_that_sends_more_than_was_asked_for_is_not_cut_off(slot: Slot) -> None:
    """Nor is one in whose name somebody forges datagrams: for a stranger it would be too much."""
    port = slot.order("ch_bus", BUS, transport=JT1078_UDP)
    vehicle = slot.sender(port)
    vehicle.send(datagrams(BUS))
    await slot.pictures("ch_bus", 5)
    unasked, expected = datagrams(BUS, 2)[0], len(datagrams(BUS))
    for burst in range(1, 23):
        vehicle.send([unasked] * 100)
        await drained(slot, port, expected + burst * 100)
    slot.clock.seconds += 0.5
    vehicle.send(datagrams(BUS, first=len(datagrams(BUS))))
    await slot.pictures("ch_bus", 10)
    assert slot.receiver.figures()[0].blocked == 0


async def test_a_vehicle_that_floods_loses_its_own_stream_alone_and_comes_back(slot: Slot) -> None:
    port = slot.order("ch_bus", BUS, transport=JT1078_UDP)
    slot.order("ch_taxi", TAXI, transport=JT1078_UDP)
    mad, taxi = slot.sender(port), slot.sender(port)
    mad.send(datagrams(BUS))
    taxi.send(datagrams(TAXI))
    await slot.pictures("ch_bus", 5)
    await slot.pictures("ch_taxi", 5)
    stream = slot.stream("ch_bus")
    slot.receiver._timers["tick"].cancel()  # time passes here alone
    for _ in range(4):  # the first look only begins to count
        taken = slot.receiver.ports[port].datagrams
        for burst in range(1, 26):
            mad.send([datagrams(BUS)[1]] * 100)
            await drained(slot, port, taken + burst * 100)
        slot.pass_time(0.05)
        if stream.state == LOST:
            break
    assert (stream.state, stream.step) == (LOST, "gb_flood")
    assert slot.receiver.figures()[0].blocked == 1
    mad.send(datagrams(BUS, first=500))  # the kernel throws it away
    taxi.send(datagrams(TAXI, first=len(datagrams(TAXI))))
    await slot.pictures("ch_taxi", 10)
    assert len(slot.kept["ch_bus"].units) < 10
    slot.pass_time(11.0)
    assert slot.receiver.figures()[0].blocked == 0
    mad.send(datagrams(BUS, first=900))
    await slot.pictures("ch_bus", 10)
    slot.pass_time(1.0)
    assert stream.state == RUNNING
