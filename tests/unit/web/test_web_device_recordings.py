"""The recordings in a device, through the API: found, played, steered, closed to whoever may not see the channel."""

from __future__ import annotations

from typing import Any

import msgspec

from safecity.kit.errors import NotFoundError, UnavailableError
from safecity.kit.ids import fresh
from safecity.model.facts.signal_calls import (
    AskDevicePlayback,
    AskRecordings,
    DevicePlayback,
    DeviceRecording,
    DeviceRecordings,
    StartDevicePlayback,
    SteerDevicePlayback,
)
from safecity.model.values.ticket import verify

CODE, CAMERA = "34020000001180000001", "34020000001310000001"
START, END = "2026-01-02T00:00:00Z", "2026-01-02T01:00:00Z"
START_US = 1_767_312_000_000_000
WINDOW = {"start": START, "end": END}


async def camera(house: Any, admin: Any) -> dict[str, Any]:
    device = await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": "recorder"})
    await house.catalogue(device["id"], {"code": CAMERA, "name": "gate"})
    return (await admin.ok("GET", "channels"))["items"][0]


def playing(house: Any) -> None:
    """Signal knows every session that was begun, an hour in."""

    def tell(message: AskDevicePlayback) -> DevicePlayback:
        for begun in house.calls.of(StartDevicePlayback):
            if begun.session == message.session:
                return DevicePlayback(
                    begun.session, begun.channel, begun.start, begun.end, begun.start + 60_000_000,
                    download_speed=begun.download_speed,
                )  # fmt: skip
        raise AssertionError(message)

    house.calls.answers[AskDevicePlayback] = tell


async def test_what_a_device_has_is_listed_in_order_and_said_k_of_n(house: Any, admin: Any) -> None:
    channel = await camera(house, admin)
    files = (DeviceRecording(START_US, START_US + 1_800_000_000, "gate", "time", "/a", 7),)
    house.calls.answers[AskRecordings] = DeviceRecordings(files, complete=False, received=1, total=2)
    path = f"channels/{channel['id']}/device-recordings"
    found = await admin.ok("GET", f"{path}?start={START}&end={END}&kind=time")
    assert (found["complete"], found["received"], found["total"]) == (False, 1, 2)
    assert found["items"] == [
        {"start": "2026-01-02T00:00:00.000000Z", "end": "2026-01-02T00:30:00.000000Z", "name": "gate", "kind": "time",
         "path": "/a", "bytes": 7}
    ]  # fmt: skip
    asked = house.calls.of(AskRecordings)[0]
    assert (asked.channel, asked.start, asked.kind) == (channel["id"], START_US, "time")
    for wrong in (f"?start={END}&end={START}", f"?start={START}&end=2027-01-01T00:00:00Z"):
        assert (await admin.ask("GET", path + wrong)).json()["code"] == "range_invalid"


async def test_a_stretch_is_played_steered_and_ended(house: Any, admin: Any) -> None:
    channel = await camera(house, admin)
    playing(house)
    begun = await admin.ok("POST", f"channels/{channel['id']}/device-playback", WINDOW)
    session = begun["session"]
    wish = house.calls.of(StartDevicePlayback)[0]
    assert (wish.session, wish.channel, wish.start, wish.end - wish.start) == (
        session, channel["id"], START_US, 3_600_000_000,
    )  # fmt: skip
    ticket = verify(
        begun["url"].rpartition("/")[2], house.services.keys.keys, house.clock.now_us() / 1e6
    )  # fmt: skip
    assert (ticket.channel, ticket.action, f"media-{ticket.slot}") == (session, "live", channel["slot"])
    assert "/v1/live/" in begun["url"]
    path = f"device-playbacks/{session}"
    shown = await admin.ok("GET", path)
    assert (shown["channel"], shown["position"]) == (channel["id"], "2026-01-02T00:01:00.000000Z")
    for act in (
        {"action": "pause"},
        {"action": "seek", "at": "2026-01-02T00:10:00Z"},
        {"action": "speed", "speed": -2},
    ):
        await admin.ok("POST", path, act)
    steered = [(one.action, one.value) for one in house.calls.of(SteerDevicePlayback)]
    assert steered == [("pause", 0.0), ("seek", 600.0), ("scale", -2.0)]
    again = await admin.ok("POST", f"{path}/address")
    assert again["url"] != begun["url"]
    assert (await admin.ask("DELETE", path)).status_code == 204
    assert house.calls.of(SteerDevicePlayback)[-1].action == "stop"
    house.calls.answers[AskDevicePlayback] = NotFoundError("over", code="gb_no_session")
    for method in ("GET", "DELETE"):
        assert (await admin.ask(method, path)).json()["code"] == "gb_no_session"
    entries = (await admin.ok("GET", f"audit?object={channel['id']}"))["items"]
    assert any(entry["details"].get("from_device") for entry in entries)


