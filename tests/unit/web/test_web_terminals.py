"""Vehicle terminals as their users see them: why something is wrong with one, and where it was last."""

from __future__ import annotations

from typing import Any

import pytest

from safecity.model.facts.envelope import Event
from safecity.model.facts.signal_calls import DeviceFigure, DeviceFigures

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
