"""What our own reader saw on video is filed once, with its pictures and with what it rests on."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from safecity.backends.database import SqlDatabase
from safecity.backends.files import open_blobs
from safecity.core.ground.channels.api import Channel
from safecity.core.ground.devices.api import Device, DeviceKind
from safecity.core.ground.duties.api import Keepalive, desired
from safecity.core.ground.loose.api import Loose
from safecity.core.ground.passages import store
from safecity.core.ground.passages.api import Passages, Readings, Sighting, Source
from safecity.core.ground.passages.store import Passage
from safecity.core.ground.settings.api import Platform
from safecity.core.ground.tollgates.api import Lane, Tollgate
from safecity.core.ground.tollgates.store import add, find, save
from safecity.kit.clock import SECOND_US, FakeClock
from safecity.kit.errors import InvalidError
from safecity.kit.ids import fresh
from safecity.model.facts.vision_calls import NetworkUsed, PlateTask, ShownPicture, SpeedEstimated, VehicleRead
from safecity.ports.blobs import Blobs
from safecity.ports.database import Tx

NOON = 1_700_000_000 * SECOND_US
CHANNEL = fresh("ch")
JPEG = cv2.imencode(".jpg", np.full((36, 64, 3), 90, np.uint8))[1].tobytes()
READ = VehicleRead(
    id="si_1", channel=CHANNEL, tollgate="", lane=2, at=NOON, plate="皖B12345", confidence=0.9, doubtful=False,
    threshold=0.4, signs=(0.99,) * 7, others=("皖B12346",), country="cn", plate_colour="yellow-green",
    plate_kind="cn_green_large", corners=((0.1, 0.2),) * 4, sights=9, first=NOON - 1, last=NOON + 1,
    networks=(NetworkUsed("reader", "ab" * 32),),
    pictures=(ShownPicture("14", JPEG), ShownPicture("02", b"not a picture")),
)  # fmt: skip


@dataclass
class Desk:
    """A checkpoint, and what is filed for it."""

    database: SqlDatabase
    blobs: Blobs
    readings: Readings
    gate: Tollgate

    async def take(self, **changes: object) -> None:
        await self.readings.take(replace(READ, tollgate=self.gate.id, **changes))

    async def filed(self) -> list[tuple[Passage, list[Sighting]]]:
        def work(tx: Tx) -> list[tuple[Passage, list[Sighting]]]:
            found = store.near(tx, self.gate.id, [(0, 1 << 60)])
            of = store.sightings_of(tx, [one.id for one in found])
            return [(one, of[one.id]) for one in found]

        return await self.database.read(work)


@pytest.fixture
async def desk(database: SqlDatabase, tmp_path: Path) -> AsyncIterator[Desk]:
    clock = FakeClock(NOON + SECOND_US)
    blobs = open_blobs(tmp_path / "blobs")
    lane = Lane(number=2, direction="east_west", channel=CHANNEL, read_plates=True)
    gate = Tollgate(id=fresh("tg"), name="Bridge", lanes=(lane,))
    await database.write(lambda tx: add(tx, gate))
    passages = Passages(database, blobs, Loose(database, blobs, clock), clock)
    yield Desk(database, blobs, Readings(database, clock, passages), gate)
    await blobs.close()


async def test_what_the_users_own_detector_said_is_the_kind_of_the_vehicle_and_kept_beside_it(desk: Desk) -> None:
    box = (0.1, 0.2, 0.4, 0.8)
    await desk.take(vehicle_label="truck", vehicle_class="H11", vehicle_score=0.83, vehicle_box=box)
    ((passage, (sighting,)),) = await desk.filed()
    assert (passage.vehicle_class, passage.plate_class) == ("H11", "51")
    assert sighting.details["vehicle"] == {"label": "truck", "score": 0.83, "box": list(box)}


async def test_the_colour_of_the_body_is_the_passages_and_what_it_rests_on_is_kept(desk: Desk) -> None:
    body = (0.2, 0.3, 0.6, 0.9)
    await desk.take(body=body, body_from="movement", colour="red", colour_confidence=0.8)
    await desk.take(id="si_2", at=NOON + 60 * SECOND_US, body=body, body_from="plate", colour_doubt="dark")
    (red, (seen,)), (unknown, (other,)) = await desk.filed()
    assert (red.colour, unknown.colour) == ("red", "")
    assert seen.details["body"] == {
        "box": list(body), "found_by": "movement", "colour": "red", "colour_confidence": 0.8, "colour_doubt": "",
    }  # fmt: skip
    assert other.details["body"]["colour_doubt"] == "dark", "nobody has to guess why"


async def test_a_proposal_without_blur_is_kept_beside_the_reading_and_changes_no_plate(desk: Desk) -> None:
    proposal = {"restored": "皖B12845", "restored_confidence": 0.61, "restored_blur": 0.1, "restored_angle": 90.0}
    await desk.take(doubtful=True, **proposal)
    ((passage, (sighting,)),) = await desk.filed()
    assert passage.plate == "皖B12345"
    assert sighting.details["restored"] == {"plate": "皖B12845", "confidence": 0.61, "blur": 0.1, "angle": 90.0}


async def test_an_estimate_of_the_speed_is_kept_beside_the_reading_and_is_no_speed_of_the_passage(desk: Desk) -> None:
    await desk.take(speed=SpeedEstimated(47.2, 3.1, 9, 22.5))
    ((passage, (sighting,)),) = await desk.filed()
    assert (passage.speed_kmh, sighting.speed_kmh) == (None, None), "watches and uploads know measured ones alone"
    assert sighting.details["speed"] == {
        "estimated": True, "kmh": 47.2, "uncertainty_kmh": 3.1, "looks": 9, "metres": 22.5,
    }  # fmt: skip


async def test_a_reading_is_a_passage_with_what_it_rests_on(desk: Desk) -> None:
    await desk.take()
    ((passage, (sighting,)),) = await desk.filed()
    assert (passage.plate, passage.lane, passage.at, passage.plate_colour) == ("皖B12345", 2, NOON, "green")
    assert passage.direction == "east_west", "the lane says where it leads"
    assert sighting.source is Source.READER
    assert sighting.details["networks"] == [{"name": "reader", "digest": "ab" * 32}]
    assert sighting.details["threshold"] == 0.4
    assert sighting.details["plate_kind"] == "cn_green_large", "what the standard has no number for is not lost"
    (kept,) = sighting.pictures
    assert (kept.kind, kept.width, kept.height) == ("14", 64, 36), "what is no picture is left out"
    assert b"".join([piece async for piece in desk.blobs.read(kept.key)]) == JPEG


async def test_said_again_it_is_the_same(desk: Desk) -> None:
    for _ in range(3):
        await desk.take()
    ((_, (sighting,)),) = await desk.filed()
    assert len(sighting.pictures) == 1


async def test_what_a_camera_of_its_own_saw_and_what_we_read_is_one_passage(desk: Desk) -> None:
    await desk.take()
    await desk.take(id="si_2", channel=fresh("ch"), plate="皖B1234S", confidence=0.5, at=NOON + SECOND_US)
    ((passage, seen_by),) = await desk.filed()
    assert len(seen_by) == 2
    assert passage.plate == "皖B12345", "the surer reading counts"


async def test_a_doubtful_reading_is_filed_and_says_so(desk: Desk) -> None:
    await desk.take(doubtful=True, confidence=0.2)
    ((passage, (sighting,)),) = await desk.filed()
    assert sighting.details["doubtful"]
    assert passage.confidence == 0.2


async def test_where_nobody_asks_any_more_it_is_refused_for_good(desk: Desk) -> None:
    from dataclasses import replace as changed

    await desk.database.write(lambda tx: save(tx, changed(desk.gate, enabled=False)))
    for tollgate in (desk.gate.id, fresh("tg")):
        with pytest.raises(InvalidError) as caught:
            await desk.readings.take(replace(READ, tollgate=tollgate))
        assert caught.value.code == "reading_refused"
    assert await desk.filed() == []


def camera(**more: object) -> Channel:
    values: dict[str, object] = {"id": fresh("ch"), "device": "dv_1", "code": "1", "name": "Street", "slot": "media-0"}
    return Channel(**{**values, **more})  # type: ignore[arg-type]


def wanted(
    channels: list[Channel], *gates: Tollgate, slots: tuple[str, ...] = ("vision-0",)
) -> list[tuple[PlateTask, ...]]:
    device = Device(id="dv_1", kind=DeviceKind.GB28181, name="Camera")
    told = desired(
        7, Platform(), [(device, "")], channels, ["media-0", "media-1"], Keepalive(), gates=gates, vision=slots
    )
    assert all(one.revision == 7 for one in told.vision.values())
    return [told.vision[slot].plates for slot in slots]


def test_slots_are_told_which_cameras_to_look_at() -> None:
    one, other, dark = camera(), camera(slot="media-1", qualities=("sub",)), camera(enabled=False)
    lanes = tuple(Lane(number=n, channel=c.id, read_plates=True) for n, c in enumerate((one, other, dark), start=1))
    alone = Lane(number=4, channel=camera().id, read_plates=False)
    (tasks,) = wanted([one, other, dark], Tollgate(id="tg_1", name="Bridge", lanes=(*lanes, alone)))
    assert {(task.channel, task.slot, str(task.quality), task.lane) for task in tasks} == {
        (one.id, "media-0", "main", 1),
        (other.id, "media-1", "sub", 2),
    }, "not those that are switched off, not those that read themselves"


def test_a_camera_over_several_lanes_is_looked_at_once_and_names_none() -> None:
    one = camera()
    lanes = tuple(Lane(number=n, channel=one.id, read_plates=True) for n in (1, 2))
    ((task,),) = wanted([one], Tollgate(id="tg_1", name="Bridge", lanes=lanes))
    assert task.lane is None


def test_a_checkpoint_that_is_switched_off_reads_nothing() -> None:
    one = camera()
    lane = Lane(number=1, channel=one.id, read_plates=True)
    assert wanted([one], Tollgate(id="tg_1", name="Bridge", lanes=(lane,), enabled=False)) == [()]


def test_slots_share_the_cameras() -> None:
    many = [camera() for _ in range(5)]
    lanes = tuple(Lane(number=n, channel=c.id, read_plates=True) for n, c in enumerate(many, start=1))
    first, second = wanted(many, Tollgate(id="tg_1", name="Bridge", lanes=lanes), slots=("vision-0", "vision-1"))
    assert sorted((len(first), len(second))) == [2, 3]
    assert not {task.channel for task in first} & {task.channel for task in second}


def test_a_lane_without_a_camera_cannot_be_read() -> None:
    with pytest.raises(InvalidError):
        Lane(number=1, read_plates=True)


STRIP = ((0.1, 0.9), (0.4, 0.9), (0.45, 0.4), (0.4, 0.4))


def test_lanes_that_share_a_camera_are_told_apart_by_their_zones() -> None:
    one = camera()
    left, right = Lane(number=1, channel=one.id, read_plates=True, zone=STRIP), moved(STRIP, 0.5)
    lanes = (
        left,
        Lane(number=2, channel=one.id, read_plates=True, zone=right),
        Lane(number=3, zone=(), channel=one.id),
    )
    ((task,),) = wanted([one], Tollgate(id="tg_1", name="Bridge", lanes=lanes))
    assert [(zone.number, zone.area) for zone in task.zones] == [(1, STRIP), (2, right)]
    assert task.lane is None, "who is in no zone is in none of them"
    ((task,),) = wanted([one], Tollgate(id="tg_1", name="Bridge", lanes=(left,)))
    assert (task.lane, [zone.number for zone in task.zones]) == (None, [1])


def moved(corners: tuple[tuple[float, float], ...], by: float) -> tuple[tuple[float, float], ...]:
    return tuple((x + by, y) for x, y in corners)


async def test_a_zone_is_kept_with_its_lane(database: SqlDatabase) -> None:
    gate = Tollgate(id=fresh("tg"), name="Bridge", lanes=(Lane(number=1, channel=CHANNEL, zone=STRIP),))
    await database.write(lambda tx: add(tx, gate))
    assert await database.read(lambda tx: find(tx, gate.id)) == gate


@pytest.mark.parametrize(
    "zone",
    [
        STRIP[:2],
        ((0.1, 0.9), (0.4, 0.4), (0.4, 0.9), (0.1, 0.4)),  # crosses itself
        ((0.1, 0.9), (0.4, 0.9), (0.4, 1.1)),  # leaves the picture
        ((0.1, 0.1), (0.11, 0.1), (0.11, 0.11)),  # a slip of the hand
        ((0.1, 0.1), (0.9, 0.1), (0.9, float("nan"))),
        tuple((0.1 + 0.05 * n, 0.1 + 0.5 * (n % 2)) for n in range(13)),
    ],
)
def test_what_is_no_zone_is_refused_and_the_lane_named(zone: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(InvalidError) as caught:
        Lane(number=3, channel=CHANNEL, zone=zone)
    assert (caught.value.code, caught.value.params["lane"]) == ("lane_zone_invalid", 3)


def test_a_zone_needs_the_camera_that_it_is_drawn_for() -> None:
    with pytest.raises(InvalidError) as caught:
        Lane(number=3, zone=STRIP)
    assert caught.value.code == "tollgate_invalid"


async def test_a_vehicle_that_nobody_could_read_is_a_passage_without_a_plate_beside_those_that_were(desk: Desk) -> None:
    nothing: dict[str, object] = {
        "plate": "",
        "confidence": 0.0,
        "signs": (),
        "others": (),
        "corners": (),
        "networks": (),
    }
    await desk.take()
    await desk.take(id="si_2", at=NOON + SECOND_US, **nothing)
    await desk.take(id="si_3", at=NOON + 2 * SECOND_US, **nothing)
    filed = await desk.filed()
    assert [(one.plate, one.lane, one.confidence) for one, _ in filed] == [
        ("皖B12345", 2, 0.9), ("", 2, None), ("", 2, None),
    ], "one after the other on a lane, each is a vehicle of its own"  # fmt: skip


def test_who_asks_for_vehicles_without_a_plate_needs_a_zone_and_a_reader_there() -> None:
    lane = Lane(number=1, channel=CHANNEL, read_plates=True, zone=STRIP, unread=True)
    for without in ({"zone": ()}, {"read_plates": False}):
        with pytest.raises(InvalidError):
            dataclasses.replace(lane, **without)
    one = camera()
    ((task,),) = wanted([one], Tollgate(id="tg_1", name="Bridge", lanes=(dataclasses.replace(lane, channel=one.id),)))
    assert [zone.unread for zone in task.zones] == [True]
