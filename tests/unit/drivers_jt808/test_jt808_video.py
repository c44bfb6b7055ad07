"""Pictures of vehicles at signalling: which cameras a terminal has, and when it is told to send and to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.drivers_jt808.scene import PHONE, TERMINAL, US, Scene, Vehicle, open_scene

from safecity.drivers.jt808.playing import control_of, tidy
from safecity.drivers.jt808.video import TerminalVideo
from safecity.drivers.progress import Progress
from safecity.kit.clock import SECOND_US, FakeClock
from safecity.kit.errors import ConflictError, InvalidError, SafecityError, UnavailableError
from safecity.model.facts.media_calls import (
    CloseStream,
    ConfirmStream,
    Done,
    Message,
    Prepared,
    PrepareStream,
    StreamState,
)
from safecity.model.facts.signal_calls import (
    ApplySignal,
    AskDevicePlayback,
    AskRecordings,
    JtChannel,
    JtTerminal,
    StartDevicePlayback,
    Steer,
    SteerDevicePlayback,
)
from safecity.model.values.media import Quality, StreamKey
from safecity.protocols.jt808.channels import CHANNEL_LIST, ChannelUse, ListedChannel, write_channel_list
from safecity.protocols.jt808.checks import time_text
from safecity.protocols.jt808.commands import AskParameters, Parameter, ParametersAnswer
from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.messages import AnyBody
from safecity.protocols.jt808.registration import PlatformAnswer, Result, TerminalAnswer
from safecity.protocols.jt808.video import (
    AskResources,
    AskVideoProperties,
    Focus,
    Infrared,
    Iris,
    LiveControl,
    PlaybackControl,
    Resource,
    Resources,
    StartLive,
    StartPlayback,
    Turn,
    VideoProperties,
    Wiper,
    Zoom,
)

CHANNELS = (JtChannel("ch_1", "dv_1", 1, "media-0"), JtChannel("ch_2", "dv_1", 2, "media-0"))
MAIN, SUB = StreamKey("ch_1", Quality.MAIN), StreamKey("ch_1", Quality.SUB)


class Slots:
    """The media slots: what they were told. `down`: they do not answer."""

    def __init__(self) -> None:
        self.told: list[Message] = []
        self.down = False

    async def call(self, address: str, message: Message, *, timeout: float) -> Message:
        if self.down:
            raise UnavailableError("away", code="duty_down")
        self.told.append(message)
        return Prepared(10_000 + len(self.of(PrepareStream))) if isinstance(message, PrepareStream) else Done()

    def of(self, kind: type[Message]) -> list[Any]:
        return [one for one in self.told if isinstance(one, kind)]


class Depot:
    """A platform that looks after pictures; its clock is turned by hand."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.slots = Slots()
        self.video = TerminalVideo(scene.platform, self.slots, scene.clock)  # type: ignore[arg-type]
        self.live = self.video.live
        self.configure(CHANNELS)

    def configure(self, channels: tuple[JtChannel, ...], terminal: JtTerminal = TERMINAL) -> None:
        parts = [ApplySignal(2, US, (), (), terminals=(terminal,), terminal_channels=channels)]
        self.scene.platform.configure(parts)
        self.video.configure(parts)

    def says(self, state: str, *, wanted: bool = True, key: StreamKey = MAIN, step: str = "") -> None:
        self.video.slot_says("media-0", StreamState(*key, state, wanted, step))

    async def settle(self) -> None:
        for _ in range(30):
            await asyncio.sleep(0)

    async def turn(self, seconds: float = 0.0) -> None:
        self.scene.clock.advance(seconds)
        self.live.tick()
        self.video.playback.tick()
        await self.settle()

    async def heard(self, vehicle: Vehicle) -> list[AnyBody]:
        """What the terminal was told, answers of the platform aside."""
        await self.settle()
        self.scene.platform.store.flush()
        return [one for one in vehicle.heard() if not isinstance(one, PlatformAnswer)]

    async def answer(self, vehicle: Vehicle, kind: type[Any], result: Result = Result.OK) -> Any:
        """The terminal answers the one thing that it was told."""
        (told,) = await self.heard(vehicle)
        assert isinstance(told, kind)
        serial = max(vehicle.link.session._waiting)
        vehicle.say(TerminalAnswer(serial=serial, answered=told.ID, result=result))
        await self.settle()
        return told

    async def bus(self, version: Version = Version.V2019) -> Vehicle:
        """A terminal that has come in, and has said that it knows nothing of its cameras."""
        vehicle = Vehicle(self.scene, version=version)
        vehicle.come_in()
        await self.answer(vehicle, AskVideoProperties, Result.UNSUPPORTED)
        return vehicle

    async def running(self) -> Vehicle:
        """The main stream of the first camera runs, and is wanted."""
        vehicle = await self.bus()
        self.says("idle")
        await self.turn()
        await self.answer(vehicle, StartLive)
        self.says("running")
        await self.turn()
        return vehicle


