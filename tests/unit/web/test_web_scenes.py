"""What is drawn on a camera's picture reaches whoever looks at it; what it catches there becomes a candidate."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from tests.unit.web.test_web_passages import jpeg
from tests.unit.web.test_web_watches import audited, client_of, moment
from tests.unit.web.test_web_watches import city as districts

from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError, UnavailableError
from safecity.kit.ids import fresh
from safecity.model.facts.vision_calls import (
    ApplyVision,
    LightsSaid,
    MomentShown,
    NetworkUsed,
    OffenceSeen,
    SpeedEstimated,
)
from safecity.vision.enforcement.scene import read_scene, write_scene

__all__ = ["districts"]
CODE = "34020000001320000001"
OTHER_CODE = "34020000001320000002"
LANE = {
    "number": 1, "area": [[0.3, 0.5], [0.7, 0.5], [0.7, 1], [0.3, 1]], "heading": [0, -1], "turns": ["straight"],
    "signals": {"straight": "north-1"},
}  # fmt: skip
SCENE: dict[str, Any] = {
    "name": "North arm", "clock_error_ms": 200, "lanes": [LANE], "stop_lines": [[[0.1, 0.5], [0.9, 0.5]]],
    "solid_lines": [[[0.5, 0.6], [0.5, 0.9]]],
    "exits": [{"turn": "straight", "area": [[0.3, 0], [0.7, 0], [0.7, 0.3]]}],
    "zones": [{"name": "stop", "area": [[0.8, 0.5], [1, 0.5], [1, 1]], "seconds": 30}],
    "lamps": [{"signal": "north-1", "red": [0.9, 0.1, 0.92, 0.14], "yellow": None, "green": None}],
    "calibration": {
        "corners": [[0.2, 0.9], [0.8, 0.9], [0.6, 0.5], [0.4, 0.5]], "width_m": 7, "length_m": 20.5,
        "camera_height_m": 6,
    },
}  # fmt: skip


@pytest.fixture
async def camera(house: Any, admin: Any, districts: dict[str, Any]) -> str:
    """Of the first district, at its checkpoint; our own reader reads there."""
    where = {"area": districts["own_area"], "organisation": districts["bureau"]}
    device = await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": "North", **where})
    await house.online(device["id"], CODE)
    await house.catalogue(device["id"], {"code": CODE, "name": "North"})
    (channel,) = (await admin.ok("GET", "channels"))["items"]
    lanes = [{"number": 1, "channel": channel["id"], "read_plates": True}]
    await admin.ok("PATCH", f"tollgates/{districts['own_gate']}", {"lanes": lanes})
    return channel["id"]


def looking(house: Any) -> None:
    """The platform has a vision slot, whatever the fixture began with."""
    duties = house.services.duties
    duties._duty = dataclasses.replace(duties._duty, vision=("vision-0",))
    house.services.signals._slots = ("vision-0",)


async def told(house: Any, camera: str) -> str:
    """The scene that the slot has now, as it was told."""
    await house.services.duties.push()
    (task,) = [each for each in house.calls.of(ApplyVision)[-1].plates if each.channel == camera]
    assert task.fps == (8.0 if task.scene else 5.0)
    return task.scene


async def test_what_is_drawn_reaches_who_looks_at_the_camera_and_what_is_taken_away_too(
    house: Any, admin: Any, camera: str
) -> None:
    looking(house)
    path = f"channels/{camera}/scene"
    assert (await admin.ask("GET", path)).status_code == 404
    assert await told(house, camera) == ""
    drawn = await admin.ok("PUT", path, SCENE)
    assert (drawn["revision"], drawn["changed_by"]) == (1, "root")
    assert {name: drawn[name] for name in SCENE} == SCENE
    kept = write_scene(read_scene(json.loads(await told(house, camera))))
    assert kept == {**SCENE, "lamps": {"north-1": {"red": [0.9, 0.1, 0.92, 0.14]}}}
    again = await admin.ok("PUT", path, {**SCENE, "name": "Other"}, headers={"if-match": '"1"'})
    assert again["revision"] == 2
    slow = await admin.ask("PUT", path, SCENE, headers={"if-match": '"1"'})
    assert (slow.status_code, slow.json()["code"]) == (412, "changed_meanwhile")
    await admin.ok("DELETE", path)
    assert await told(house, camera) == ""
    assert len(await audited(admin, "violation.change")) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"lanes": [{**LANE, "heading": [0, 0]}]},
        {"lanes": [LANE, LANE]},
        {"stop_lines": [[[0.1, 0.5], [0.1, 0.5]]]},
        {"lamps": [{"signal": "north-1", "red": [0.9, 0.1, 0.9, 0.14]}]},
        {"lamps": [{"signal": "north-1"}]},
    ],
)
async def test_a_drawing_that_makes_no_sense_is_refused_and_the_old_one_stays(
    wrong: dict[str, Any], house: Any, admin: Any, camera: str
) -> None:
    await admin.ok("PUT", f"channels/{camera}/scene", SCENE)
    refused = await admin.ask("PUT", f"channels/{camera}/scene", {**SCENE, **wrong})
    assert (refused.status_code, refused.json()["code"]) == (400, "scene_invalid")
    assert (await admin.ok("GET", f"channels/{camera}/scene"))["revision"] == 1


@pytest.mark.parametrize(
    ("corners", "code", "words"),
    [
        ([[0.2, 0.9], [0.6, 0.5], [0.8, 0.9], [0.4, 0.5]], "calibration_shape", "one after another"),
        ([[0.2, 0.9], [0.22, 0.9], [0.22, 0.88], [0.2, 0.88]], "calibration_small", "too small"),
    ],
)
async def test_a_rectangle_that_nobody_can_measure_by_is_refused_in_words(
    corners: list[list[float]], code: str, words: str, admin: Any, camera: str
) -> None:
    drawn = {**SCENE, "calibration": {**SCENE["calibration"], "corners": corners}}
    refused = await admin.ask("PUT", f"channels/{camera}/scene", drawn)
    assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert words in refused.json()["detail"]
    unsaid = {**SCENE, "calibration": {**SCENE["calibration"], "width_m": 0}}
    assert (await admin.ask("PUT", f"channels/{camera}/scene", unsaid)).status_code == 422


async def test_a_controller_says_what_its_signal_shows_late_or_twice(
    house: Any, admin: Any, camera: str, districts: dict[str, Any]
) -> None:
    looking(house)
    machine = {"username": "controller", "password": "correct horse battery"}
    await admin.ok("POST", "users", {**machine, "grants": [{"role": "reporter", "area": districts["own_area"]}]})
    feed = await client_of(house, "controller")
    first = {"items": [{"at": moment(house, -0.5), "colour": "red"}]}
    assert (await feed.ask("POST", "signals/north-1/phases", first)).status_code == 404  # nobody has drawn it
    await admin.ok("PUT", f"channels/{camera}/scene", SCENE)
    assert (await feed.ok("POST", "signals/north-1/phases", first))["taken"] == 1
    late = {"items": [{"at": moment(house, -1), "colour": "yellow"}, {"at": moment(house, -0.5), "colour": "red"}]}
    await feed.ok("POST", "signals/north-1/phases", late)
    said = house.calls.of(LightsSaid)[-1]
    now = house.clock.now_us()
    assert [(one.signal, one.at - now, one.colour) for one in said.changes] == [
        ("north-1", -60 * SECOND_US, "yellow"), ("north-1", -30 * SECOND_US, "red"),
    ]  # fmt: skip
    shows = await admin.ok("GET", "signals/north-1")
    assert (shows["colour"], shows["since"]) == ("red", moment(house, -0.5))
    house.clock.advance(200)  # its feed broke off
    assert (await admin.ok("GET", "signals/north-1"))["colour"] == "unknown"
    assert (await feed.ask("GET", "signals/north-1")).status_code == 403  # a machine sees nothing
    for minutes in (-16, 1):
        stale = {"items": [{"at": moment(house, minutes), "colour": "red"}]}
        refused = await feed.ask("POST", "signals/north-1/phases", stale)
        assert (refused.status_code, refused.json()["code"]) == (400, "phase_time")


async def test_a_slot_that_is_away_keeps_no_controller_waiting(house: Any, admin: Any, camera: str) -> None:
    looking(house)
    await admin.ok("PUT", f"channels/{camera}/scene", SCENE)
    house.calls.answers[LightsSaid] = UnavailableError("gone", code="duty_down")
    red = {"items": [{"at": moment(house), "colour": "red"}]}
    assert (await admin.ok("POST", "signals/north-1/phases", red))["taken"] == 1


async def test_people_of_another_district_neither_see_nor_draw_nor_say(house: Any, admin: Any, camera: str) -> None:
    await admin.ok("PUT", f"channels/{camera}/scene", SCENE)
    stranger, officer = await client_of(house, "stranger"), await client_of(house, "officer")
    for method, body in (("GET", None), ("PUT", SCENE), ("DELETE", None)):
        assert (await stranger.ask(method, f"channels/{camera}/scene", body)).status_code == 404
    assert (await stranger.ask("GET", "signals/north-1")).status_code == 404
    assert (await officer.ask("PUT", f"channels/{camera}/scene", SCENE)).status_code == 403


async def test_who_draws_a_strangers_signal_says_nothing_for_the_stranger(
    house: Any, admin: Any, camera: str, districts: dict[str, Any]
) -> None:
    await admin.ok("PUT", f"channels/{camera}/scene", SCENE)
    where = {"area": districts["foreign_area"], "organisation": districts["bureau"]}
    device = await admin.ok("POST", "devices", {"kind": "gb28181", "code": OTHER_CODE, "name": "South", **where})
    await house.online(device["id"], OTHER_CODE)
    await house.catalogue(device["id"], {"code": OTHER_CODE, "name": "South"})
    (mine,) = [one["id"] for one in (await admin.ok("GET", "channels"))["items"] if one["id"] != camera]
    await admin.ok("PUT", f"channels/{mine}/scene", SCENE)  # the same name of a signal
    machine = {"username": "controller", "password": "correct horse battery"}
    grants = [{"role": "reporter", "area": districts["foreign_area"]}]
    await admin.ok("POST", "users", {**machine, "grants": grants})
    feed = await client_of(house, "controller")
    red = {"items": [{"at": moment(house), "colour": "red"}]}
    assert (await feed.ask("POST", "signals/north-1/phases", red)).status_code == 404
    assert (await admin.ok("GET", "signals/north-1"))["colour"] == "unknown"


def seen(house: Any, gate: str, channel: str, **more: Any) -> OffenceSeen:
    now = house.clock.now_us()
    boxes = [(0.4, 0.6 - 0.2 * number, 0.6, 0.9 - 0.2 * number) for number in range(3)]
    pictures = [
        MomentShown("14", now + number * SECOND_US, jpeg(1920, 1080, bytes([number])), box, "red")
        for number, box in enumerate(boxes)
    ]
    values: dict[str, Any] = {
        "id": "si_1", "channel": channel, "tollgate": gate, "lane": 1, "kind": "red_light", "at": now,
        "plate": "皖A12B45", "confidence": 0.9, "plate_colour": "blue", "words": "straight", "light": "red",
        "light_source": "controller", "signal": "north-1", "clock_error_ms": 200,
        "pictures": (*pictures, MomentShown("02", now, jpeg(90, 30))),
        "networks": (NetworkUsed("locator", "aa11"), NetworkUsed("reader", "bb22")), "threshold": 0.8, **more,
    }  # fmt: skip
    return OffenceSeen(**values)


async def test_what_our_own_analysis_caught_is_a_candidate_with_its_pictures_once(
    house: Any, admin: Any, camera: str, districts: dict[str, Any]
) -> None:
    caught = house.services.caught
    assert await caught.take(seen(house, districts["own_gate"], camera))
    assert not await caught.take(seen(house, districts["own_gate"], camera))
    (one,) = (await admin.ok("GET", "violations"))["items"]
    assert (one["kind"], one["code"], one["plate"], one["lane"]) == ("red_light", "1625", "皖A12B45", 1)
    assert (one["unfit"], one["light_source"], one["channel"], one["place_name"]) == (
        [],
        "controller",
        camera,
        "own gate",
    )
    assert [picture["kind"] for picture in one["pictures"]] == ["14", "14", "14", "02"]
    assert one["details"] == {
        "signal": "north-1", "networks": "locator sha256:aa11, reader sha256:bb22", "threshold": 0.8,
    }  # fmt: skip
    none = MomentShown("14", house.clock.now_us(), b"no picture")
    await caught.take(seen(house, districts["own_gate"], camera, id="si_2", pictures=(none,)))
    assert (await admin.ok("GET", "violations"))["items"][0]["unfit"] == ["pictures"]


async def test_an_estimate_of_the_speed_is_shown_at_review_and_is_the_ground_of_nothing(
    house: Any, admin: Any, camera: str, districts: dict[str, Any]
) -> None:
    fast = SpeedEstimated(131.4, 4.2, 9, 31.0)
    await house.services.caught.take(seen(house, districts["own_gate"], camera, speed=fast))
    (one,) = (await admin.ok("GET", "violations"))["items"]
    assert (one["kind"], one["speed_kmh"], one["speed_error_kmh"], one["unfit"]) == ("red_light", None, None, [])
    about = {name: one["details"][f"estimated_speed_{name}"] for name in ("kmh", "uncertainty_kmh")}
    assert about == {"kmh": 131.4, "uncertainty_kmh": 4.2}


async def test_of_a_checkpoint_that_is_gone_and_of_no_kind_nothing_is_taken(
    house: Any, camera: str, districts: dict[str, Any]
) -> None:
    gone, here = fresh("tg"), districts["own_gate"]
    for said in (seen(house, gone, camera), seen(house, here, camera, kind="parking")):
        with pytest.raises(InvalidError) as refused:
            await house.services.caught.take(said)
        assert refused.value.code == "reading_refused"
