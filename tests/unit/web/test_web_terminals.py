"""Vehicle terminals as their users see them: why something is wrong with one, and where it was last."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from safecity.kit.errors import UnavailableError
from safecity.model.facts.envelope import Event
from safecity.model.facts.signal_calls import ApplySignal, DeviceFigure, DeviceFigures
from safecity.model.facts.vehicle_calls import ConfirmAlarms, TerminalDid

PHONE = "13912345678"


@pytest.fixture
async def terminal(house: Any, admin: Any) -> str:
    made = await admin.ok("POST", "devices", {"kind": "jt808", "code": PHONE})
    device = str(made["id"])
    await house.online(device, PHONE)
    return device


@pytest.mark.parametrize("reason", ["jt_already_here", "jt_other_phone", "jt_bad_body"])
async def test_what_is_done_in_a_terminals_name_is_told_while_it_is_online(
    house: Any, admin: Any, terminal: str, reason: str
) -> None:
    assert (await admin.ok("GET", f"devices/{terminal}"))["sentence"] == ""
    figure = DeviceFigure(terminal, PHONE, "online", 1, code_of_refusal=reason)
    house.services.duties.figures = DeviceFigures((figure,))
    seen = await admin.ok("GET", f"devices/{terminal}")
    assert (seen["state"], seen["step"]) == ("online", reason)
    assert seen["sentence"]
    assert reason not in seen["sentence"]


async def test_the_last_of_several_positions_counts_under_whatever_name_they_come(
    house: Any, admin: Any, terminal: str
) -> None:
    now = house.clock.now_us()
    events = [
        Event(
            kind="position.received", subject=terminal, at=now, seen=now,
            body={"device": terminal, "code": code, "longitude": longitude, "latitude": 31.2},
        )
        for code, longitude in (("", 121.1), (PHONE, 121.2), ("", 121.3))
    ]  # fmt: skip
    await house.bus.publish(events)
    intake, alone = house.services.intake, []

    async def not_alone(one: Any) -> None:
        alone.append(one)

    intake._alone = not_alone
    while await intake.step():
        pass
    assert alone == []
    assert (await admin.ok("GET", f"devices/{terminal}"))["position"]["longitude"] == 121.3


async def test_an_alarm_is_nowhere_rather_than_beyond_the_pole(house: Any, admin: Any, terminal: str) -> None:
    body = {"device": terminal, "code": PHONE, "method": 4, "type": "jt808-0", "longitude": 121.4, "latitude": 120.0}
    await house.publish("alarm.received", terminal, body)
    (alarm,) = (await admin.ok("GET", "alarms"))["items"]
    assert alarm["latitude"] is None


async def told(house: Any, terminal: str, *numbers: int, code: str = "") -> None:
    """The terminal tells its cameras."""
    items = [{"code": code or str(n), "number": n, "name": f"皖A12345 {n}", "stream_number": 2} for n in numbers]
    await house.catalogue(terminal, *items, complete=False)


async def test_its_cameras_stand_below_it_and_are_not_recorded_until_somebody_says_so(
    house: Any, admin: Any, terminal: str
) -> None:
    assert (await admin.ok("GET", "tree?pictures=true"))["items"] == []
    await told(house, terminal, 1, 2)
    await told(house, terminal, 1)  # what it leaves out stays: recordings and rights hang on it
    await told(house, terminal, 3, code="no number")
    channels = (await admin.ok("GET", f"channels?device={terminal}"))["items"]
    assert [(one["code"], one["present"], one["record"]["mode"]) for one in channels] == [
        ("1", True, "off"),
        ("2", True, "off"),
    ]
    assert [one["qualities"] for one in channels] == [["main", "sub"]] * 2
    (node,) = (await admin.ok("GET", "tree?pictures=true"))["items"]
    assert (node["id"], node["total"]) == (terminal, 2)
    await house.services.duties.push()
    wanted = house.calls.of(ApplySignal)[-1]
    assert [(one.number, one.device) for one in wanted.terminal_channels] == [(1, terminal), (2, terminal)]
    assert wanted.channels == ()


async def test_a_camera_that_is_lost_is_an_alarm_of_that_camera_where_it_is_known(
    house: Any, admin: Any, terminal: str
) -> None:
    await told(house, terminal, 1, 2)
    camera = next(one for one in (await admin.ok("GET", f"channels?device={terminal}"))["items"] if one["code"] == "2")
    for code in ("2", "7"):
        body = {"device": terminal, "code": code, "method": 5, "type": f"jt1078-15-{int(code) - 1}", "priority": 4}
        await house.publish("alarm.received", terminal, body)
    alarms = {one["kind"]: one for one in (await admin.ok("GET", "alarms"))["items"]}
    known, other = alarms["Camera 2 of the vehicle lost"], alarms["Camera 7 of the vehicle lost"]
    assert (known["name"], known["channel"], known["device"]) == (camera["name"], camera["id"], terminal)
    assert (other["name"], other["channel"], other["device"]) == (PHONE, None, terminal)


async def test_cameras_of_a_terminal_that_does_not_tell_them_are_added_by_number(
    house: Any, admin: Any, terminal: str
) -> None:
    await told(house, terminal, 2)
    for _ in range(2):
        await admin.ok("POST", f"devices/{terminal}/cameras", {"numbers": [1, 2, 40]})
    channels = (await admin.ok("GET", f"channels?device={terminal}"))["items"]
    assert {one["code"]: one["name"] for one in channels} == {
        "1": f"{PHONE} 驾驶员",
        "2": "皖A12345 2",
        "40": f"{PHONE} CH40",
    }
    await admin.ok("PUT", "wizard/platform", {"language": "en"})
    await admin.ok("POST", f"devices/{terminal}/cameras", {"numbers": [1, 3]})
    channels = (await admin.ok("GET", f"channels?device={terminal}"))["items"]
    assert {one["code"]: one["name"] for one in channels if one["code"] in "13"} == {
        "1": f"{PHONE} 驾驶员",
        "3": f"{PHONE} front door",
    }
    camera = await admin.ok("POST", "devices", {"kind": "gb28181", "code": "34020000001320000001"})
    refused = await admin.ask("POST", f"devices/{camera['id']}/cameras", {"numbers": [1]})
    assert refused.json()["code"] == "not_a_vehicle"


async def test_a_terminal_is_told_to_send_its_pictures_over_tcp_or_udp_and_nothing_else(
    house: Any, admin: Any, terminal: str
) -> None:
    assert (await admin.ok("GET", f"devices/{terminal}"))["transport"] == "tcp"
    await admin.ok("PATCH", f"devices/{terminal}", {"transport": "udp"})
    await house.services.duties.push()
    (told,) = house.calls.of(ApplySignal)[-1].terminals
    assert (told.phone, told.transport) == (PHONE, "udp")
    refused = await admin.ask("PATCH", f"devices/{terminal}", {"transport": "tcp_active"})
    assert (refused.status_code, refused.json()["code"]) == (400, "choice")


async def reports(house: Any, terminal: str, kind: str) -> None:
    """Its terminal raises an alarm."""
    body = {
        "device": terminal, "code": PHONE, "channel": "", "priority": 1, "method": 8, "type": kind,
        "event_type": None, "time_us": house.clock.now_us(), "description": "", "longitude": None, "latitude": None,
    }  # fmt: skip
    await house.publish("alarm.received", terminal, body)


async def confirmed(house: Any) -> list[ConfirmAlarms]:
    """What terminals were told; nobody else waits for it."""
    await asyncio.gather(*house.services.vehicle_orders._confirming)
    return list(house.calls.of(ConfirmAlarms))


async def test_who_takes_notice_of_an_alarm_takes_it_off_the_terminal_too(
    house: Any, admin: Any, terminal: str
) -> None:
    """Of an SOS and the others that are reported until somebody confirms them (JT/T 808, 0x8203); not of a speed."""
    for kind in ("jt808-0", "jt808-1", "jsatl-65-1"):
        await reports(house, terminal, kind)
    house.calls.answers[ConfirmAlarms] = UnavailableError("away", code="device_offline")
    alarms = (await admin.ok("GET", "alarms"))["items"]
    assert len(alarms) == 3
    for one in alarms:
        await admin.ok("POST", f"alarms/{one['id']}/acknowledge")
    assert await confirmed(house) == [ConfirmAlarms(terminal, 1)]


async def test_who_takes_notice_of_an_old_sos_does_not_silence_the_one_of_now(
    house: Any, admin: Any, terminal: str
) -> None:
    house.calls.answers[ConfirmAlarms] = TerminalDid()
    for kind in ("jt808-0", "jt808-0", "jt808-27"):
        await reports(house, terminal, kind)
        house.clock.advance(60)
    _, new, old = [one["id"] for one in (await admin.ok("GET", "alarms"))["items"]]
    await admin.ok("POST", f"alarms/{old}/acknowledge")
    assert await confirmed(house) == []
    await admin.ok("POST", f"alarms/{new}/acknowledge")
    assert await confirmed(house) == [ConfirmAlarms(terminal, 1)]