async def test_a_fetch_asks_for_its_speed_and_a_failed_step_is_said_in_words(house: Any, admin: Any) -> None:
    channel = await camera(house, admin)
    playing(house)
    path = f"channels/{channel['id']}/device-playback"
    begun = await admin.ok("POST", path, {**WINDOW, "speed": 4})
    assert house.calls.of(StartDevicePlayback)[0].download_speed == 4
    assert (await admin.ok("GET", f"device-playbacks/{begun['session']}"))["fetching"] == 4
    house.calls.answers[StartDevicePlayback] = UnavailableError("x", code="gb_no_packet", params={"seconds": 15})
    refused = await admin.ask("POST", path, WINDOW)
    assert (refused.status_code, refused.json()["code"]) == (503, "gb_no_packet")
    assert refused.json()["detail"]


async def test_sessions_are_closed_to_those_who_may_not_see_the_channel(house: Any, admin: Any) -> None:
    area = await admin.ok("POST", "areas", {"name": "elsewhere", "code": "35"})
    channel = await camera(house, admin)
    playing(house)
    session = (await admin.ok("POST", f"channels/{channel['id']}/device-playback", WINDOW))["session"]
    user = {"username": "eve35", "password": "correct horse battery", "roles": ["operator"], "areas": [area["id"]]}
    await admin.ok("POST", "users", user)
    eve = house.client()
    await eve.sign_in("eve35", user["password"])
    path = f"device-playbacks/{session}"
    window = f"?start={START}&end={END}"
    assert (await eve.ask("GET", f"channels/{channel['id']}/device-recordings{window}")).status_code == 404
    assert (await eve.ask("POST", f"channels/{channel['id']}/device-playback", WINDOW)).status_code == 404
    assert (await eve.ask("GET", path)).status_code == 404
    assert (await eve.ask("POST", path, {"action": "pause"})).status_code == 404
    assert (await eve.ask("POST", f"{path}/address")).status_code == 404
    assert (await eve.ask("DELETE", path)).status_code == 404
    assert not house.calls.of(SteerDevicePlayback)
    for name in ("ch_1", fresh("ch"), "dp_" + "z" * 26, "x" * 3000):
        assert (await admin.ask("GET", f"device-playbacks/{name}")).status_code in (404, 414)


async def test_a_pulled_camera_offers_none(admin: Any) -> None:
    await admin.ok("POST", "devices", {"kind": "rtsp", "url": "rtsp://192.0.2.1/live", "name": "pulled"})
    channel = (await admin.ok("GET", "channels"))["items"][0]["id"]
    refused = await admin.ask("POST", f"channels/{channel}/device-playback", WINDOW)
    assert refused.json()["code"] == "recordings_not_offered"


def test_sessions_fit_old_and_new_signalling() -> None:
    """Fields are only ever added at the end."""
    wire = msgspec.msgpack.encode(StartDevicePlayback("dp_1", "ch_1", 1, 2))
    assert msgspec.msgpack.decode(wire, type=StartDevicePlayback).download_speed == 0