@pytest.fixture
async def depot(tmp_path: Path) -> AsyncIterator[Depot]:
    scene = await open_scene(tmp_path, FakeClock())
    made = Depot(scene)
    yield made
    await made.video.close()
    await scene.platform.close()
    scene.file.close()


# --- which cameras there are ------------------------------------------------------------------------------------

PROPERTIES = VideoProperties(
    audio_codec=6, audio_tracks=1, sampling=0, bits=1, frame_bytes=320, audio_output=0, video_codec=98,
    audio_channels=1, video_channels=4,
)  # fmt: skip


async def test_a_terminal_is_asked_for_its_cameras_and_they_are_told_by_their_place_in_the_vehicle(
    depot: Depot,
) -> None:
    vehicle = Vehicle(depot.scene)
    vehicle.come_in()
    assert await depot.heard(vehicle) == [AskVideoProperties()]
    vehicle.say(PROPERTIES)
    assert await depot.heard(vehicle) == [AskParameters(ids=(CHANNEL_LIST,))]
    listed = write_channel_list(
        [
            ListedChannel(1, 2, ChannelUse.BOTH, False),
            ListedChannel(2, 33, ChannelUse.SOUND, False),
            ListedChannel(3, 1, ChannelUse.VIDEO, True),
        ]
    )
    (serial,) = vehicle.link.session._waiting
    vehicle.say(ParametersAnswer(serial=serial, parameters=(Parameter(id=CHANNEL_LIST, value=listed + b"\7"),)))
    await depot.settle()
    (event,) = depot.scene.events("catalog.received")
    assert [(one["code"], one["name"]) for one in event.body["items"]] == [
        ("1", "皖A12345 驾驶员"),
        ("2", "皖A12345 车辆正前方"),
    ]
    assert not event.body["complete"], "what it leaves out is not taken away"


async def test_of_one_that_does_not_say_which_the_first_numbers_are_taken_and_nothing_is_said_twice(
    depot: Depot,
) -> None:
    for _ in range(2):
        vehicle = Vehicle(depot.scene)
        vehicle.come_in()
        assert await depot.heard(vehicle) == [AskVideoProperties()]
        vehicle.say(PROPERTIES)
        await depot.answer(vehicle, AskParameters, Result.UNSUPPORTED)
        vehicle.link.connection_lost(None)
    (event,) = depot.scene.events("catalog.received")
    assert [one["code"] for one in event.body["items"]] == ["1", "2", "3", "4"]


async def test_a_terminal_without_cameras_is_no_camera(depot: Depot) -> None:
    await depot.bus()
    assert depot.scene.events("catalog.received") == []


# --- live -------------------------------------------------------------------------------------------------------


async def test_what_is_wanted_is_asked_for_where_the_vehicle_can_reach_us(depot: Depot) -> None:
    vehicle = await depot.bus()
    depot.says("idle")
    await depot.turn()
    assert await depot.answer(vehicle, StartLive) == StartLive(
        host="10.0.0.1", tcp_port=10_001, udp_port=0, channel=1, medium=0, stream=0
    )
    (wish,) = depot.slots.of(PrepareStream)
    assert (wish.transport, wish.terminal, wish.number, wish.remote_host) == ("jt1078", PHONE, 1, "10.1.1.1")
    assert [(one.channel, one.quality) for one in depot.slots.of(ConfirmStream)] == [MAIN]
    depot.says("running")
    await depot.turn(300)
    assert await depot.heard(vehicle) == [], "it runs: nothing is asked"


