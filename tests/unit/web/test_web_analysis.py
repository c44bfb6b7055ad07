"""What is looked at stands on the health page, and what is not looked at does, too."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from msgspec.structs import replace

from safecity.model.facts.vision_calls import ApplyVision, TaskFigure, VisionFigures

RUNNING = TaskFigure("", "running", 5, 0, 0.4, 20, 15, 0.9, 7, 1, no_vehicle=3, unpictured=2, not_read=4)


@pytest.fixture
async def camera(house: Any, admin: Any) -> str:
    """A channel at which plates are to be read, by a platform with one slot for that."""
    duties = house.services.duties
    duties._duty = dataclasses.replace(duties._duty, vision=("vision-0",))
    await admin.ok("POST", "devices", {"kind": "rtsp", "url": "rtsp://192.0.2.1/live", "name": "Gate"})
    channel = (await admin.ok("GET", "channels"))["items"][0]["id"]
    lanes = [{"number": 1, "channel": channel, "read_plates": True}]
    await admin.ok("POST", "tollgates", {"name": "East", "lanes": lanes})
    return channel


async def analysis(admin: Any) -> list[dict[str, Any]]:
    return (await admin.ok("GET", "health"))["analysis"]


async def test_a_slot_that_does_not_answer_is_not_shown_as_nothing_to_do(house: Any, admin: Any, camera: str) -> None:
    await house.services.duties.push()
    assert [message.plates[0].channel for message in house.calls.of(ApplyVision)] == [camera]
    (task,) = await analysis(admin)
    assert (task["channel"], task["state"], task["slot"], task["wanted_fps"]) == (camera, "silent", "vision-0", 5)


async def test_what_a_slot_says_of_its_cameras_is_shown_with_what_it_leaves_out(
    house: Any, admin: Any, camera: str
) -> None:
    await house.services.duties.push()
    for told in (replace(RUNNING, channel=camera), replace(RUNNING, channel=camera, state="left_out")):
        house.services.duties.looking["vision-0"] = VisionFigures((told,), lost=2)
        (task,) = await analysis(admin)
        assert (task["state"], task["channel_name"]) == (told.state, "Gate")
        assert (task["no_vehicle"], task["unpictured"], task["crashes"], task["not_read"]) == (3, 2, 1, 4)
    assert (await admin.ok("GET", "health"))["readings_lost"] == 2


async def test_health_says_when_a_slot_reads_plates_without_the_second_reader(house: Any, admin: Any) -> None:
    slots = house.services.duties.looking
    assert (await admin.ok("GET", "health"))["second_reader"] == ""
    slots["vision-0"] = VisionFigures((), second_reader="used")
    slots["vision-1"] = VisionFigures(())
    assert (await admin.ok("GET", "health"))["second_reader"] == "used"
    slots["vision-1"] = VisionFigures((), second_reader="absent")
    assert (await admin.ok("GET", "health"))["second_reader"] == "absent"


async def test_zones_of_lanes_that_share_a_camera_reach_the_slot_and_what_is_none_is_refused(
    house: Any, admin: Any, camera: str
) -> None:
    (gate,) = (await admin.ok("GET", "tollgates"))["items"]
    left = [[0.0, 1.0], [0.5, 1.0], [0.5, 0.3], [0.3, 0.3]]
    right = [[0.5, 1.0], [1.0, 1.0], [0.7, 0.3], [0.5, 0.3]]
    shared = {"channel": camera, "read_plates": True}
    lanes = [{"number": 1, **shared, "zone": left}, {"number": 2, **shared, "zone": right}]
    kept = await admin.ok("PATCH", f"tollgates/{gate['id']}", {"lanes": lanes})
    assert [lane["zone"] for lane in kept["lanes"]] == [left, right]
    await house.services.duties.push()
    (task,) = house.calls.of(ApplyVision)[-1].plates
    assert [(zone.number, [list(point) for point in zone.area]) for zone in task.zones] == [(1, left), (2, right)]
    bow = [left[0], left[2], left[1], left[3]]
    refused = await admin.ask("PATCH", f"tollgates/{gate['id']}", {"lanes": [{"number": 1, **shared, "zone": bow}]})
    assert (refused.status_code, refused.json()["code"]) == (400, "lane_zone_invalid")
    assert "lane 1" in refused.json()["detail"]
