"""Ships as their users see them: added by their number, told apart from vehicles, and why something is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from safecity.core.ground.duties.parts import signal_parts
from safecity.core.upper.traffic.operator import read_position
from safecity.model.facts.envelope import Event
from safecity.model.facts.signal_calls import (
    AisShip,
    ApplySignal,
    DeviceFigure,
    DeviceFigures,
    PlatformIdentity,
    UnknownFigure,
)

MMSI = "412345678"


@pytest.fixture
async def ship(admin: Any) -> dict[str, Any]:
    return await admin.ok("POST", "devices", {"kind": "ais", "code": MMSI, "name": "HAI XUN 06"})


async def test_a_ship_is_added_by_its_number_and_nothing_is_to_be_typed_into_it(
    admin: Any, ship: dict[str, Any]
) -> None:
    assert (ship["kind"], ship["code"], ship["registration"], ship["channels"]) == ("ais", MMSI, None, 0)
    assert (ship["state"], ship["step"]) == ("never", "ais_never_heard")
    assert "ais_never_heard" not in ship["sentence"]
    again = await admin.ask("POST", "devices", {"kind": "ais", "code": MMSI})
    assert again.json()["code"] == "device_code_taken"


@pytest.mark.parametrize("code", ["", "41234567", "4123456789", "41234567a", "000000000", "４１２３４５６７８"])
async def test_what_is_no_mmsi_is_refused(admin: Any, code: str) -> None:
    answer = await admin.ask("POST", "devices", {"kind": "ais", "code": code})
    assert (answer.status_code, answer.json()["code"]) == (400, "ais_mmsi")


async def test_that_two_use_its_number_is_told_while_it_is_online(house: Any, admin: Any, ship: dict[str, Any]) -> None:
    await house.online(ship["id"], MMSI)
    figure = DeviceFigure(ship["id"], MMSI, "online", 1, code_of_refusal="ais_two_places")
    house.services.duties.figures = DeviceFigures((figure,))
    seen = await admin.ok("GET", f"devices/{ship['id']}")
    assert (seen["state"], seen["step"]) == ("online", "ais_two_places")
    assert "MMSI" in seen["sentence"]


async def test_strangers_are_listed_with_what_they_are(house: Any, admin: Any) -> None:
    heard = UnknownFigure(MMSI, "10.1.1.1:4000", "tcp", "HAI XUN 06", house.clock.now_us(), 3, kind="ais")
    house.services.duties.figures = DeviceFigures((), (heard,))
    (one,) = (await admin.ok("GET", "devices/unknown"))["items"]
    assert (one["kind"], one["code"], one["user_agent"]) == ("ais", MMSI, "HAI XUN 06")


async def test_its_place_is_on_the_map_and_on_no_road(house: Any, admin: Any, ship: dict[str, Any]) -> None:
    body = {
        "device": ship["id"], "code": MMSI, "longitude": 118.3, "latitude": 31.3, "speed": 5.0, "direction": 90.0,
        "travels": "water",
    }  # fmt: skip
    await house.publish("position.received", ship["id"], body)
    place = (await admin.ok("GET", f"devices/{ship['id']}"))["position"]
    assert (place["longitude"], place["latitude"], place["speed"]) == (118.3, 31.3, 18.0)
    event = Event(kind="position.received", subject=ship["id"], at=1, seen=1, body=body)
    assert list(read_position(event)) == []
    assert len(list(read_position(Event(kind=event.kind, subject="x", at=1, seen=1, body=body | {"travels": ""})))) == 1


def test_many_ships_reach_signalling_in_parts() -> None:
    us = PlatformIdentity(code="34020000002000000001", domain="3402000000", public_host="10.0.0.1")
    ships = tuple(AisShip(f"dv_{number}", f"{number:09d}") for number in range(1, 2_000))
    parts = signal_parts(ApplySignal(1, us, (), (), ships=ships), limit=5_000)
    assert len(parts) > 5
    assert tuple(one for part in parts for one in part.ships) == ships