@pytest.mark.parametrize(
    ("setting", "public", "told"),
    [
        ("vehicles.example.org", "10.0.0.1", "vehicles.example.org"),
        ("", "10.0.0.1", "10.0.0.1"),
        ("", "", "192.0.2.7"),
    ],
)
async def test_a_terminal_is_told_the_address_that_it_reaches(
    depot: Depot, setting: str, public: str, told: str
) -> None:
    """The one that was set for vehicles, else the platform's own, else the one that its connection came to."""
    await depot.video.close()
    depot.video = TerminalVideo(depot.scene.platform, depot.slots, depot.scene.clock, media_host=setting)  # type: ignore[arg-type]
    identity = replace(US, public_host=public)
    depot.video.configure([ApplySignal(3, identity, (), (), terminals=(TERMINAL,), terminal_channels=CHANNELS)])
    vehicle = await depot.bus()
    vehicle.link.local_host = "192.0.2.7"
    waiting = asyncio.ensure_future(depot.video.live.open_now(MAIN))
    assert (await depot.answer(vehicle, StartLive)).host == told
    await waiting


@pytest.mark.parametrize(("named", "packs"), [((), False), ((PHONE,), True), (("13800000001",), False), (("*",), True)])
async def test_the_slot_is_told_of_terminals_that_pack_their_sound_the_other_way_round(
    depot: Depot, named: tuple[str, ...], packs: bool
) -> None:
    await depot.video.close()
    depot.video = TerminalVideo(depot.scene.platform, depot.slots, depot.scene.clock, aal2=frozenset(named))  # type: ignore[arg-type]
    depot.configure(CHANNELS)
    vehicle = await depot.bus()
    waiting = asyncio.ensure_future(depot.video.live.open_now(MAIN))
    await depot.answer(vehicle, StartLive)
    await waiting
    assert [one.aal2 for one in depot.slots.of(PrepareStream)] == [packs]


async def test_one_that_is_to_send_datagrams_is_told_a_port_of_udp_live_and_of_its_own_recordings(
    depot: Depot,
) -> None:
    depot.configure(CHANNELS, replace(TERMINAL, transport="udp"))
    vehicle = await depot.bus()
    depot.says("idle")
    await depot.turn()
    live = await depot.answer(vehicle, StartLive)
    assert (live.tcp_port, live.udp_port) == (0, 10_001)
    depot.says("running")
    wish = StartDevicePlayback("pb_1", "ch_2", START, START + 60 * SECOND_US)
    starting = asyncio.ensure_future(depot.video.playback.start(wish))
    played = await depot.answer(vehicle, StartPlayback)
    await starting
    assert (played.tcp_port, played.udp_port) == (0, 10_002)
    assert [one.transport for one in depot.slots.of(PrepareStream)] == ["jt1078_udp", "jt1078_udp"]
    key = StreamKey("pb_1", Quality.MAIN)
    depot.says("running", key=key)
    pausing = asyncio.ensure_future(depot.video.playback.steer(SteerDevicePlayback("pb_1", "pause")))
    await depot.answer(vehicle, PlaybackControl)
    await pausing
    depot.says("lost", key=key, step="jt_packets_stopped")
    await depot.settle()
    assert depot.slots.of(CloseStream) == [], "nothing comes while it is held"
    resuming = asyncio.ensure_future(depot.video.playback.steer(SteerDevicePlayback("pb_1", "resume")))
    await depot.answer(vehicle, PlaybackControl)
    await resuming
    depot.says("running", key=key)
    await depot.turn(59)
    depot.says("lost", key=key, step="jt_packets_stopped")
    await depot.settle()
    assert depot.slots.of(CloseStream)[-1].reason == "end", "nobody hangs up: it was played to its end"


