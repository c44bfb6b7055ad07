"""Attachments of alarms end to end over real sockets: ordered, brought, kept, and what goes wrong on the way."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import os
import socket
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace
from tests.unit.drivers_jt808.scene import PHONE, TERMINAL, US, Scene, open_scene

from safecity.drivers.jt808 import attachments, bringing, media
from safecity.drivers.jt808.bringing import AttachmentHall
from safecity.drivers.jt808.driver import TerminalPlatform
from safecity.drivers.jt808.link import Limits
from safecity.drivers.jt808.spool import Spool
from safecity.kit.clock import FakeClock, SystemClock
from safecity.kit.errors import ExhaustedError, NotFoundError, SafecityError, UnavailableError
from safecity.model.facts.signal_calls import ApplySignal, JtTerminal
from safecity.model.facts.vehicle_calls import KeepAttachment, ReadAttachment
from safecity.protocols.jt808 import bringing as wire
from safecity.protocols.jt808.active_safety import Attachment, Attachments, UploadAttachments
from safecity.protocols.jt808.bringing import FileLimits
from safecity.protocols.jt808.framing import FrameReader
from safecity.protocols.jt808.header import Packet, Version, read_packet
from safecity.protocols.jt808.line import Line
from safecity.protocols.jt808.messages import read_body
from safecity.protocols.jt808.registration import PlatformAnswer, Result
from safecity.protocols.jt808.terminal import Identity
from safecity.sim.camera import Camera, CameraSpec
from safecity.sim.jt808.cameras import Cameras
from safecity.sim.jt808.drive import Drive, Plan
from safecity.sim.jt808.load import walk
from safecity.sim.jt808.recorded import FILM, PICTURE, Recorded
from safecity.sim.jt808.terminal import SimTerminal, TerminalSpec

JPEG = bytes.fromhex("ffd8ffc0000b080010002001011100ffd9")
FILES = [Recorded(PICTURE, JPEG + os.urandom(90_000)), Recorded(PICTURE, JPEG, 2), Recorded(FILM, os.urandom(300_000))]


@dataclasses.dataclass
class Kept:
    fact: KeepAttachment
    data: bytes


class Keeper:
    """Control: reads what it is told of, checks it, and keeps it once; fails as often as it was told to."""

    def __init__(self) -> None:
        self.kept: list[Kept] = []
        self.fails: list[SafecityError] = []
        self.asked = 0
        self.spool: Spool | None = None

    async def keep(self, fact: KeepAttachment) -> None:
        assert self.spool is not None
        self.asked += 1
        if self.fails:
            raise self.fails.pop(0)
        data = b""
        while piece := (await self.spool.read(ReadAttachment(fact.spool, len(data)))).data:
            data += piece
        assert (len(data), hashlib.sha256(data).digest()) == (fact.size, fact.digest)
        if (fact.number, data) not in [(one.fact.number, one.data) for one in self.kept]:
            self.kept.append(Kept(fact, data))


@dataclasses.dataclass
class Place:
    """The platform with both its doors, on a file in `path`."""

    path: Path
    keeper: Keeper
    limits: FileLimits
    gate: Limits
    scene: Scene
    hall: AttachmentHall

    @property
    def platform(self) -> TerminalPlatform:
        return self.scene.platform

    @property
    def port(self) -> int:
        server = self.platform.hall._server
        assert server is not None
        return int(server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        await self.hall.close()
        await self.platform.close()
        self.scene.file.close()

    async def until(self, true: Callable[[], object]) -> None:
        while not true():
            await asyncio.sleep(0.005)

    def spooled(self) -> list[Path]:
        return list((self.path / "spool").iterdir())


async def open_place(
    path: Path, keeper: Keeper, limits: FileLimits | None = None, gate: Limits | None = None
) -> Place:  # fmt: skip
    scene = await open_scene(path, cast("FakeClock", SystemClock()))
    keeper.spool = spool = Spool(path / "spool")
    hall = AttachmentHall(
        scene.platform.attachments, spool, keeper.keep, SystemClock(), scene.platform.tally,
        gate=gate or Limits(), limits=limits or FileLimits(),
    )  # fmt: skip
    await hall.open(socket.create_server(("127.0.0.1", 0)))
    return Place(path, keeper, hall.limits, gate or Limits(), scene, hall)


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> Keeper:
    monkeypatch.setattr(media, "AGAIN_SECONDS", (0.0, 0.0, 0.0))
    return Keeper()


@pytest.fixture
async def place(tmp_path: Path, keeper: Keeper) -> AsyncIterator[Place]:
    made = await open_place(tmp_path, keeper)
    yield made
    await made.close()


def terminal(place: Place, version: Version = Version.V2019) -> SimTerminal:
    spec = TerminalSpec(
        identity=Identity(phone=PHONE, version=version), host="127.0.0.1", port=place.port, report_seconds=3600,
        retry_seconds=0.02,
    )  # fmt: skip
    return SimTerminal(spec, Drive(Plan(walk(1))))


@contextlib.asynccontextmanager
async def driving(place: Place, version: Version = Version.V2019) -> AsyncIterator[SimTerminal]:
    made = terminal(place, version)
    made.start()
    await made.online.wait()
    yield made
    await made.stop()


def alarms(place: Place) -> list[Any]:
    return place.scene.events("alarm.received")


@pytest.mark.parametrize("version", [Version.V2013, Version.V2019])
async def test_two_pictures_and_a_film_of_an_alarm_come_whole_and_belong_to_it(place: Place, version: Version) -> None:
    async with driving(place, version) as car:
        location = car.alarm(FILES)
        await place.until(lambda: car.safety.brought)
        (alarm,) = alarms(place)
        assert (alarm.body["type"], alarm.body["attachments"]) == ("jsatl-65-1", 3)
        assert [one.data for one in place.keeper.kept] == [one.data for one in FILES]
        facts = [one.fact for one in place.keeper.kept]
        assert {(one.device, one.event, one.number, one.at) for one in facts} == {
            ("dv_1", alarm.id, 1, alarm.body["time_us"])
        }
        assert [(one.kind, one.format, one.channel) for one in facts] == [
            ("picture", "jpeg", 1), ("picture", "jpeg", 2), ("video", "h264", 1),
        ]  # fmt: skip
        assert round((facts[0].latitude or 0) * 1e6) == location.latitude_micro
        assert place.spooled() == []
        (number,) = car.safety.brought
        row = place.platform.attachments.row(number)
        assert row is not None
        assert (row.done, len(row.kept), row.kept_bytes) == (True, 3, sum(len(one.data) for one in FILES))


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("00_2_6501_0_0123.jpg", 2), ("02_64_6401_1_0123.h264", 64), ("a.jpg", 0), ("00_x_1_1.jpg", 0),
        ("00_999_1_1.jpg", 0), ("00_2.jpg", 0), ("_\u0662_1_1", 0),
    ],
)  # fmt: skip
def test_the_camera_is_the_second_part_of_a_name(name: str, channel: int) -> None:
    assert bringing.channel_of(name) == channel


async def test_what_was_lost_on_the_way_is_asked_for_again(place: Place) -> None:
    async with driving(place) as car:
        car.safety.piece_bytes = 10_000
        car.safety.trouble.lost = {0, 3, 4, 12, 20, 39}
        car.alarm(FILES)
        await place.until(lambda: car.safety.brought)
        assert [one.data for one in place.keeper.kept] == [one.data for one in FILES]
        assert car.safety.connections == 1


async def test_a_connection_that_breaks_in_the_middle_is_made_again_and_nothing_is_kept_twice(place: Place) -> None:
    async with driving(place) as car:
        car.safety.piece_bytes = 10_000
        car.safety.trouble.breaks_after = 25
        car.alarm(FILES)
        await place.until(lambda: car.safety.brought)
        assert car.safety.connections == 2
        assert [one.data for one in place.keeper.kept] == [one.data for one in FILES]
        assert place.keeper.asked == 3, "the pictures were whole when it broke"
        await place.until(lambda: not place.hall._visits)
        assert place.spooled() == []
        assert place.hall.spool.reserved == 0


async def test_a_killed_platform_goes_on_where_it_was(tmp_path: Path, keeper: Keeper) -> None:
    first = await open_place(tmp_path, keeper)
    car = terminal(first)
    car.start()
    await car.online.wait()
    # The terminal hears of the order, and is away before it brings anything.
    await ordered(first, car)
    await car.stop()
    (tmp_path / "spool" / "left").write_bytes(b"half")
    await first.scene.killed()
    await first.hall.close()
    second = await open_place(tmp_path, keeper)
    second.platform.configure([ApplySignal(1, US, (), (), terminals=(TERMINAL,))])
    assert second.spooled() == []
    again = terminal(second)
    again.session.code = car.session.code
    again.safety = car.safety
    again.safety.willing = True
    again.start()
    await second.until(lambda: again.safety.brought)
    assert [one.data for one in keeper.kept] == [one.data for one in FILES]
    await again.stop()
    await second.close()


async def test_control_that_is_away_for_a_moment_costs_nothing_and_a_full_store_is_not_a_yes(place: Place) -> None:
    async with driving(place) as car:
        place.keeper.fails = [UnavailableError("gone", code="duty_unreachable")] * 2
        car.alarm(FILES[:1])
        await place.until(lambda: car.safety.brought)
        place.keeper.fails = [ExhaustedError("full", code="vehicle_media_full")]
        car.alarm(FILES[1:2])
        await place.until(lambda: len(car.safety.brought) == 2)
        assert car.safety.connections == 3, "it was cut off without an answer, and came again"
        assert place.platform.tally.counts[bringing.NOT_KEPT] == 1


async def test_a_driver_who_nods_is_pictured_twice_and_filmed(place: Place) -> None:
    identity = Identity(phone=PHONE)
    with ThreadPoolExecutor(1) as painter:
        cameras = Cameras(identity, {1: Camera(CameraSpec(number=1, title="CABIN"), painter)})
        spec = TerminalSpec(identity=identity, host="127.0.0.1", port=place.port, report_seconds=3600)
        car = SimTerminal(spec, Drive(Plan(walk(1))), cameras=cameras)
        car.start()
        await car.online.wait()
        await car.nod()
        await place.until(lambda: car.safety.brought)
        assert [one.fact.kind for one in place.keeper.kept] == ["picture", "picture", "video"]
        assert [one.data[:2] for one in place.keeper.kept[:2]] == [b"\xff\xd8"] * 2
        assert place.keeper.kept[2].data.startswith(b"\0\0\0\1")
        await car.stop()


# --- nobody is trusted ------------------------------------------------------------------------------------------


async def said(port: int, body: Attachments, phone: str = PHONE) -> int:
    """The answer to a list from somebody who connects."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    line, frames = Line(Version.V2019, phone), FrameReader()
    writer.write(line.write(body)[0])
    try:
        while data := await reader.read(65_536):
            for raw in frames.feed(data):
                assert isinstance(raw, bytes)
                packet = read_packet(raw)
                assert isinstance(packet, Packet)
                answer = read_body(packet.id, packet.body, packet.version)
                assert isinstance(answer, PlatformAnswer)
                return answer.result
        return -1
    finally:
        writer.close()


