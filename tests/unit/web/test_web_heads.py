"""What of a camera's head can be steered, what it remembers, and where what moves was seen last."""

from __future__ import annotations

from typing import Any

import pytest

from safecity.kit.errors import UnavailableError
from safecity.model.facts.signal_calls import Answered, QueryDevice, Steer

CODE = "34020000001320000001"


async def camera(house: Any, admin: Any, version: str, ptz_type: int = 1) -> str:
    device = await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": "gate"})
    body = {"device": device["id"], "code": CODE, "address": "10.0.0.9:5060", "version": version}
    await house.publish("device.went_online", device["id"], body)
    await house.catalogue(device["id"], {"code": CODE, "name": "gate", "ptz_type": ptz_type})
    return (await admin.ok("GET", "channels"))["items"][0]["id"]


async def test_the_edition_tells_what_may_be_and_a_person_what_is_not(house: Any, admin: Any) -> None:
    channel = await camera(house, admin, "2.0")
    head = await admin.ok("GET", f"channels/{channel}/ptz")
    assert {"move", "iris", "cruise", "scan", "home", "aux_1"} <= set(head["offers"])
    assert not {"precise", "track"} & set(head["possible"]), "those came with the edition of 2022"
    chosen = ["aux_3", "move", "preset", "track"]
    await admin.ok("PATCH", f"channels/{channel}", {"ptz_offers": chosen})
    assert (await admin.ok("GET", f"channels/{channel}/ptz"))["offers"] == ["move", "preset", "aux_3"]
    refused = await admin.ask("PATCH", f"channels/{channel}", {"ptz_offers": ["teleport"]})
    assert (refused.status_code, refused.json()["code"]) == (400, "choice")
    await admin.ok("PATCH", f"channels/{channel}", {"ptz_offers": None})
    assert "cruise" in (await admin.ok("GET", f"channels/{channel}/ptz"))["offers"]


async def test_a_camera_that_stands_still_offers_nothing(house: Any, admin: Any) -> None:
    channel = await camera(house, admin, "3.0", ptz_type=3)
    assert (await admin.ok("GET", f"channels/{channel}/ptz"))["offers"] == []


async def test_a_cruise_that_the_device_cannot_list_is_known_from_what_was_set(house: Any, admin: Any) -> None:
    channel = await camera(house, admin, "2.0")
    say = lambda **act: admin.ok("POST", f"channels/{channel}/ptz", act)  # noqa: E731
    for point in (1, 2, 1):
        await say(action="cruise_add", number=3, second=point)
    await say(action="cruise_dwell", number=3, value=12)
    await say(action="cruise_speed", number=3, value=300)
    (cruise,) = (await admin.ok("GET", f"channels/{channel}/cruises"))["items"]
    assert cruise == {"number": 3, "name": "", "points": [1, 2, 1], "speed": 300, "dwell": 12, "told_by": "platform"}
    await say(action="cruise_delete", number=3, second=1)
    assert (await admin.ok("GET", f"channels/{channel}/cruises"))["items"][0]["points"] == [2]
    house.calls.answers[Steer] = UnavailableError("silent", code="device_silent")
    assert (await admin.ask("POST", f"channels/{channel}/ptz", {"action": "cruise_delete", "number": 3})).is_error
    assert (await admin.ok("GET", f"channels/{channel}/cruises"))["items"], "what the device did not take still stands"
    del house.calls.answers[Steer]
    await say(action="cruise_delete", number=3)
    assert (await admin.ok("GET", f"channels/{channel}/cruises"))["items"] == []
    assert not house.calls.of(QueryDevice), "a device of 2016 is not asked what it cannot answer"


