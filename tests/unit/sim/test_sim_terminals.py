"""Simulated terminals: they drive as vehicles do, obey, and lose no position in a tunnel."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise

import pytest
from typer.testing import CliRunner

from safecity.cli.main import app
from safecity.kit.clock import FakeClock, SystemClock
from safecity.model.values.media import Unit
from safecity.protocols.gat1400.pictures import sniff
from safecity.protocols.jt808 import commands, fences
from safecity.protocols.jt808.alarms import Alarm, Status, has
from safecity.protocols.jt808.checks import CUT_ITEMS, NO_FIX, NO_TIME, NULL_ISLAND, judge
from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.items import read_items
from safecity.protocols.jt808.messages import Raw
from safecity.protocols.jt808.outputs import Answered
from safecity.protocols.jt808.positions import AskLocation, ConfirmAlarm, Location, LocationAnswer
from safecity.protocols.jt808.records import MediaData, PictureAnswer, TakePicture
from safecity.protocols.jt808.registrar import Terminal
from safecity.protocols.jt808.registration import RegisterResult, Result
from safecity.protocols.jt808.terminal import Commanded, Identity
from safecity.protocols.jt808.video import AskVideoProperties, LiveCommand, LiveControl, StartLive, VideoProperties
from safecity.protocols.jt1078.frames import MediaStream
from safecity.protocols.jt1078.packets import MediaPacket, MediaReader, read_datagram
from safecity.sim.jt808.drive import BRAKING, METRES_PER_DEGREE, Drive, Plan
from safecity.sim.jt808.load import Fleet, TerminalLoad, phone_of, walk
from safecity.sim.jt808.miniplatform import MiniPlatform
from safecity.sim.jt808.terminal import SimTerminal, TerminalSpec
from safecity.sim.jt808.vehicle import PROFILES, Vehicle

STREET = [(31.860, 117.280), (31.868, 117.280), (31.868, 117.290)]
PHONE = "13912345678"


@pytest.fixture
async def platform() -> AsyncIterator[MiniPlatform]:
    mini = MiniPlatform()
    mini.known[PHONE] = Terminal(phone=PHONE)
    await mini.start()
    yield mini
    await mini.stop()


def terminal(platform: MiniPlatform, version: Version = Version.V2019, **more: float) -> SimTerminal:
    identity = Identity(phone=PHONE, version=version, plate="皖A12345", imei="867530902150717")
    spec = TerminalSpec(
        identity=identity, host="127.0.0.1", port=platform.port, retry_seconds=0.01,
        report_seconds=more.get("report_seconds", 0.01),
    )  # fmt: skip
    return SimTerminal(spec, Drive(Plan(STREET)))


# --- driving ----------------------------------------------------------------------------------------------------


def test_a_vehicle_stays_on_its_line_and_drives_as_one_can() -> None:
    drive = Drive(Plan(STREET, cruise=15.0))
    places = [drive.place(second / 2) for second in range(round(drive.lap_seconds * 2))]
    for one in places:
        assert one.longitude == pytest.approx(117.280, abs=1e-9) or one.latitude == pytest.approx(31.868, abs=1e-9)
        assert 0 < one.speed <= 15.0
    for one, later in pairwise(places):
        moved = abs(later.latitude - one.latitude) * METRES_PER_DEGREE + abs(later.longitude - one.longitude) * 94_500
        assert moved <= 15.0 / 2 + 0.1
        assert later.speed - one.speed <= BRAKING * 0.5 + 1e-6
    assert {round(one.direction) for one in places} == {0, 90, 180, 270}


def test_it_slows_down_for_a_corner_and_turns_round_at_the_end() -> None:
    drive = Drive(Plan(STREET, cruise=15.0))
    fast = max(drive.place(second).speed for second in range(round(drive.lap_seconds)))
    corner = min(
        range(round(drive.lap_seconds)), key=lambda second: abs(drive.metres(second) - 0.008 * METRES_PER_DEGREE)
    )
    assert drive.place(corner).speed < 7 < 14 < fast
    assert drive.metres(drive.lap_seconds * 2.5) == pytest.approx(
        2 * drive.length_metres + drive.metres(drive.lap_seconds / 2)
    )
    start, home = drive.place(0), drive.place(drive.lap_seconds - 0.01)
    assert (home.latitude, home.longitude) == pytest.approx((start.latitude, start.longitude), abs=1e-4)


def test_a_line_without_length_is_refused() -> None:
    with pytest.raises(ValueError):
        Drive(Plan([(31.0, 117.0), (31.0, 117.0)]))


def test_walks_keep_to_the_town_and_differ() -> None:
    first, second = walk(1), walk(2)
    assert first == walk(1) != second
    for one, later in pairwise(first):
        assert (one[0] == later[0]) != (one[1] == later[1])


# --- what it says and does --------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", list(Version))
def test_a_report_of_each_version_can_be_believed(version: Version) -> None:
    vehicle = Vehicle(Identity(phone=PHONE, version=version), PROFILES[version])
    clock = FakeClock()
    drive = Drive(Plan(STREET))
    location = vehicle.location(drive.place(30.0), clock.now_us(), drive.metres(30.0))
    judged = judge(location, clock.now_us())
    assert judged.moves
    assert judged.reasons == ((CUT_ITEMS,) if version is Version.V2013 else ())
    details = read_items(location)
    assert details.values["satellites"] == 14
    assert len(details.unread) == (version is Version.V2013)
    assert details.values["mileage_tenths_km"] == round(drive.metres(30.0) / 100)


def test_what_goes_wrong_in_a_vehicle() -> None:
    vehicle = Vehicle(Identity(phone=PHONE), PROFILES[Version.V2019])
    place, now = Drive(Plan(STREET)).place(30.0), FakeClock().now_us()
    vehicle.fixed = False
    assert judge(vehicle.location(place, now, 0), now).reasons == (NO_FIX, NULL_ISLAND)
    vehicle.fixed, vehicle.clock_is_lost = True, True
    assert judge(vehicle.location(place, now, 0), now).reasons == (NO_TIME,)
    slow = commands.SetParameters(parameters=(commands.number_parameter(commands.SPEED_LIMIT, 10),))
    assert vehicle.obey(Commanded(1, slow), vehicle.location(place, now, 0)) == (Result.OK, [])
    assert has(vehicle.location(place, now, 0).alarm, Alarm.OVER_SPEED)


def test_fences_are_kept_until_they_are_deleted() -> None:
    vehicle = Vehicle(Identity(phone=PHONE), PROFILES[Version.V2019])
    here = vehicle.location(Drive(Plan(STREET)).place(0.0), 0, 0)
    circle = fences.Circle(id=1, properties=0, latitude_micro=1, longitude_micro=1, radius_metres=9)
    other = fences.Circle(id=2, properties=0, latitude_micro=1, longitude_micro=1, radius_metres=9)
    route = fences.SetRoute(id=1, properties=0)
    for body in (
        fences.SetCircles(setting=fences.Setting.ADD, circles=(circle,)),
        fences.SetCircles(setting=fences.Setting.ADD, circles=(other,)),
        route,
        fences.DeleteCircles(ids=(1,)),
    ):
        assert vehicle.obey(Commanded(1, body), here) == (Result.OK, [])
    assert vehicle.fences == {(0x8600, 2): other, (0x8606, 1): route}
    vehicle.obey(Commanded(1, fences.SetCircles(setting=fences.Setting.REPLACE, circles=(circle,))), here)
    vehicle.obey(Commanded(1, fences.DeleteRoutes()), here)
    assert vehicle.fences == {(0x8600, 1): circle}


# --- on the network ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", list(Version))
async def test_a_terminal_comes_in_and_drives(platform: MiniPlatform, version: Version) -> None:
    one = terminal(platform, version)
    one.start()
    await platform.until(lambda: len(platform.reported) >= 5)
    assert platform.known[PHONE].version is version
    assert len({(each.location.latitude, each.location.longitude) for each in platform.reported}) > 1
    await one.stop()
    await platform.until(lambda: PHONE not in platform.here)


async def test_positions_of_a_tunnel_are_caught_up(platform: MiniPlatform) -> None:
    clock = FakeClock()
    one = SimTerminal(terminal(platform, report_seconds=3600).spec, Drive(Plan(STREET)), clock)
    one.start()
    await one.online.wait()
    one.go_blind()
    await platform.until(lambda: PHONE not in platform.here)
    made: list[Location] = []
    for _ in range(60):
        clock.advance(1.0)
        made.append(one.report_now())
    assert one.session.waiting >= 60
    one.come_back()
    await platform.until(lambda: any(each.location == made[-1] for each in platform.reported))
    caught = [each.location for each in platform.reported if each.in_batch]
    assert caught[-60:] == made
    assert one.connections == 2
    await one.stop()


async def test_an_unknown_terminal_tries_until_it_is_admitted(platform: MiniPlatform) -> None:
    del platform.known[PHONE]
    one = terminal(platform)
    one.start()
    await platform.until(lambda: len(platform.refused) >= 2)
    assert one.refused == f"registration refused: {int(RegisterResult.NO_SUCH_TERMINAL)}"
    assert platform.refused[0].register == one.spec.identity.register()
    platform.known[PHONE] = Terminal(phone=PHONE)
    await one.online.wait()
    assert one.refused == ""
    await one.stop()


async def test_it_obeys(platform: MiniPlatform) -> None:
    one = terminal(platform, report_seconds=3600)
    one.start()
    await one.online.wait()
    one.vehicle.press(Alarm.SOS)
    asked = [
        platform.send(PHONE, commands.TextMessage(flag=1, text="前方拥堵")),
        platform.send(PHONE, commands.lock_doors(False, Version.V2019)),
        platform.send(PHONE, commands.AskParameters(ids=(commands.PLATE,))),
        platform.send(PHONE, AskLocation()),
        platform.send(PHONE, ConfirmAlarm(serial=0, alarms=1 << Alarm.SOS)),
        platform.send(PHONE, Raw(0x8FFF, b"")),
    ]
    await platform.until(lambda: len(platform.answered) == len(asked))
    found = {each.serial: each for each in platform.answered}
    assert [type(found[serial]) for serial in asked] == [Answered] * 6
    text, doors, parameters, position, alarm, unknown = (found[serial] for serial in asked)
    assert [one.result for one in (text, alarm, unknown) if isinstance(one, Answered)] == [
        Result.OK, Result.OK, Result.UNSUPPORTED,
    ]  # fmt: skip
    assert one.vehicle.texts == ["前方拥堵"]
    assert isinstance(doors, Answered)
    assert isinstance(doors.body, commands.VehicleControlAnswer)
    assert not has(doors.body.location.status, Status.DOORS_LOCKED)
    assert isinstance(parameters, Answered)
    assert isinstance(parameters.body, commands.ParametersAnswer)
    assert parameters.body.parameters[0].text == "皖A12345"
    assert isinstance(position, Answered)
    assert isinstance(position.body, LocationAnswer)
    assert has(position.body.location.alarm, Alarm.SOS)
    assert one.vehicle.pressed == 0
    await one.stop()


async def test_its_interval_can_be_changed(platform: MiniPlatform) -> None:
    one = terminal(platform, report_seconds=0.01)
    one.start()
    await one.online.wait()
    faster = commands.SetParameters(parameters=(commands.number_parameter(commands.REPORT_SECONDS, 3600),))
    platform.send(PHONE, faster)
    await platform.until(lambda: len(platform.answered) == 1)
    assert one.vehicle.number(commands.REPORT_SECONDS) == 3600
    await one.stop()


async def test_a_fleet_reports_and_nothing_is_lost() -> None:
    platform = MiniPlatform(admit_all=True)
    await platform.start()
    fleet = Fleet(TerminalLoad(host="127.0.0.1", port=platform.port, count=30, report_seconds=0.05, drives=3))
    await fleet.start()
    await platform.until(lambda: len({each.phone for each in platform.reported}) == 30)
    await platform.until(lambda: fleet.figures()["acknowledged"] >= 60)
    figures = fleet.figures()
    assert (figures["terminals"], figures["online"], figures["refused"]) == (30, 30, 0)
    assert figures["reports"] == figures["acknowledged"] + figures["waiting"]
    assert {platform.known[phone_of(number)].version for number in range(30)} == set(Version)
    await fleet.stop()
    await platform.stop()


def test_the_command_says_how_it_went() -> None:
    """Nobody listens there: the reports wait."""
    result = CliRunner().invoke(
        app, ["sim", "terminals", "--platform", "127.0.0.1:9", "--count", "3", "--seconds", "0.1", "--interval", "0.1"]
    )
    assert result.exit_code == 0, result.output
    figures = json.loads(result.output)
    assert (figures["terminals"], figures["online"], figures["acknowledged"]) == (3, 0, 0)
    assert figures["waiting"] == figures["reports"] >= 3


# --- cameras ----------------------------------------------------------------------------------------------------


class Receiver:
    """Where a terminal is told to send its pictures."""

    def __init__(self) -> None:
        self.packets: list[MediaPacket] = []
        self.resyncs = 0
        self.hung_up = asyncio.Event()
        self.port = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Receiver:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        media = MediaReader()
        while data := await reader.read(65_536):
            self.packets += media.feed(data)
            self.resyncs = media.resyncs
        writer.close()
        self.hung_up.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(60):
            while len(self.packets) < count:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("version", [Version.V2013, Version.V2019])
async def test_its_cameras_are_told_shown_and_stopped(version: Version) -> None:
    mini = MiniPlatform(admit_all=True)
    await mini.start()
    fleet = Fleet(TerminalLoad(host="127.0.0.1", port=mini.port, count=1, version=version, cameras=2))
    await fleet.start()
    (bus,) = fleet.terminals
    phone = phone_of(0)
    try:
        async with Receiver() as receiver:
            await bus.online.wait()
            mini.send(phone, AskVideoProperties())
            await mini.until(lambda: bool(mini.answered))
            (answered,) = mini.answered
            assert isinstance(answered, Answered)
            assert isinstance(answered.body, VideoProperties)
            assert answered.body.video_channels == 2
            wish = StartLive(
                host="127.0.0.1", tcp_port=receiver.port, udp_port=0, channel=2, medium=0, stream=0
            )  # fmt: skip
            mini.send(phone, wish)
            await receiver.until(100)
            assert {(one.phone, one.channel) for one in receiver.packets} == {(phone, 2)}
            assert {one.long_phone for one in receiver.packets} == {version is Version.V2019}
            units: list[Unit] = []
            stream = MediaStream(units.append)
            for number, packet in enumerate(receiver.packets):
                stream.add(packet, number * 10_000)
            assert units[0].is_key
            assert not any(one.damaged for one in units)
            assert (stream.frames.lost, receiver.resyncs) == (0, 0)
            mini.send(phone, LiveControl(channel=2, command=LiveCommand.CLOSE))
            async with asyncio.timeout(30):
                await receiver.hung_up.wait()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
                datagrams.bind(("127.0.0.1", 0))
                datagrams.setblocking(False)
                mini.send(phone, replace(wish, tcp_port=0, udp_port=datagrams.getsockname()[1]))
                for _ in range(5):
                    async with asyncio.timeout(60):
                        data = await asyncio.get_running_loop().sock_recv(datagrams, 2000)
                    packet = read_datagram(data)
                    assert packet is not None
                    assert (packet.phone, packet.channel) == (phone, 2)
                mini.send(phone, LiveControl(channel=2, command=LiveCommand.CLOSE))
                await mini.until(lambda: len(mini.answered) == 5)
            mini.send(phone, replace(wish, channel=7))
            await mini.until(lambda: len(mini.answered) == 6)
            assert [one.result for one in mini.answered if isinstance(one, Answered)][-1] == Result.FAILED
    finally:
        await fleet.stop()
        await mini.stop()


async def test_it_takes_a_picture_when_asked_and_with_an_alarm_and_sends_it_until_it_is_kept() -> None:
    mini = MiniPlatform(admit_all=True)
    await mini.start()
    load = TerminalLoad(
        host="127.0.0.1", port=mini.port, count=1, cameras=2, version=Version.V2019, report_seconds=0.05
    )
    fleet = Fleet(load)
    await fleet.start()
    (bus,) = fleet.terminals
    try:
        await bus.online.wait()
        mini.send(phone_of(0), TakePicture(channel=2, command=1))
        await mini.until(lambda: len(pictures(mini)) == 1 and bus.session.whole == 1)
        (answered,) = mini.answered
        assert isinstance(answered, Answered)
        assert answered.body == PictureAnswer(serial=answered.serial, result=0, media_ids=(1,))
        (ordered,) = pictures(mini)
        assert (ordered.channel, ordered.event, sniff(ordered.data)) == (2, 0, ("jpeg", 640, 360))
        assert ordered.location is not None
        assert judge(ordered.location, SystemClock().now_us()).moves
        mini.send(phone_of(0), TakePicture(channel=7, command=1))
        await mini.until(lambda: len(mini.answered) == 2)
        assert isinstance(mini.answered[1], Answered)
        assert isinstance(mini.answered[1].body, PictureAnswer)
        assert mini.answered[1].body.result == 2
        mini.answers = False  # our answers get lost
        bus.vehicle.press(Alarm.SOS)
        bus.report_now()
        bus.report_now()  # a level, not another event
        await mini.until(lambda: len(pictures(mini)) == 2)
        mini.answers = True
        mini.cut(phone_of(0))
        await mini.until(lambda: len(pictures(mini)) == 3 and bus.session.whole == 2)
        _, first, again = pictures(mini)
        assert first == again
        assert (first.channel, first.event, sniff(first.data)) == (1, 2, ("jpeg", 640, 360))
    finally:
        await fleet.stop()
        await mini.stop()


def pictures(mini: MiniPlatform) -> list[MediaData]:
    """Whatever came, what was sent again too."""
    return [one.body for one in mini.messages if isinstance(one.body, MediaData)]