def list_of(wish: UploadAttachments, **more: Any) -> Attachments:
    values: dict[str, Any] = {
        "terminal_id": "0000001", "mark": wish.mark, "number": wish.number, "kind": 0,
        "files": (Attachment(name="a.jpg", size=3),),
    }  # fmt: skip
    return Attachments(**{**values, **more})


async def ordered(place: Place, car: SimTerminal, files: list[Recorded] = FILES) -> UploadAttachments:
    """An order that the terminal heard of, and does not follow."""
    car.safety.willing = False
    car.alarm(files)
    await place.until(lambda: car.safety.wishes)
    return car.safety.wishes[0]


async def test_who_does_not_know_the_number_the_mark_and_the_phone_brings_nothing(place: Place) -> None:
    async with driving(place) as car:
        wish = await ordered(place, car)
        assert (wish.host, wish.tcp_port) == ("127.0.0.1", place.platform.attachments.port)
        assert len(wish.number) == 32
        port = wish.tcp_port
        assert await said(port, list_of(wish, number="0" * 32)) == Result.FAILED
        assert await said(port, list_of(wish, mark=dataclasses.replace(wish.mark, number=77))) == Result.FAILED
        assert await said(port, list_of(wish), "13900000000") == Result.FAILED
        counts = place.platform.tally.counts
        assert (counts[wire.UNKNOWN], counts[wire.OTHER_MARK], counts[wire.OTHER_PHONE]) == (1, 1, 1)
        vehicle = place.platform.vehicle("dv_1")
        assert vehicle is not None
        assert vehicle.figure(0.0).code_of_refusal == "", "a stranger says nothing of the vehicle"
        assert await said(port, list_of(wish)) == Result.OK


