"""Telling a vehicle to do something: who may, what is written down, and what is said when it does not."""

from __future__ import annotations

from typing import Any

import pytest

from safecity.kit.errors import RefusedError, UnavailableError
from safecity.model.facts.vehicle_calls import (
    AskPassed,
    LockVehicle,
    PassedUp,
    RestartTerminal,
    SayTerminal,
    TellDriver,
    TerminalDid,
    TerminalPassed,
    TerminalSaid,
    TrackVehicle,
)

PHONE = "13912345678"
NAME = "皖A12345"


@pytest.fixture
async def bus(house: Any, admin: Any) -> str:
    """A vehicle."""
    made = await admin.ok("POST", "devices", {"kind": "jt808", "code": PHONE, "name": NAME})
    await house.online(made["id"], PHONE)
    return str(made["id"])


async def written(admin: Any, action: str) -> list[dict[str, Any]]:
    """What the audit says, oldest first."""
    return [one for one in (await admin.ok("GET", "audit"))["items"][::-1] if one["action"] == action]


async def somebody(house: Any, admin: Any, role: str) -> Any:
    await admin.ok("POST", "users", {"username": role, "password": "correct horse battery", "roles": [role]})
    client = house.client()
    await client.sign_in(role)
    return client


async def drives(house: Any, bus: str, metres_a_second: float) -> None:
    body = {"device": bus, "code": PHONE, "longitude": 121.4, "latitude": 31.2, "speed": metres_a_second}
    await house.publish("position.received", bus, body)


async def test_words_for_the_driver_go_out_and_are_in_the_log_with_what_came_of_them(
    house: Any, admin: Any, bus: str
) -> None:
    operator = await somebody(house, admin, "operator")
    await operator.ok("POST", f"devices/{bus}/text", {"text": "请回站", "spoken": True, "reason": "road closed"})
    assert house.calls.of(TellDriver) == [TellDriver(bus, "请回站", display=True, spoken=True)]
    asked, answered = await written(admin, "vehicle.message")
    assert (asked["actor_name"], asked["reason"], asked["details"]["text"]) == ("operator", "road closed", "请回站")
    assert (answered["outcome"], answered["details"]["stage"]) == ("done", "answered")


async def test_a_vehicle_that_cannot_is_told_in_words_and_in_the_log(house: Any, admin: Any, bus: str) -> None:
    house.calls.answers[TellDriver] = RefusedError("3", code="terminal_unsupported")
    answer = await admin.ask("POST", f"devices/{bus}/text", {"text": "x"})
    assert (answer.status_code, answer.json()["detail"]) == (502, "This terminal cannot do that.")
    house.calls.answers[TellDriver] = UnavailableError("-", code="terminal_no_answer")
    assert (await admin.ask("POST", f"devices/{bus}/text", {"text": "x"})).status_code == 503
    said = [(one["outcome"], one["reason"]) for one in await written(admin, "vehicle.message")]
    assert said[1::2] == [("failed", "terminal_unsupported"), ("failed", "terminal_no_answer")]