async def test_it_is_stopped_when_nobody_has_wanted_it_for_a_while(depot: Depot) -> None:
    vehicle = await depot.running()
    depot.says("running", wanted=False)
    await depot.turn(10)
    assert await depot.heard(vehicle) == [], "somebody may come back"
    await depot.turn(6)
    stop = await depot.answer(vehicle, LiveControl)
    assert (stop.channel, stop.command, stop.close_kind) == (1, 0, 0)
    assert [one.reason for one in depot.slots.of(CloseStream)] == ["not_wanted"]


async def test_the_sub_stream_ends_without_the_main_stream(depot: Depot) -> None:
    """The order to stop names the camera alone: it would end both."""
    vehicle = await depot.running()
    depot.says("idle", key=SUB)
    await depot.turn()
    assert (await depot.answer(vehicle, StartLive)).stream == 1
    depot.says("running", key=SUB)
    depot.says("running", wanted=False, key=SUB)
    await depot.turn(20)
    assert await depot.heard(vehicle) == []
    assert [(one.channel, one.quality) for one in depot.slots.of(CloseStream)] == [SUB]


@pytest.mark.parametrize(
    ("result", "code"), [(Result.FAILED, "terminal_failed"), (Result.UNSUPPORTED, "terminal_unsupported")]
)
async def test_a_refusal_is_told_to_who_waits_and_tried_again_later_and_later(
    depot: Depot, result: Result, code: str
) -> None:
    vehicle = await depot.bus()
    waiting = asyncio.ensure_future(depot.live.open_now(MAIN))
    await depot.answer(vehicle, StartLive, result)
    with pytest.raises(UnavailableError) as caught:
        await waiting
    assert caught.value.code == code
    assert [one.reason for one in depot.slots.of(CloseStream)] == [code]
    (event,) = depot.scene.events("stream.open_failed")
    assert (event.subject, event.body["step"]) == ("ch_1", code)
    asked = 0
    for _ in range(60):
        await depot.turn(1)
        if await depot.heard(vehicle):
            asked += 1
            serial = max(vehicle.link.session._waiting)
            vehicle.say(TerminalAnswer(serial=serial, answered=StartLive.ID, result=result))
    assert 3 <= asked <= 7
    assert len(depot.scene.events("stream.open_failed")) == 1, "the same step is no news"


async def test_of_a_vehicle_that_is_away_that_is_said_and_it_is_asked_when_it_comes(depot: Depot) -> None:
    with pytest.raises(UnavailableError) as caught:
        await depot.live.open_now(MAIN)
    assert caught.value.code == "device_offline"
    depot.says("idle")
    vehicle = await depot.bus()
    await depot.turn(1.1)
    await depot.answer(vehicle, StartLive)


async def test_a_stream_that_was_lost_is_stopped_and_asked_for_again(depot: Depot) -> None:
    vehicle = await depot.running()
    depot.says("lost", step="jt_packets_stopped")
    await depot.answer(vehicle, LiveControl)
    assert [one.reason for one in depot.slots.of(CloseStream)] == ["jt_packets_stopped"]
    await depot.turn(1.1)
    await depot.answer(vehicle, StartLive)
    depot.says("running")
    depot.says("lost", step="jt_connection_closed")
    await depot.settle()
    await depot.turn(1.1)
    assert (await depot.answer(vehicle, StartLive)).channel == 1, "what hung up need not be stopped"


async def test_after_a_slot_was_killed_the_terminal_sends_anew(depot: Depot) -> None:
    vehicle = await depot.running()
    depot.live.slot_came_back("media-0")
    depot.says("lost", step="slot_restarted")
    await depot.turn(1.1)
    await depot.answer(vehicle, StartLive)


async def test_a_slot_that_was_only_out_of_reach_goes_on(depot: Depot) -> None:
    vehicle = await depot.running()
    depot.live.slot_came_back("media-0")
    depot.says("running")
    await depot.turn(30)
    assert await depot.heard(vehicle) == []
    depot.says("running", wanted=False)
    await depot.turn(16)
    await depot.answer(vehicle, LiveControl)


async def test_a_slot_may_speak_of_a_camera_before_control_does(depot: Depot) -> None:
    vehicle = await depot.bus()
    new = StreamKey("ch_3", Quality.MAIN)
    depot.says("idle", key=new)
    depot.configure((*CHANNELS, JtChannel("ch_3", "dv_1", 3, "media-0")))
    await depot.turn()
    assert (await depot.answer(vehicle, StartLive)).channel == 3