async def test_more_than_was_announced_is_refused_and_the_vehicle_s_page_says_why(place: Place) -> None:
    async with driving(place) as car:
        wish = await ordered(place, car)
        files = tuple(Attachment(name=f"{one}.jpg", size=1) for one in range(4))
        assert await said(wish.tcp_port, list_of(wish, files=files)) == Result.FAILED
        vehicle = place.platform.vehicle("dv_1")
        assert vehicle is not None
        assert vehicle.figure(SystemClock().monotonic()).code_of_refusal == wire.TOO_MANY


async def test_an_order_is_over_when_its_hours_are_or_its_vehicle_is_gone(place: Place) -> None:
    async with driving(place) as car:
        wish = await ordered(place, car)
        desk = place.platform.attachments
        assert desk.ordered(wish.number) is not None
        place.platform.configure([ApplySignal(1, US, (), (), terminals=(JtTerminal("dv_2", PHONE),))])
        assert desk.ordered(wish.number) is None, "the number is another vehicle's now"
        place.platform.configure([ApplySignal(1, US, (), (), terminals=(TERMINAL,))])
        row = desk.row(wish.number)
        assert row is not None
        desk._rows[wish.number] = replace(row, until=1)
        assert await said(wish.tcp_port, list_of(wish)) == Result.FAILED
        desk.tick()
        assert desk.row(wish.number) is None
        assert not desk._open


