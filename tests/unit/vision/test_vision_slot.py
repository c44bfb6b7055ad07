"""A vision slot as control sees it: cameras begin and end, nobody in sight is forgotten, nothing is hidden."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.vision.plate_film import Scripted, read

from safecity.backends.sqlitefile import open_file
from safecity.kit.clock import SECOND_US, FakeClock
from safecity.kit.errors import InvalidError, NotFoundError, UnavailableError
from safecity.model.facts.control_calls import Publish
from safecity.model.facts.envelope import Event
from safecity.model.facts.media_calls import Done, Message
from safecity.model.facts.vision_calls import (
    ApplyVision,
    AskVision,
    LaneZone,
    LightChange,
    LightsSaid,
    OffenceSeen,
    PlateTask,
    SearchMovement,
    TaskFigure,
    VehicleRead,
    VisionFigures,
)
from safecity.model.values.media import VIDEO, Codec, Quality, StreamKey, Unit, VideoParameters
from safecity.ports.inference import NetworkInfo
from safecity.vision import camera, slot
from safecity.vision.enforcement.watching import MAX_FRAMES_BYTES
from safecity.vision.live import decoder
from safecity.vision.plates.recognise import PlateRead
from safecity.vision.slot import VisionSlot
from safecity.vision.spool import Spool

NOON_US = 1_790_000_000 * SECOND_US
PARAMETERS = VideoParameters(Codec.H264, 32, 18, (b"sps", b"pps"), "avc1.640028")
CHILD = """
import os, sys
from safecity.vision.live import wire
read, out, decoded, cpu = sys.stdin.buffer.read, sys.stdout.buffer, 0, 0.0
while len(head := read(wire.TO_CHILD.size)) == wire.TO_CHILD.size:
    kind, codec, at, size = wire.TO_CHILD.unpack(head)
    data = read(size)
    if kind in (wire.UNIT, wire.KEY_UNIT):
        if data == b"deadly":
            os.abort()
        decoded, cpu = decoded + 1, cpu + data[1] / 100
        out.write(wire.FROM_CHILD.pack(wire.MARK, wire.PICTURE, at, 32, 18, cpu, decoded, 0) + data[:1] * (32 * 18 * 3))
        out.flush()