async def test_a_camera_that_was_taken_away_is_stopped(depot: Depot) -> None:
    vehicle = await depot.running()
    depot.configure((JtChannel("ch_1", "dv_1", 1, "media-1"),))
    await depot.answer(vehicle, LiveControl)
    assert [one.reason for one in depot.slots.of(CloseStream)] == ["reassigned"]


async def test_a_slot_that_is_down_is_said_and_the_terminal_left_alone(depot: Depot) -> None:
    vehicle = await depot.bus()
    depot.slots.down = True
    with pytest.raises(UnavailableError) as caught:
        await depot.live.open_now(MAIN)
    assert caught.value.code == "duty_down"
    assert await depot.heard(vehicle) == []


# --- what the terminal recorded ---------------------------------------------------------------------------------

START = 1_764_000_000 * SECOND_US
WINDOW = StartDevicePlayback("dp_1", "ch_1", START, START + 600 * SECOND_US)


def stretch(minutes: int, **more: Any) -> Resource:
    at = START + minutes * 60 * SECOND_US
    values: dict[str, Any] = {
        "channel": 1, "begins": time_text(at), "ends": time_text(at + 60 * SECOND_US), "alarms": 0, "medium": 0,
        "stream": 1, "storage": 1, "size": 100,
    }  # fmt: skip
    return Resource(**{**values, **more})


async def test_its_list_comes_in_order_each_stretch_once(depot: Depot) -> None:
    vehicle = await depot.bus()
    wish = AskRecordings("ch_1", START, START + 3600 * SECOND_US)
    waiting = asyncio.ensure_future(depot.video.playback.recordings(wish))
    (asked,) = await depot.heard(vehicle)
    assert isinstance(asked, AskResources)
    assert (asked.channel, asked.begins, asked.ends) == (1, time_text(START), time_text(START + 3600 * SECOND_US))
    (serial,) = vehicle.link.session._waiting
    told = (
        stretch(5, alarms=1, size=7), stretch(2, stream=2, size=1), stretch(2), stretch(9, channel=2),
        stretch(8, begins="990231000000"), stretch(-500),
    )  # fmt: skip
    vehicle.say(Resources(serial=serial, resources=told))
    found = await waiting
    assert [(one.start - START, one.kind, one.bytes) for one in found.recordings] == [
        (120 * SECOND_US, "time", 100),
        (300 * SECOND_US, "alarm", 7),
    ]
    assert [one.kind for one in tidy(told, 1, AskRecordings("ch_1", START, START + 3600 * SECOND_US, "alarm"))] == [
        "alarm"
    ]


@pytest.mark.parametrize("by_list", [True, False])
async def test_it_plays_steers_and_ends(depot: Depot, by_list: bool) -> None:
    """Some answer an order to play with their list, as the standard has it, and some with a plain yes."""
    vehicle = await depot.bus()
    waiting = asyncio.ensure_future(depot.video.playback.start(WINDOW))
    (asked,) = await depot.heard(vehicle)
    assert isinstance(asked, StartPlayback)
    assert (asked.begins, asked.ends, asked.mode, asked.speed) == (
        time_text(START), time_text(START + 600 * SECOND_US), 0, 0
    )  # fmt: skip
    (serial,) = vehicle.link.session._waiting
    vehicle.say(
        Resources(serial=serial, resources=(stretch(0),))
        if by_list
        else TerminalAnswer(serial=serial, answered=StartPlayback.ID, result=Result.OK)
    )
    await waiting
    key = StreamKey("dp_1", Quality.MAIN)
    depot.says("running", key=key)
    depot.scene.clock.advance(10)
    playback = depot.video.playback
    assert playback.look(AskDevicePlayback("dp_1")).position == START + 10 * SECOND_US
    sought = asyncio.ensure_future(playback.steer(SteerDevicePlayback("dp_1", "seek", 300.0)))
    jump = await depot.answer(vehicle, PlaybackControl)
    await sought
    assert (jump.command, jump.position) == (5, time_text(START + 300 * SECOND_US))
    assert playback.look(AskDevicePlayback("dp_1")).position == START + 300 * SECOND_US
    depot.says("running", key=key, wanted=False)
    await depot.turn(21)
    end = await depot.answer(vehicle, PlaybackControl)
    assert (end.channel, end.command) == (1, 2), "nobody watched it any more"
    assert [one.reason for one in depot.slots.of(CloseStream)] == ["not_wanted"]
    assert not depot.video.knows("dp_1")