async def test_one_address_has_so_many_connections_and_one_order_one(tmp_path: Path, keeper: Keeper) -> None:
    place = await open_place(tmp_path, keeper, gate=Limits(per_address=2, altogether=5, per_second=1000))
    port = place.platform.attachments.port
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    await place.until(lambda: len(place.hall._tasks) == 2)
    reader, third = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    third.close()
    held[0][1].close()
    await place.until(lambda: len(place.hall._tasks) == 1)
    async with driving(place) as car:
        wish = await ordered(place, car)
        frame = Line(Version.V2019, PHONE).write(list_of(wish))[0]
        held[1][1].write(frame)
        await place.until(lambda: wish.number in place.hall._visits)
        assert await held[1][0].read(1)
        again, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(frame)
        assert await again.read(1)
        with contextlib.suppress(ConnectionError):
            while await held[1][0].read(65_536):
                pass
        assert len(place.hall._visits) == 1, "the line of before is cut"
        writer.close()
        held[1][1].close()
    await place.close()


async def test_there_is_so_much_room_on_the_way(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safecity.drivers.jt808.spool.MAX_SPOOLED", 10)
    async with driving(place) as car:
        wish = await ordered(place, car)
        with contextlib.suppress(ConnectionError):
            assert await said(wish.tcp_port, list_of(wish, files=(Attachment(name="a", size=11),))) == -1
        await place.until(lambda: place.platform.tally.counts[attachments.NO_ROOM])
        await place.until(lambda: not place.hall._tasks)
        assert place.hall.spool.reserved == 0


async def test_what_nobody_waits_for_is_not_read(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.begin()
    file = await spool.open()
    await spool.write(file, 2, b"abc")
    assert (await spool.read(ReadAttachment(file.name, 1))).data == b"\0abc"
    for name, offset in (("../signal.db", 0), (file.name, -1), ("", 0)):
        with pytest.raises(NotFoundError):
            await spool.read(ReadAttachment(name, offset))
    spool.close(file)
    with pytest.raises(NotFoundError):
        await spool.read(ReadAttachment(file.name, 0))
    with pytest.raises(UnavailableError):
        await spool.write(file, 0, b"late")
    assert list((tmp_path / "spool").iterdir()) == []


# --- what is ordered --------------------------------------------------------------------------------------------


async def test_nothing_is_ordered_where_there_is_nothing_or_nobody_listens(place: Place) -> None:
    async with driving(place) as car:
        car.alarm([])
        await place.until(lambda: alarms(place))
        assert not place.platform.attachments._rows
        place.platform.attachments.port = 0
        car.alarm(FILES)
        await place.until(lambda: len(alarms(place)) == 2)
        assert not place.platform.attachments._rows


async def test_a_terminal_that_never_connects_is_told_of_and_asked_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "AGAIN_SECONDS", (0.0,))
    async with driving(place) as car:
        wish = await ordered(place, car)
        desk = place.platform.attachments
        await place.until(lambda: wish.number in desk._due)
        desk.tick()
        vehicle = place.platform.vehicle("dv_1")
        assert vehicle is not None
        assert vehicle.figure(SystemClock().monotonic()).code_of_refusal == attachments.NO_CONNECTION
        await place.until(lambda: (row := desk.row(wish.number)) and row.asked == 2)


async def test_a_terminal_has_so_many_orders_open(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MAX_OF_ONE", 1)
    async with driving(place) as car:
        await ordered(place, car)
        car.alarm(FILES)
        await place.until(lambda: len(alarms(place)) == 2)
        assert len(place.platform.attachments._rows) == 1
        assert place.platform.tally.counts[attachments.NO_ROOM] == 1
