"""Fences as their users see them: made by who may, heard by the seats they are for, and rung once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.web.test_web_events_socket import dial, hear, port
from tests.unit.web.test_web_watches_push import heard

from safecity.model.facts.envelope import Event, Mode

__all__ = ["port"]
GOLDEN = Path(__file__).parents[2] / "vectors" / "events"
PHONE, NAME = "13912345678", "皖A12345"
PARK = (118.3700, 31.3300)
STEP = 0.001
"""Degrees of longitude: 95 m there."""
SECOND = 1_000_000


@pytest.fixture
async def bus(house: Any, admin: Any) -> str:
    """A vehicle."""
    return str((await admin.ok("POST", "devices", {"kind": "jt808", "code": PHONE, "name": NAME}))["id"])


class Driving:
    """What the vehicle tells, ten seconds apart."""

    def __init__(self, house: Any, device: str) -> None:
        self.house, self.device = house, device

    def event(self, steps: float, kmh: float = 30.0, *, at: int = 0, late: bool = False, status: int = 3) -> Event:
        """So many steps east of the middle of the park."""
        now = self.house.clock.now_us()
        body = {
            "device": self.device, "code": PHONE, "channel": "", "longitude": PARK[0] + steps * STEP,
            "latitude": PARK[1], "speed": kmh / 3.6, "status": status,
        }  # fmt: skip
        mode = Mode.BACKFILL if late else Mode.LIVE
        return Event(kind="position.received", subject=self.device, at=at or now, seen=now, mode=mode, body=body)

    async def tell(self, *events: Event) -> None:
        await self.house.bus.publish(list(events))
        await self.judge()

    async def judge(self) -> None:
        while await self.house.services.fence_follower.step():
            pass

    async def go(self, *places: float, kmh: float = 30.0, status: int = 3) -> None:
        """From place to place."""
        for steps in places:
            self.house.clock.advance(10)
            await self.tell(self.event(steps, kmh, status=status))


@pytest.fixture
def drive(house: Any, bus: str) -> Driving:
    return Driving(house, bus)


CIRCLE = {"name": "People's Park", "kind": "circle", "points": [list(PARK)], "metres": 200, "on_enter": True}


async def alarms(admin: Any) -> list[tuple[str, str]]:
    """Kind and description, oldest first."""
    return [(one["type"], one["description"]) for one in (await admin.ok("GET", "alarms"))["items"][::-1]]


async def test_entering_rings_once_however_the_fix_wanders_at_the_line(admin: Any, drive: Driving) -> None:
    await admin.ok("POST", "fences", CIRCLE)
    await drive.go(5, 3)
    assert await alarms(admin) == []
    # The line is 2.1 steps from the middle: 190 m is inside, 209 and 219 m are within the band outside.
    await drive.go(2.0, 2.2, 2.0, 2.3, 2.0)
    assert await alarms(admin) == [("fence_enter", "People's Park")]
    await drive.go(4, 1)
    assert len(await alarms(admin)) == 2
    (alarm, _) = (await admin.ok("GET", "alarms"))["items"]
    assert (alarm["name"], alarm["priority"], alarm["kind"]) == (NAME, 2, "Entered a fence")


async def test_a_vehicle_that_was_inside_when_the_fence_was_made_did_not_enter(admin: Any, drive: Driving) -> None:
    await drive.go(0)
    fence = await admin.ok("POST", "fences", {**CIRCLE, "on_leave": True})
    await drive.go(0, 0.5)
    assert await alarms(admin) == []
    await drive.go(4)
    assert await alarms(admin) == [("fence_leave", "People's Park")]
    # Another circle is another fence: where it is now is no news.
    await admin.ok("PATCH", f"fences/{fence['id']}", {"metres": 1000}, headers={"if-match": '"1"'})
    await drive.go(4, 5)
    assert len(await alarms(admin)) == 1


async def test_what_was_driven_in_a_tunnel_rings_with_its_own_time_and_nothing_twice(
    house: Any, admin: Any, drive: Driving
) -> None:
    await admin.ok("POST", "fences", {**CIRCLE, "on_leave": True})
    await drive.go(5)
    begin = house.clock.now_us()
    house.clock.advance(600)
    await drive.tell(drive.event(6))  # it was through the park meanwhile, which nobody knows yet
    assert await alarms(admin) == []
    kept = [(60, 4.0), (120, 1.0), (180, 0.0), (240, -1.0), (300, 4.0)]
    late = [drive.event(steps, at=begin + seconds * SECOND, late=True) for seconds, steps in kept]
    await drive.tell(*late)
    await drive.tell(*late)  # it did not hear our answer and sent them again
    assert await alarms(admin) == [("fence_enter", "People's Park"), ("fence_leave", "People's Park")]
    rung = {one["type"]: one["at_us"] - begin for one in await raw(house)}
    assert rung == {"fence_enter": 120 * SECOND, "fence_leave": 300 * SECOND}


async def raw(house: Any) -> list[dict[str, Any]]:
    """Alarms as they are stored."""
    from sqlalchemy import select

    from safecity.core.ground.alarms.store import alarms as table

    rows = await house.services.database.read(lambda tx: tx.rows(select(table.c.type, table.c.at)))
    return [{"type": row["type"], "at_us": row["at"]} for row in rows]


async def test_too_fast_inside_must_last_and_hovering_at_the_limit_rings_once(admin: Any, drive: Driving) -> None:
    limit = {"on_enter": False, "speed_kmh": 40, "speed_seconds": 15, "metres": 3000}
    await admin.ok("POST", "fences", {**CIRCLE, **limit})
    await drive.go(0, kmh=30)
    await drive.go(1, kmh=50)
    await drive.go(2, kmh=30)  # ten seconds are none
    assert await alarms(admin) == []
    await drive.go(3, kmh=50)
    await drive.go(4, 5, kmh=45)
    assert await alarms(admin) == [("fence_speed", "People's Park")]
    await drive.go(6, 7, kmh=38)
    await drive.go(8, 9, 10, kmh=42)
    assert len(await alarms(admin)) == 1
    await drive.go(11, kmh=20)
    await drive.go(12, 13, 14, kmh=60)
    assert len(await alarms(admin)) == 2


async def test_a_leap_of_the_receiver_is_no_leaving(admin: Any, drive: Driving) -> None:
    await admin.ok("POST", "fences", {**CIRCLE, "on_leave": True})
    await drive.go(0, 0, 90, 0, 0)
    assert await alarms(admin) == []
    await drive.go(90, 90.1)  # two that agree are believed, however it got there
    assert await alarms(admin) == [("fence_leave", "People's Park")]


async def test_only_at_its_hours_and_from_the_first_minute_of_them_on(house: Any, admin: Any, drive: Driving) -> None:
    # The clock of the house stands at 22:13 UTC on a Tuesday: 6:13 of Wednesday there.
    hours = {"from_minute": 6 * 60 + 20, "until_minute": 7 * 60, "days": [3]}
    await admin.ok("POST", "fences", {**CIRCLE, **hours})
    await drive.go(5, 0)
    assert await alarms(admin) == []
    house.clock.advance(600)  # 6:23, and it still stands there
    await drive.go(0)
    assert await alarms(admin) == [("fence_enter", "People's Park")]
    house.clock.advance(3600)
    await drive.go(5, 0)
    await admin.sign_in("root")
    assert len(await alarms(admin)) == 1


async def test_a_fence_for_some_vehicles_lets_others_pass(admin: Any, house: Any, drive: Driving) -> None:
    other = (await admin.ok("POST", "devices", {"kind": "jt808", "code": "13900000002", "name": "B"}))["id"]
    await admin.ok("POST", "fences", {**CIRCLE, "vehicles": [other]})
    await drive.go(5, 0)
    assert await alarms(admin) == []
    second = Driving(house, other)
    await second.go(5, 0)
    assert len(await alarms(admin)) == 1
    gone = {**CIRCLE, "vehicles": ["dv_0000000000000000000000000a"]}
    assert (await admin.ask("POST", "fences", gone)).status_code == 404


async def test_it_rings_for_its_seats_alone_and_what_happened_is_on_the_bus(
    house: Any, admin: Any, drive: Driving
) -> None:
    await admin.ok("POST", "fences", {**CIRCLE, "seats": ["role:supervisor"]})
    clients = {}
    for role in ("operator", "supervisor"):
        await admin.ok("POST", "users", {"username": role, "password": "correct horse battery", "roles": [role]})
        clients[role] = house.client()
        await clients[role].sign_in(role)
    await drive.go(5, 0, 5)
    assert len((await clients["supervisor"].ok("GET", "alarms"))["items"]) == 1
    assert (await clients["operator"].ok("GET", "alarms"))["items"] == []
    while await house.services.relay.step():
        pass
    told = [event for _, event in await house.bus.pull("test", ("fence.*",))]
    assert [(event.kind, event.body["rule"]) for event in told] == [
        ("fence.breach_began", "fence_enter"), ("fence.breach_ended", "fence_enter"),
    ]  # fmt: skip
    assert_as_golden(told)


def assert_as_golden(told: list[Event]) -> None:
    """Each has the fields of its golden event, of the same kinds."""
    for event in told:
        golden = json.loads((GOLDEN / f"{event.kind}.v1.json").read_text("utf-8"))["body"]
        assert {name: type(value) for name, value in event.body.items()} == {
            name: type(value) for name, value in golden.items()
        }


async def test_state_is_on_the_disk_with_the_alarm(house: Any, admin: Any, drive: Driving) -> None:
    await admin.ok("POST", "fences", CIRCLE)
    await drive.go(5, 0)
    again = type(house.services.fence_follower)(
        house.services.database, house.bus, house.clock, house.services.settings, lambda _: None, lambda: None
    )
    house.services.fence_follower = again
    await house.bus.rewind("fences", 0)  # as if the process had died before it said that it read them
    await drive.judge()
    await drive.go(0.5)
    assert len(await alarms(admin)) == 1


OFF, OFF_LOCKED, ON = 2, 2 | 1 << 12, 3


async def test_a_vehicle_that_is_towed_or_taken_away_locked_is_told(house: Any, admin: Any, drive: Driving) -> None:
    await drive.go(0, 1, kmh=30, status=OFF)  # its ignition was never seen on: perhaps it is not wired
    await drive.go(2, 3, kmh=30, status=ON)
    await drive.go(3, kmh=0, status=OFF_LOCKED)
    assert await alarms(admin) == []
    await drive.go(3.5, 4, 5, 6, 7, 8, 9, kmh=25, status=OFF_LOCKED)
    assert sorted(await alarms(admin)) == [("away", ""), ("tow", "")]
    await drive.go(10, 11, 12, kmh=30, status=ON)
    assert len(await alarms(admin)) == 2
    while await house.services.relay.step():
        pass
    told = [event for _, event in await house.bus.pull("test", ("vehicle.*",))]
    assert sorted(event.kind for event in told) == ["vehicle.theft_over"] * 2 + ["vehicle.theft_suspected"] * 2
    assert_as_golden(told)


async def test_a_vehicle_that_drives_after_its_driver_signed_out_is_told(admin: Any, drive: Driving) -> None:
    async def go(*places: float, driver: bool | None) -> None:
        for steps in places:
            drive.house.clock.advance(10)
            event = drive.event(steps, 30)
            event.body["driver"] = driver
            await drive.tell(event)

    await go(0, 1, 2, 3, driver=None)  # its terminal knows no cards
    await go(4, 5, 6, 7, driver=True)
    assert await alarms(admin) == []
    await go(8, 9, 10, 11, driver=False)
    assert await alarms(admin) == [("no_driver", "")]


async def test_a_wrong_fence_is_refused_with_the_field_that_is_wrong(admin: Any) -> None:
    for wrong, field in (
        ({"on_enter": False}, "rules"),
        ({"metres": 1}, "metres"),
        ({"kind": "polygon"}, "points"),
        ({"kind": "polygon", "points": [[1, 1], [2, 2], [3, 3]]}, "points"),
        ({"valid_until": "1970-01-01T00:00:00Z"}, "valid_until"),
    ):
        answer = await admin.ask("POST", "fences", {**CIRCLE, **wrong})
        assert (answer.status_code, answer.json()["params"]["field"]) == (400, field)


async def test_what_a_vehicle_did_at_a_fence_is_pushed_to_nobody_of_another_district(
    house: Any, admin: Any, bus: str, drive: Driving, port: int
) -> None:
    areas = [
        (await admin.ok("POST", "areas", {"name": name, "code": code}))["id"]
        for name, code in (("A", "34"), ("B", "35"))
    ]
    await admin.ok("PATCH", f"devices/{bus}", {"area": areas[0]}, headers={"if-match": '"1"'})
    clients = []
    for name, area in zip(("north", "south"), areas, strict=True):
        user = {"username": name, "password": "correct horse battery", "grants": [{"role": "operator", "area": area}]}
        await admin.ok("POST", "users", user)
        clients.append(house.client())
        await clients[-1].sign_in(name)
    await admin.ok("POST", "fences", CIRCLE)
    async with dial(port, clients[0]) as own, dial(port, clients[1]) as foreign:
        await drive.go(5, 0)
        while await house.services.relay.step():
            pass
        kind = "fence.breach_began"
        assert (await hear(own, lambda one: one.get("event", {}).get("kind") == kind))["event"]["subject"] == bus
        house.services.hub.changed([("area", "")])
        assert kind not in await heard(foreign)


async def test_a_clock_that_was_once_years_ahead_blinds_no_fence(house: Any, admin: Any, bus: str) -> None:
    await admin.ok("POST", "fences", CIRCLE)
    driving = Driving(house, bus)
    await driving.go(5)
    house.clock.advance(10)
    await driving.tell(driving.event(5, at=house.clock.now_us() + 10 * 366 * 86_400 * SECOND))
    await driving.go(0, 0)
    (alarm,) = (await admin.ok("GET", "alarms"))["items"]
    assert alarm["kind"] == "Entered a fence"
    while await house.services.relay.step():
        pass
    ended = [event for _, event in await house.bus.pull("test", ("fence.breach_ended",))]
    assert ended == []  # it is still inside