@pytest.mark.parametrize(("seconds", "told"), [(595, "end"), (60, "jt_connection_closed")])
async def test_a_terminal_that_hangs_up_is_at_the_end_or_broke_off(depot: Depot, seconds: float, told: str) -> None:
    vehicle = await depot.bus()
    waiting = asyncio.ensure_future(depot.video.playback.start(WINDOW))
    await depot.answer(vehicle, StartPlayback)
    await waiting
    key = StreamKey("dp_1", Quality.MAIN)
    depot.says("running", key=key)
    depot.scene.clock.advance(seconds)
    depot.says("lost", key=key, step="jt_connection_closed")
    await depot.settle()
    assert [one.reason for one in depot.slots.of(CloseStream)] == [told]
    assert await depot.heard(vehicle) == []


async def test_a_camera_plays_to_one_and_a_viewer_who_left_makes_room(depot: Depot) -> None:
    vehicle = await depot.bus()
    waiting = asyncio.ensure_future(depot.video.playback.start(WINDOW))
    await depot.answer(vehicle, StartPlayback)
    await waiting
    key = StreamKey("dp_1", Quality.MAIN)
    depot.says("running", key=key)
    second = StartDevicePlayback("dp_2", "ch_1", START, START + 60 * SECOND_US)
    with pytest.raises(ConflictError) as caught:
        await depot.video.playback.start(second)
    assert caught.value.code == "gb_busy"
    depot.says("running", key=key, wanted=False)
    waiting = asyncio.ensure_future(depot.video.playback.start(second))
    assert (await depot.answer(vehicle, PlaybackControl)).command == 2
    await depot.answer(vehicle, StartPlayback)
    await waiting
    assert depot.video.knows("dp_2")


async def test_a_terminal_plays_as_many_cameras_as_its_line_carries(depot: Depot) -> None:
    vehicle = await depot.bus()
    depot.configure((*CHANNELS, JtChannel("ch_3", "dv_1", 3, "media-0")))
    for number in (1, 2):
        wish = StartDevicePlayback(f"dp_{number}", f"ch_{number}", START, START + 60 * SECOND_US)
        waiting = asyncio.ensure_future(depot.video.playback.start(wish))
        await depot.answer(vehicle, StartPlayback)
        await waiting
        depot.says("running", key=StreamKey(f"dp_{number}", Quality.MAIN))
    third = StartDevicePlayback("dp_3", "ch_3", START, START + 60 * SECOND_US)
    with pytest.raises(ConflictError) as caught:
        await depot.video.playback.start(third)
    assert (caught.value.code, caught.value.params) == ("gb_busy", {"limit": 2})
    depot.says("running", key=StreamKey("dp_2", Quality.MAIN), wanted=False)
    waiting = asyncio.ensure_future(depot.video.playback.start(third))
    assert (await depot.answer(vehicle, PlaybackControl)).channel == 2, "its viewer has left"
    await depot.answer(vehicle, StartPlayback)
    await waiting
    assert depot.video.knows("dp_1")
    assert not depot.video.knows("dp_2")


@pytest.mark.parametrize(
    ("action", "value", "command", "speed"),
    [("pause", 0, 1, 0), ("resume", 0, 0, 0), ("scale", 1, 0, 0), ("scale", 3, 3, 2), ("scale", 16, 3, 5),
     ("scale", -4, 4, 3)],
)  # fmt: skip
def test_acts_become_the_terminals_own(action: str, value: float, command: int, speed: int) -> None:
    control, _ = control_of(SteerDevicePlayback("dp_1", action, value), 1, Progress(START, START + SECOND_US))
    assert (control.command, control.speed) == (command, speed)