"""
"""A decoder of pictures that have one grey all over; each costs as many hundredths of a second as its unit says."""
COMMAND = (sys.executable, "-c", CHILD)


def task(channel: str = "ch_1", **others: Any) -> PlateTask:
    return PlateTask(channel, "media-0", "tg_1", 1, **others)


class City:
    """A slot, the streams it follows, a recogniser that reads what the test says for a grey, and control."""

    def __init__(self, folder: Path, *, cores: float = 8.0, command: Sequence[str] = COMMAND) -> None:
        self.clock = FakeClock(NOON_US)
        self.told: list[VehicleRead] = []
        self.events: list[Event] = []
        self.caught: list[OffenceSeen] = []
        self.streams: dict[str, tuple[Callable[[Unit], None], Callable[[str], None]]] = {}
        self.reads: dict[int, Sequence[PlateRead] | Exception] = {}
        self.second: NetworkInfo | None = None
        self.looked: list[int] = []
        self.hold: threading.Event | None = None
        self.at = NOON_US
        self.spool = Spool(open_file(folder / "v.db"))
        self.slot = VisionSlot(
            "vision-0", cast("Any", self), self.spool, self.follow,
            lambda: cast("Any", Scripted(self.frame, self.second)),
            cores=cores, clock=self.clock, command=command,
        )  # fmt: skip
        self.running = asyncio.create_task(self.slot.run())

    async def call(self, address: str, message: Message, *, timeout: float) -> Message:
        if isinstance(message, VehicleRead):
            self.told.append(message)
        elif isinstance(message, OffenceSeen):
            self.caught.append(message)
        elif isinstance(message, Publish):
            self.events += message.events
        return Done()

    async def follow(
        self, owner: str, key: StreamKey, deliver: Callable[[Unit], None], lost: Callable[[str], None]
    ) -> None:
        self.streams[key.channel] = deliver, lost
        try:
            await asyncio.Event().wait()
        finally:
            if self.streams.get(key.channel, (None,))[0] == deliver:
                del self.streams[key.channel]

    def frame(self, picture: NDArray[np.uint8]) -> Sequence[PlateRead]:
        grey = int(picture[0, 0, 0])
        self.looked.append(grey)
        if self.hold is not None:
            assert self.hold.wait(60)
        found = self.reads.get(grey, ())
        if isinstance(found, Exception):
            raise found
        return found

    async def apply(self, *tasks: PlateTask, revision: int = 1) -> None:
        await self.slot.apply(ApplyVision(revision, tasks))
        await self.until(lambda: set(self.streams) == {one.channel for one in tasks[: slot.MAX_TASKS]})

    def send(self, grey: int, channel: str = "ch_1", *, key: bool = True, cost: int = 0) -> None:
        self.at += SECOND_US // 5
        unit = Unit(VIDEO, bytes((grey, cost)), 0, 0, key, False, self.at, PARAMETERS)
        self.streams[channel][0](unit)

    async def show(self, grey: int, channel: str = "ch_1") -> None:
        """Until it was looked at."""
        before = len(self.looked)
        self.send(grey, channel)
        await self.until(lambda: len(self.looked) > before)

    async def figure(self, channel: str = "ch_1") -> TaskFigure:
        answer = await self.slot.figures(AskVision())
        assert isinstance(answer, VisionFigures)
        return next(one for one in answer.tasks if one.channel == channel)

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not true():
                await asyncio.sleep(0.002)

    async def stop(self) -> None:
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)

    def waiting(self) -> list[str]:
        """What lies on the disk when the slot has stopped."""
        found: list[str] = []
        while (one := self.spool.take(0.0)) is not None:
            found.append(one[1].plate if isinstance(one[1], VehicleRead) else "")
        return found


Make = Callable[..., City]


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Make]:
    monkeypatch.setattr(camera, "IDLE_SECONDS", 0.01)
    monkeypatch.setattr(slot, "MEASURE_SECONDS", 0.01)
    monkeypatch.setattr(decoder, "AGAIN_SECONDS", 0.01)
    cities: list[City] = []

    def of(**others: Any) -> City:
        cities.append(City(tmp_path, **others))
        return cities[-1]

    yield of
    for one in cities:
        await one.stop()


async def test_a_vehicle_before_a_camera_is_told_to_control_whole(make: Make) -> None:
    city = make()
    city.reads = {1: [read("皖A12345", x=4, y=4)], 2: [read("皖A12345", x=8, y=4)]}
    await city.apply(task())
    for grey in (1, 2, *[0] * 10):
        await city.show(grey)
    await city.until(lambda: city.told)
    (one,) = city.told
    assert (one.plate, one.channel, one.tollgate, one.lane, one.sights) == ("皖A12345", "ch_1", "tg_1", 1, 2)
    assert [picture.kind for picture in one.pictures] == ["14", "02", "09"]
    assert [network.name for network in one.networks] == ["locator", "reader"]
    assert (await city.slot.figures(AskVision())).second_reader == "absent"
    assert city.at - 12 * SECOND_US // 5 < one.at <= city.at


async def test_a_vehicle_is_told_with_the_lane_whose_zone_it_was_in_and_with_none_outside(make: Make) -> None:
    city = make()
    city.reads = {1: [small(6.0)], 2: [small(8.0)]}
    front, back = ((0.0, 0.4), (1.0, 0.4), (1.0, 1.0), (0.0, 1.0)), ((0.0, 0.0), (1.0, 0.0), (1.0, 0.1), (0.0, 0.1))
    for number, area in ((7, front), (8, back)):
        await city.apply(task(zones=(LaneZone(number, area),)), revision=number)
        for grey in (1, 2, *[0] * 10):
            await city.show(grey)
        await city.until(lambda count=number - 6: len(city.told) == count)
    assert [one.lane for one in city.told] == [7, None]


async def test_the_second_reader_is_named_by_the_vehicles_that_it_had_a_say_in(make: Make) -> None:
    city = make()
    city.second = NetworkInfo("other", "3" * 64, (), ())
    heard = dataclasses.replace(read("皖A12345", x=8, y=4), second=True)
    city.reads = {1: [read("皖A12345", x=4, y=4)], 2: [heard], 3: [read("京B77345", x=4, y=4)]}
    await city.apply(task())
    for grey in (1, 2, *[0] * 10, 3, *[0] * 10):
        await city.show(grey)
    await city.until(lambda: len(city.told) == 2)
    assert {one.plate: [network.name for network in one.networks] for one in city.told} == {
        "皖A12345": ["locator", "reader", "other"],
        "京B77345": ["locator", "reader"],
    }
    assert (await city.slot.figures(AskVision())).second_reader == "used"


def small(y: float) -> PlateRead:
    """A plate two pixels wide, as it fits into pictures as small as these."""
    corners = np.array([[15, y], [17, y], [17, y + 1], [15, y + 1]], np.float32)
    return dataclasses.replace(read("皖A12345"), corners=corners)


CROSSING = {
    "clock_error_ms": 100,
    "lanes": [
        {"number": 2, "area": [[0, 0.5], [1, 0.5], [1, 1], [0, 1]], "heading": [0, -1], "turns": ["straight"],
         "signals": {"straight": "s"}}
    ],
    "stop_lines": [[[0, 0.5], [1, 0.5]]],
    "exits": [{"turn": "straight", "area": [[0, 0], [1, 0], [1, 0.3], [0, 0.3]]}],
}  # fmt: skip


@pytest.mark.parametrize("heard", [False, True])
async def test_who_drives_over_a_drawn_line_at_red_is_told_with_the_pictures_of_it(heard: bool, make: Make) -> None:
    """`heard`: the second reader had a say in its plate."""
    city = make()
    city.second = NetworkInfo("other", "3" * 64, (), ())
    city.reads = {number: [dataclasses.replace(small(15.0 - number), second=heard)] for number in range(1, 15)}
    await city.slot.lights(LightsSaid((LightChange("s", NOON_US - SECOND_US, "red"),)))
    await city.apply(task(scene=json.dumps(CROSSING)))
    for grey in (*range(1, 15), *[0] * 40):
        await city.show(grey)
    await city.until(lambda: city.caught)
    (one,) = city.caught
    assert (one.kind, one.plate, one.lane, one.light, one.signal) == ("red_light", "皖A12345", 2, "red", "s")
    assert (one.channel, one.tollgate, one.clock_error_ms, one.light_source) == ("ch_1", "tg_1", 100, "controller")
    assert [picture.kind for picture in one.pictures] == ["14", "14", "14", "02"]
    assert all(picture.data.startswith(b"\xff\xd8") for picture in one.pictures)
    assert one.pictures[0].at < one.at <= one.pictures[1].at
    await city.until(lambda: city.told)  # it is a passage all the same
    (read_as,) = city.told
    assert (one.networks, one.threshold) == (read_as.networks, read_as.threshold)
    named = [network.name for network in one.networks]
    assert named == ["locator", "reader", *(["other"] if heard else [])], "for who doubts it later, and no other"


async def test_a_scene_that_is_not_understood_costs_no_plate(make: Make) -> None:
    city = make()
    city.reads = {1: [read("皖A12345", x=4, y=4)]}
    await city.apply(task(scene='{"lanes": 7}'))
    for grey in (1, *[0] * 10):
        await city.show(grey)
    await city.until(lambda: city.told)


async def test_who_is_in_sight_when_a_camera_is_no_longer_looked_at_is_told(make: Make) -> None:
    city = make()
    city.reads = {1: [read("皖A12345", x=4, y=4)]}
    await city.apply(task())
    await city.show(1)
    await city.apply(revision=2)
    await city.until(lambda: city.told)
    assert [one.plate for one in city.told] == ["皖A12345"]
    assert city.streams == {}


async def test_the_look_under_way_is_waited_for_when_a_camera_ends(make: Make) -> None:
    city = make()
    city.reads = {1: [read("皖A12345", x=4, y=4)], 2: [read("京B77345", x=400, y=4)]}
    await city.apply(task())
    await city.show(1)
    city.hold = threading.Event()
    await city.show(2)
    ending = asyncio.create_task(city.apply(revision=2))
    await asyncio.wait({ending}, timeout=0.2)
    assert not ending.done(), "somebody is being looked at"
    city.hold.set()
    await ending
    await city.until(lambda: len(city.told) == 2)
    assert {one.plate for one in city.told} == {"皖A12345", "京B77345"}


async def test_the_look_under_way_is_waited_for_when_the_slot_stops(make: Make) -> None:
    city = make()
    city.reads = {1: [read("皖A12345", x=4, y=4)]}
    await city.apply(task())
    city.hold = threading.Event()
    await city.show(1)
    stopping = asyncio.create_task(city.stop())
    await asyncio.wait({stopping}, timeout=0.2)
    city.hold.set()
    await stopping
    assert city.waiting() == ["皖A12345"]


async def test_control_that_gives_up_waiting_loses_nobody_in_sight(make: Make) -> None:
    city = make()
    city.reads = {1: [read("皖A12345", x=4, y=4)]}
    await city.apply(task())
    city.hold = threading.Event()
    await city.show(1)
    for revision in (2, 3):
        asked = asyncio.create_task(city.apply(revision=revision))
        for _ in range(20):
            await asyncio.sleep(0)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
    city.hold.set()
    await city.until(lambda: city.told)
    await city.apply(task(), revision=4)
    assert [one.plate for one in city.told] == ["皖A12345"]
    assert (await city.figure()).channel == "ch_1"


async def test_two_orders_at_once_end_in_the_later_one(make: Make) -> None:
    city = make()
    await city.apply(task("ch_1"), task("ch_2"))
    city.hold = threading.Event()
    await city.show(1, "ch_1")
    first = asyncio.create_task(city.slot.apply(ApplyVision(2, (task("ch_2"),))))
    second = asyncio.create_task(city.slot.apply(ApplyVision(3, (task("ch_3"),))))
    for _ in range(20):
        await asyncio.sleep(0)
    city.hold.set()
    assert await asyncio.gather(first, second) == [Done(), Done()]
    await city.until(lambda: set(city.streams) == {"ch_3"})


@pytest.mark.parametrize("said", [True, False], ids=["the link says so", "nothing comes any more"])
async def test_who_is_in_sight_when_the_stream_is_lost_is_told_and_the_state_says_so(make: Make, said: bool) -> None:
    city = make()
    city.reads = {1: [read("皖A12345", x=4, y=4)]}
    await city.apply(task())
    await city.show(1)
    await city.until(lambda: city.spool.waiting == 0)
    if said:
        city.streams["ch_1"][1]("duty_gone")
    city.clock.advance(camera.LOST_SECONDS + 1)
    await city.until(lambda: city.told)
    assert [one.plate for one in city.told] == ["皖A12345"]
    async with asyncio.timeout(60):
        while (await city.figure()).state != "no_stream":
            await asyncio.sleep(0.002)
    await city.show(1)
    async with asyncio.timeout(60):
        while (await city.figure()).state != "running":
            await asyncio.sleep(0.002)


async def test_a_stream_that_is_back_at_once_splits_nobody(make: Make) -> None:
    city = make()
    city.reads = {1: [read("皖A12345", x=4, y=4)]}
    await city.apply(task())
    await city.show(1)
    city.streams["ch_1"][1]("duty_gone")
    city.clock.advance(1)
    await city.show(1)
    await city.apply(revision=2)
    await city.until(lambda: city.told)
    assert [(one.plate, one.sights) for one in city.told] == [("皖A12345", 2)]


@pytest.mark.parametrize(
    "error",
    [InvalidError("no picture", code="picture_shape"), np.linalg.LinAlgError("Singular matrix"), ZeroDivisionError()],
)
async def test_a_picture_that_cannot_be_looked_at_costs_itself_alone(make: Make, error: Exception) -> None:
    city = make()
    city.reads = {1: [read("皖A12345", x=4, y=4)], 2: error}
    await city.apply(task())
    for grey in (1, 2, 1):
        await city.show(grey)
    await city.apply(revision=2)
    await city.until(lambda: city.told)
    assert [(one.plate, one.sights) for one in city.told] == [("皖A12345", 2)]


async def test_a_camera_that_fails_as_nobody_foresaw_is_begun_again(make: Make) -> None:
    city = make()
    city.reads = {1: [read("皖A12345", x=4, y=4)], 2: KeyError("nobody foresaw it")}
    await city.apply(task("ch_1"), task("ch_2"))
    await city.show(1)
    before = city.streams["ch_1"]
    await city.show(2)
    await city.until(lambda: city.streams.get("ch_1", before) != before)
    await city.until(lambda: city.told)
    assert [one.plate for one in city.told] == ["皖A12345"], "who was in sight is told"
    city.reads[2] = ()
    await city.show(2)


async def test_each_death_of_a_decoder_is_one_event_and_the_next_one_goes_on(make: Make) -> None:
    city = make()
    await city.apply(task())
    await city.show(1)
    for deaths in (1, 2):
        city.streams["ch_1"][0](Unit(VIDEO, b"deadly", 0, 0, True, False, city.at, PARAMETERS))
        await city.until(lambda deaths=deaths: len(city.events) == deaths)
        async with asyncio.timeout(60):
            while (await city.figure()).crashes < deaths:
                await asyncio.sleep(0.002)
    await city.show(1)
    assert [(one.kind, one.subject, one.origin, one.at) for one in city.events] == [
        ("decoder.died", "ch_1", "/vision-0", NOON_US)
    ] * 2
    assert city.events[0].body == {"quality": "main", "status": "-6"}
    assert city.events[0].id != city.events[1].id


async def test_what_key_frames_cost_is_not_taken_for_what_all_of_a_stream_costs(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot, "MEASURE_SECONDS", 1e6)
    city = make()
    await city.apply(task())
    ((one, _),) = city.slot._cameras.values()
    figures = one._decoder.figures

    async def seconds(count: int) -> float:
        """Seconds of the stream, half a core each; what decoding is taken to cost after them, in cores."""
        for number in range(count * 5):
            before = figures.decoded
            city.send(0, key=number % 5 == 0, cost=10)
            if number % 5 == 0 or one.granted:
                await city.until(lambda before=before: figures.decoded > before)
            if number % 5 == 4:
                city.clock.advance(1)
                await city.figure()
        return (await city.figure()).decode_ms / 1000

    assert (known := await seconds(15)) == pytest.approx(0.5, abs=0.05)
    one.grant(0)
    assert await seconds(15) == known
    one.grant(5)
    assert await seconds(2) == pytest.approx(0.5, abs=0.05)


async def test_the_least_important_of_too_many_cameras_are_left_out_and_shown(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot, "MAX_TASKS", 1)
    city = make()
    await city.slot.apply(ApplyVision(1, (task("ch_1", priority=4), task("ch_2", priority=1), task("ch_3"))))
    await city.until(lambda: "ch_2" in city.streams)
    assert {name: (await city.figure(name)).state for name in ("ch_1", "ch_2", "ch_3")} == {
        "ch_1": "left_out", "ch_2": "starting", "ch_3": "left_out",
    }  # fmt: skip
    await city.slot.apply(ApplyVision(2, (task("ch_1", priority=4),)))
    assert (await city.figure("ch_1")).state == "starting"


async def test_without_networks_the_task_says_so(make: Make) -> None:
    city = make()

    def missing() -> Any:
        raise NotFoundError("no such model", code="model_missing")

    city.slot._open = missing
    await city.slot.apply(ApplyVision(1, (task(),)))
    assert (await city.figure()).state == "not_installed"
    await city.slot.apply(ApplyVision(2, ()))
    answer = await city.slot.figures(AskVision())
    assert isinstance(answer, VisionFigures)
    assert (answer.tasks, answer.revision) == ((), 2)


async def test_a_detector_of_ones_own_that_cannot_be_loaded_costs_no_plate(make: Make, caplog: Any) -> None:
    city = make()

    def broken() -> Any:
        raise InvalidError("detector.onnx is no network", code="model_unreadable")

    city.slot._open_detector = broken
    city.reads = {1: [read("皖A12345", x=4, y=4)]}
    await city.apply(task())
    await city.show(1)
    await city.apply(revision=2)
    await city.until(lambda: city.told)
    assert [(one.plate, one.vehicle_label) for one in city.told] == [("皖A12345", "")]
    assert "model_unreadable" in caplog.text


async def test_cameras_share_the_memory_for_pictures(make: Make) -> None:
    city = make()
    await city.apply(*(task(f"ch_{number}") for number in range(20)))
    kept = [one._watch.max_kept_bytes for one, _ in city.slot._cameras.values()]
    assert len(kept) == 20
    assert sum(kept) <= slot.KEPT_BYTES


async def test_cameras_that_look_for_offences_share_the_memory_for_what_proves_them(make: Make) -> None:
    city = make()
    judging = [task(f"ch_{number}", scene=json.dumps(CROSSING)) for number in range(40)]
    await city.apply(*judging, *(task(f"ch_{number}") for number in range(40, 50)))
    kept = [one._watch._scene.max_bytes for one, _ in city.slot._cameras.values() if one._watch._scene is not None]
    assert len(kept) == 40
    assert 0.9 * slot.FRAMES_BYTES < sum(kept) <= slot.FRAMES_BYTES
    await city.apply(judging[0], revision=2)
    ((one, _),) = city.slot._cameras.values()
    assert one._watch._scene is not None
    assert one._watch._scene.max_bytes == MAX_FRAMES_BYTES


async def test_without_what_a_search_needs_it_says_so(make: Make) -> None:
    ask = SearchMovement("ch_1", Quality.MAIN, NOON_US, NOON_US + 1, ("/v",), ((0, 0, 1, 1),))
    with pytest.raises(UnavailableError) as caught:
        await make().slot.search(ask)
    assert caught.value.code == "vision_not_installed"