async def test_a_device_of_2022_lists_its_cruises_and_says_where_home_is(house: Any, admin: Any) -> None:
    channel = await camera(house, admin, "3.0")

    def answer(message: QueryDevice) -> Answered:
        if message.command == "CruiseTrackListQuery":
            return Answered({"CruiseTrackList": {"CruiseTrack": [{"Number": 1, "Name": "night"}]}})
        if message.command == "CruiseTrackQuery":
            assert message.fields == {"Number": 1}
            points = [{"PresetIndex": 4, "StayTime": 20, "Speed": 7}, {"PresetIndex": 5, "StayTime": 20, "Speed": 7}]
            return Answered({"Number": 1, "CruisePointList": {"CruisePoint": points}})
        return Answered({"HomePosition": {"Enabled": 1, "ResetTime": 90, "PresetIndex": 4}})

    house.calls.answers[QueryDevice] = answer
    (cruise,) = (await admin.ok("GET", f"channels/{channel}/cruises"))["items"]
    assert (cruise["name"], cruise["points"], cruise["dwell"], cruise["told_by"]) == ("night", [4, 5], 20, "device")
    home = await admin.ok("GET", f"channels/{channel}/home")
    assert home == {"known": True, "enabled": True, "preset": 4, "seconds": 90}
    house.calls.answers[QueryDevice] = UnavailableError("silent", code="device_silent")
    assert (await admin.ok("GET", f"channels/{channel}/cruises"))["items"] == []
    assert (await admin.ok("GET", f"channels/{channel}/home"))["known"] is False


@pytest.mark.parametrize("stranger", ["", "34020000001320009999"])
async def test_a_device_says_where_it_is_and_only_that(house: Any, admin: Any, stranger: str) -> None:
    channel = await camera(house, admin, "2.0")
    device = (await admin.ok("GET", f"channels/{channel}"))["device"]
    await admin.ok("PATCH", f"devices/{device}", {"position_seconds": 10})
    assert (await admin.ok("GET", f"devices/{device}"))["position_seconds"] == 10
    assert (await admin.ok("GET", f"channels/{channel}"))["position"] is None
    body = {"device": device, "code": stranger or CODE, "longitude": 118.4, "latitude": 31.3, "speed": 10.0}
    await house.publish("position.received", channel, body)
    await house.publish("position.received", channel, {**body, "latitude": 95.0})
    seen = (await admin.ok("GET", f"channels/{channel}"))["position"]
    if stranger:
        assert seen is None, "a code that is none of its channels fills no table"
    else:
        assert (seen["longitude"], seen["latitude"], seen["speed"], seen["altitude"]) == (118.4, 31.3, 36.0, None)


async def test_a_camera_in_a_vehicle_offers_what_its_terminal_can_and_is_asked_for_no_views(
    house: Any, admin: Any
) -> None:
    bus = await admin.ok("POST", "devices", {"kind": "jt808", "code": "13912345678", "name": "bus"})
    await admin.ok("POST", f"devices/{bus['id']}/cameras", {"numbers": [1]})
    channel = (await admin.ok("GET", "channels"))["items"][0]["id"]
    assert (await admin.ok("GET", f"channels/{channel}/ptz"))["offers"] == [], "no terminal says that it has a head"
    await admin.ok("PATCH", f"channels/{channel}", {"ptz": True})
    head = await admin.ok("GET", f"channels/{channel}/ptz")
    assert head["offers"] == head["possible"] == ["move", "zoom", "focus", "iris", "aux_1", "aux_2"]
    await admin.ok("PATCH", f"channels/{channel}", {"ptz_offers": ["move", "aux_3", "preset"]})
    assert (await admin.ok("GET", f"channels/{channel}/ptz"))["offers"] == ["move"]
    for what in ("presets", "cruises"):
        assert (await admin.ok("GET", f"channels/{channel}/{what}"))["items"] == []
    assert not (await admin.ok("GET", f"channels/{channel}/home"))["known"]
    assert not house.calls.of(QueryDevice)
    await admin.ok("POST", f"channels/{channel}/ptz", {"action": "move", "pan": 0.5})
    assert house.calls.of(Steer) == [Steer(channel, "move", pan=0.5)]