@pytest.mark.parametrize("value", [0.5, 0.0, 17.0])
def test_a_speed_that_terminals_have_not_is_said(value: float) -> None:
    with pytest.raises(InvalidError) as caught:
        control_of(SteerDevicePlayback("dp_1", "scale", value), 1, Progress(START, START + SECOND_US))
    assert caught.value.code == "gb_bad_speed"


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda desk: desk.recordings(AskRecordings("ch_9", 0, 1)), "gb_unknown_channel"),
        (lambda desk: desk.recordings(AskRecordings("ch_1", 5, 5)), "gb_bad_window"),
        (lambda desk: desk.recordings(AskRecordings("ch_1", 0, 5)), "device_offline"),
        (lambda desk: desk.start(StartDevicePlayback("dp_1", "ch_1", 5, 5)), "gb_bad_window"),
        (lambda desk: desk.start(WINDOW), "device_offline"),
        (lambda desk: desk.steer(SteerDevicePlayback("dp_7", "pause")), "gb_no_session"),
    ],
)
async def test_what_cannot_be_is_said(depot: Depot, ask: Callable[[Any], Any], code: str) -> None:
    with pytest.raises(SafecityError) as caught:
        await ask(depot.video.playback)
    assert caught.value.code == code


# --- heads ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "told"),
    [
        ({"action": "move", "pan": -0.5}, [Turn(channel=1, direction=3, speed=128)]),
        ({"action": "move", "pan": 1.0}, [Turn(channel=1, direction=4, speed=255)]),
        ({"action": "move", "tilt": 0.001}, [Turn(channel=1, direction=1, speed=1)]),
        ({"action": "move", "pan": 0.2, "tilt": -0.6}, [Turn(channel=1, direction=2, speed=153)]),
        ({"action": "move", "zoom": 0.4}, [Zoom(channel=1, value=0)]),
        ({"action": "move", "zoom": -0.4}, [Zoom(channel=1, value=1)]),
        ({"action": "move"}, [Turn(channel=1, direction=0, speed=0)]),
        ({"action": "stop"}, [Turn(channel=1, direction=0, speed=0)]),
        ({"action": "focus", "focus": 0.5}, [Focus(channel=1, value=0)]),
        ({"action": "focus", "focus": -0.5}, [Focus(channel=1, value=1)]),
        ({"action": "iris", "iris": 0.5}, [Iris(channel=1, value=0)]),
        ({"action": "lens"}, []),
        ({"action": "aux_on", "number": 1}, [Wiper(channel=1, value=1)]),
        ({"action": "aux_off", "number": 2}, [Infrared(channel=1, value=0)]),
    ],
)
async def test_the_head_of_a_camera_in_a_vehicle_does_what_is_steered(
    depot: Depot, act: dict[str, Any], told: list[Any]
) -> None:
    vehicle = await depot.bus()
    steering = asyncio.ensure_future(depot.video.heads.steer(Steer("ch_1", **act)))
    for one in told:
        assert await depot.answer(vehicle, type(one)) == one
    await depot.settle()
    assert steering.done(), "once the terminal said yes"
    await steering


async def test_what_no_head_of_a_vehicle_can_is_said_and_not_sent(depot: Depot) -> None:
    vehicle = await depot.bus()
    for act in ({"action": "preset_call", "number": 1}, {"action": "aux_on", "number": 3}):
        with pytest.raises(InvalidError) as refused:
            await depot.video.heads.steer(Steer("ch_1", **act))
        assert refused.value.code == "ptz_unknown_action"
    assert await depot.heard(vehicle) == []


async def test_who_steers_hears_that_the_vehicle_is_away_or_cannot(depot: Depot) -> None:
    with pytest.raises(UnavailableError) as away:
        await depot.video.heads.steer(Steer("ch_1", "stop"))
    assert away.value.code == "device_offline"
    vehicle = await depot.bus()
    steering = asyncio.ensure_future(depot.video.heads.steer(Steer("ch_1", "stop")))
    await depot.answer(vehicle, Turn, Result.UNSUPPORTED)
    with pytest.raises(SafecityError) as refused:
        await steering
    assert refused.value.code == "terminal_unsupported"