async def test_doors_need_a_right_of_their_own_and_the_name_typed(house: Any, admin: Any, bus: str) -> None:
    operator, supervisor = await somebody(house, admin, "operator"), await somebody(house, admin, "supervisor")
    wish = {"locked": True, "confirm": NAME}
    house.calls.answers[LockVehicle] = TerminalDid(locked=True, place=(121.4, 31.2))
    assert (await operator.ask("POST", f"devices/{bus}/doors", wish)).status_code == 403
    wrong = await supervisor.ask("POST", f"devices/{bus}/doors", {**wish, "confirm": "皖A12346"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "confirm_wrong")
    assert house.calls.of(LockVehicle) == []
    assert (await supervisor.ok("POST", f"devices/{bus}/doors", wish))["locked"] is True
    assert (await supervisor.ask("POST", f"devices/{bus}/restart", {"confirm": ""})).status_code == 400
    await supervisor.ok("POST", f"devices/{bus}/restart", {"confirm": NAME})
    assert house.calls.of(RestartTerminal) == [RestartTerminal(bus)]


async def test_doors_are_not_opened_while_it_drives(house: Any, admin: Any, bus: str) -> None:
    await drives(house, bus, 12.0)
    opened = {"locked": False, "confirm": NAME}
    answer = await admin.ask("POST", f"devices/{bus}/doors", opened)
    assert (answer.status_code, answer.json()["code"]) == (409, "vehicle_moves")
    assert "43 km/h" in answer.json()["detail"]
    await admin.ok("POST", f"devices/{bus}/doors", {**opened, "locked": True})
    await drives(house, bus, 0.0)
    await admin.ok("POST", f"devices/{bus}/doors", opened)
    await drives(house, bus, 12.0)
    house.clock.advance(121)  # nobody knows what it does now
    await admin.ok("POST", f"devices/{bus}/doors", opened)


async def test_only_a_vehicle_is_followed_and_a_viewer_follows_none(house: Any, admin: Any, bus: str) -> None:
    await admin.ok("POST", f"devices/{bus}/track", {"every_seconds": 5, "seconds": 300})
    assert house.calls.of(TrackVehicle) == [TrackVehicle(bus, 5, 300)]
    await admin.ok("POST", f"devices/{bus}/locate")
    camera = await admin.ok("POST", "devices", {"kind": "gb28181", "code": "34020000001320000001"})
    answer = await admin.ask("POST", f"devices/{camera['id']}/track", {"every_seconds": 5})
    assert (answer.status_code, answer.json()["code"]) == (400, "not_a_vehicle")
    viewer = await somebody(house, admin, "viewer")
    assert (await viewer.ask("POST", f"devices/{bus}/track", {"every_seconds": 5})).status_code == 403


async def test_a_text_that_would_appear_nowhere_is_no_text(admin: Any, bus: str) -> None:
    nowhere = {"text": "x", "display": False}
    assert (await admin.ask("POST", f"devices/{bus}/text", nowhere)).status_code == 422


async def test_a_message_of_the_standard_is_said_by_whoever_may_control_and_no_secret_of_it_is_written_down(
    house: Any, admin: Any, bus: str
) -> None:
    house.calls.answers[SayTerminal] = TerminalSaid(0x0104, {"parameters": []})
    path, ask = f"devices/{bus}/message", {"message": "8106", "fields": {"ids": [41]}, "confirm": NAME}
    assert await admin.ok("POST", path, ask) == {"message": "0104", "fields": {"parameters": []}}
    house.calls.answers[SayTerminal] = TerminalSaid()
    upload = {
        "message": "9206",
        "fields": {"host": "10.0.0.5", "port": 21, "password": "secret"},
        "confirm": NAME,
        "reason": "case 7",
    }
    assert (await admin.ok("POST", path, upload))["message"] is None
    assert house.calls.of(SayTerminal)[1] == SayTerminal(bus, 0x9206, upload["fields"])
    asked, answered = (await written(admin, "vehicle.control"))[-2:]
    assert (asked["reason"], asked["details"]["message"]) == ("case 7", "9206")
    assert asked["details"]["fields"] == "host password port"
    assert asked["details"]["to"] == "host=10.0.0.5 port=21", "where what was recorded goes"
    assert answered["outcome"] == "done"
    assert "secret" not in str(await admin.ok("GET", "audit"))
    wrong = await admin.ask("POST", path, {**ask, "confirm": "other"})
    assert wrong.json()["code"] == "confirm_wrong"
    operator = await somebody(house, admin, "operator")
    assert (await operator.ask("POST", path, ask)).status_code == 403
    house.calls.answers[SayTerminal] = RefusedError("no", code="terminal_not_said", params={"message": "8105"})
    refused = await admin.ask("POST", path, {**ask, "message": "8105"})
    assert refused.json()["code"] == "terminal_not_said"
    assert (await admin.ask("POST", path, {**ask, "message": "81"})).status_code == 422


async def test_no_picture_is_taken_by_a_message_without_what_a_picture_needs(house: Any, admin: Any, bus: str) -> None:
    house.calls.answers[SayTerminal] = TerminalSaid(0x0805, {"serial": 1, "result": 0, "media_ids": [7]})
    path = f"devices/{bus}/message"
    ask = {"message": "8801", "fields": {"channel": 1, "command": 1}, "confirm": NAME}
    refused = await admin.ask("POST", path, ask)
    assert (refused.status_code, refused.json()["code"]) == (400, "purpose_needed")
    assert house.calls.of(SayTerminal) == []
    assert (await admin.ok("POST", path, {**ask, "purpose": "security"}))["message"] == "0805"
    assert (await written(admin, "vehicle.control"))[-2]["details"]["purpose"] == "security"


async def test_what_came_through_a_terminal_is_read_by_who_may_control_it_and_that_is_written_down(
    house: Any, admin: Any, bus: str
) -> None:
    house.calls.answers[AskPassed] = TerminalPassed((PassedUp(1_790_000_000_000_000, 65, 2000, b"\x00\xffab"),))
    operator = await somebody(house, admin, "operator")
    assert (await operator.ask("GET", f"devices/{bus}/transparent")).status_code == 403
    told = await admin.ok("GET", f"devices/{bus}/transparent?reason=why")
    assert told == {
        "items": [{"at": "2026-09-21T14:13:20.000000Z", "kind": 65, "bytes": 2000, "data": "00ff6162"}], "key": None,
    }  # fmt: skip
    (look,) = await written(admin, "vehicle.control")
    assert (look["object"], look["reason"], look["details"]["order"]) == (bus, "why", "transparent")
    house.calls.answers[AskPassed] = TerminalPassed((), 65_537, b"\x01" * 128, 1_790_000_000_000_000)
    told = await admin.ok("GET", f"devices/{bus}/transparent")
    assert told == {"items": [], "key": {"at": "2026-09-21T14:13:20.000000Z", "e": 65_537, "n": "01" * 128}}
    camera = await admin.ok("POST", "devices", {"kind": "gb28181", "code": "34020000001320000001"})
    refused = await admin.ask("GET", f"devices/{camera['id']}/transparent")
    assert refused.json()["code"] == "not_a_vehicle"
    house.calls.answers[AskPassed] = UnavailableError("gone", code="duty_unreachable")
    assert (await admin.ask("GET", f"devices/{bus}/transparent")).status_code == 503
