"""Two checkpoints, many drivers: how long the road takes is told, who drove it is not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select, text
from tests.unit.web.test_web_watches import FAR_GATE, GATE, audited, city, client_of, moment

from safecity.core.upper.traveltimes import marks, tables
from safecity.core.upper.traveltimes.following import TravelFollower
from safecity.core.upper.traveltimes.keys import Keys
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import UnavailableError

__all__ = ["city"]
PLATES = [f"皖A{number:05}" for number in range(10_000, 10_040)]


@pytest.fixture
async def road(house: Any, admin: Any, city: dict[str, Any]) -> dict[str, Any]:
    """Five kilometres from the own gate to the foreign one."""
    section = {"name": "Ring road", "entry": city["own_gate"], "exit": city["foreign_gate"], "length_m": 5_000}
    return {**city, "section": await admin.ok("POST", "traffic/sections", section)}


async def follow(house: Any) -> None:
    while await house.services.relay.step() or await house.services.travel_follower.step():
        pass


def seen(house: Any, gate: str, minute: float, plate: str, **more: Any) -> dict[str, Any]:
    return {
        "tollgate": gate, "reference": f"{gate}{minute}{plate}", "source": "camera", "at": moment(house, minute),
        "plate": plate, "confidence": 0.9, "lane": 1, **more,
    }  # fmt: skip


async def report(house: Any, admin: Any, *items: dict[str, Any]) -> None:
    await admin.ok("POST", "sightings", {"items": [*items]})
    await follow(house)


async def drives(house: Any, admin: Any, minutes: list[float], *, arrival: float = -1.0) -> None:
    """Vehicles that arrive five seconds after one another and drove for so many minutes each."""
    every: list[dict[str, Any]] = []
    for number, took in enumerate(minutes):
        at, plate = arrival + number / 12, PLATES[number]
        every += [seen(house, GATE, at - took, plate), seen(house, FAR_GATE, at, plate)]
    await report(house, admin, *every)


async def section(client: Any, road: dict[str, Any]) -> dict[str, Any]:
    return await client.ok("GET", f"traffic/sections/{road['section']['id']}")


async def history(client: Any, road: dict[str, Any], **asked: Any) -> list[dict[str, Any]]:
    return (await client.ok("GET", f"traffic/sections/{road['section']['id']}/times", params=asked))["items"]


async def test_what_the_road_takes_now_is_told_without_who_stopped_on_the_way(
    house: Any, admin: Any, road: dict[str, Any]
) -> None:
    await drives(house, admin, [5.0, 5.2, 4.8, 5.1, 25.0, 4.9, 5.0], arrival=-2.0)
    told = await section(admin, road)
    now = told["now"]
    assert (now["seconds"], now["vehicles"], now["left_out"], now["speed_kmh"]) == (300.0, 6, 1, 60.0)
    assert 288 <= now["low_seconds"] < 300 < now["high_seconds"] <= 312
    assert now["at"] == moment(house, -1.5)
    assert (told["entry_name"], told["exit_name"], told["usual_seconds"]) == ("own gate", "foreign gate", None)
    assert told["recent"] == await history(admin, road)
    assert sum(one["vehicles"] for one in told["recent"]) == 6


async def test_the_way_back_is_a_section_of_its_own_and_who_turns_round_counts_once_each_way(
    house: Any, admin: Any, road: dict[str, Any]
) -> None:
    back = {"name": "back", "entry": road["foreign_gate"], "exit": road["own_gate"], "length_m": 5_000}
    other = {**road, "section": await admin.ok("POST", "traffic/sections", back)}
    for plate in PLATES[:3]:
        for gate, minute in ((GATE, -14.0), (FAR_GATE, -9.0), (FAR_GATE, -8.0), (GATE, -2.0), (GATE, -1.0)):
            await report(house, admin, seen(house, gate, minute, plate))
    there, again = (await section(admin, road))["now"], (await section(admin, other))["now"]
    assert (there["seconds"], there["vehicles"]) == (300.0, 3)
    assert (again["seconds"], again["vehicles"]) == (360.0, 3)


async def test_lanes_that_are_named_count_alone(house: Any, admin: Any, road: dict[str, Any]) -> None:
    path = f"traffic/sections/{road['section']['id']}"
    assert (await admin.ok("PATCH", path, {"exit_lanes": [2]}))["exit_lanes"] == [2]
    await drives(house, admin, [5.0] * 3)
    assert (await section(admin, road))["now"] is None
    await report(house, admin, *(seen(house, FAR_GATE, -0.4, plate, lane=2, reference=plate) for plate in PLATES[:3]))
    assert (await section(admin, road))["now"]["vehicles"] == 3


async def test_neither_order_nor_repeats_of_what_cameras_tell_make_a_difference(
    house: Any, admin: Any, road: dict[str, Any]
) -> None:
    took = [5.0, 5.2, 4.8, 5.1]
    every = [
        each
        for number, minutes in enumerate(took)
        for each in (seen(house, GATE, -2 - minutes, PLATES[number]), seen(house, FAR_GATE, -2, PLATES[number]))
    ]
    for one in (*reversed(every), *every):
        await report(house, admin, one)
    await house.services.bus.rewind("travel", 0)
    await follow(house)
    now = (await section(admin, road))["now"]
    assert (now["vehicles"], now["left_out"], now["seconds"]) == (4, 0, pytest.approx(303.0))


async def test_a_vehicle_seen_again_at_the_entry_drove_from_then_on_also_when_that_is_heard_of_late(
    house: Any, admin: Any, road: dict[str, Any]
) -> None:
    await drives(house, admin, [12.0] * 3)
    again = [seen(house, GATE, -1 + number / 12 - 6, PLATES[number], reference=f"late{number}") for number in range(3)]
    await report(house, admin, *again)
    now = (await section(admin, road))["now"]
    assert (now["seconds"], now["vehicles"]) == (360.0, 3)


async def test_what_a_camera_corrects_or_takes_back_no_longer_counts(
    house: Any, admin: Any, road: dict[str, Any]
) -> None:
    await drives(house, admin, [5.0] * 4)
    assert (await section(admin, road))["now"]["vehicles"] == 4
    first = seen(house, FAR_GATE, -1.0, PLATES[0])
    await report(house, admin, {**first, "plate": "皖A99999"})
    assert (await section(admin, road))["now"]["vehicles"] == 3
    await report(house, admin, first)
    assert (await section(admin, road))["now"]["vehicles"] == 4


@pytest.mark.parametrize(
    ("more", "gate"),
    [
        ({"plate": "皖A1?000"}, {}),
        ({"plate": ""}, {}),
        ({"confidence": 0.3}, {}),
        ({}, {"purposes": ["security"]}),
        ({}, {"restricted": True}),
    ],
)
async def test_unsure_plates_and_passages_kept_for_something_else_are_measured_by_nobody(
    more: dict[str, Any], gate: dict[str, Any], house: Any, admin: Any, road: dict[str, Any]
) -> None:
    if gate:
        await admin.ok("PATCH", f"tollgates/{road['foreign_gate']}", gate)
    for minute, where in ((-6.0, GATE), (-1.0, FAR_GATE)):
        await report(house, admin, {**seen(house, where, minute, PLATES[0]), **more})
    assert (await section(admin, road))["now"] is None
    assert await history(admin, road) == []


async def test_fewer_than_three_vehicles_are_told_only_to_those_who_see_all_of_them_anyway(
    house: Any, admin: Any, road: dict[str, Any]
) -> None:
    await drives(house, admin, [5.0, 5.1], arrival=-9)
    stranger = await client_of(house, "stranger")
    assert (await section(admin, road))["now"]["vehicles"] == 2
    told = await section(stranger, road)
    assert (told["now"], told["recent"], told["least"]) == (None, [], 3)
    assert await history(stranger, road) == []
    assert told["entry_name"] == ""  # it lies in a district that is not theirs
    # The same vehicle again is no third one.
    await report(house, admin, seen(house, GATE, -8.0, PLATES[0]), seen(house, FAR_GATE, -3.0, PLATES[0]))
    assert (await section(stranger, road))["now"] is None
    await report(house, admin, seen(house, GATE, -5.2, PLATES[2]), seen(house, FAR_GATE, -0.1, PLATES[2]))
    assert (await section(stranger, road))["now"]["vehicles"] == 3


async def test_no_plate_is_in_what_is_kept_and_its_pseudonyms_go_with_their_key(
    house: Any, admin: Any, road: dict[str, Any]
) -> None:
    await drives(house, admin, [5.0] * 3)
    follower, file = house.services.travel_follower, house.services.web.run_dir / "travel-keys.json"

    async def kept() -> list[Any]:
        def work(tx: Any) -> list[Any]:
            found = [tx.rows(select(table)) for table in (marks.marks, marks.drives, tables.times)]
            return [[dict(row) for row in rows] for rows in found]

        return await house.services.database.read(work)

    every, trips, sums = await kept()
    assert (len(every), len(trips)) == (6, 3)
    assert not any(plate in str([every, trips, sums]) for plate in PLATES)
    assert not any(isinstance(value, bytes) for row in sums for name, value in row.items() if name != "section")
    before = json.loads(file.read_text())
    assert file.stat().st_mode & 0o077 == 0

    house.clock.advance(3600)
    await follower.forget()
    assert set(before.values()) & set(json.loads(file.read_text()).values())  # somebody may still be under way
    house.clock.advance(4 * 3600)
    await follower.forget()
    assert not set(before.values()) & set(json.loads(file.read_text()).values())
    every, trips, left = await kept()
    assert (every, trips, left) == ([], [], sums)
    await admin.sign_in("root")
    assert len(await history(admin, road)) == len(sums)


async def test_who_drives_while_the_key_changes_is_known_again_at_the_exit(
    house: Any, admin: Any, road: dict[str, Any]
) -> None:
    house.clock.advance(7200 - house.clock.now_us() // SECOND_US % 7200 + 150)  # two and a half minutes into a period
    await admin.sign_in("root")
    await drives(house, admin, [5.0] * 3)
    assert (await section(admin, road))["now"]["vehicles"] == 3


async def test_after_a_restart_the_keys_are_the_same_and_after_their_end_they_are_gone(
    house: Any, admin: Any, road: dict[str, Any]
) -> None:
    await report(house, admin, *(seen(house, GATE, -4, plate) for plate in PLATES[:3]))
    file = house.services.web.run_dir / "travel-keys.json"

    def again() -> TravelFollower:
        return TravelFollower(house.services.database, house.bus, Keys(file), house.clock)

    house.services.travel_follower = again()
    await report(house, admin, *(seen(house, FAR_GATE, 0, plate) for plate in PLATES[:3]))
    assert (await section(admin, road))["now"]["seconds"] == 240.0

    await report(house, admin, *(seen(house, GATE, 1, plate) for plate in PLATES[3:6]))
    house.clock.advance(5 * 3600)
    await admin.sign_in("root")
    house.services.travel_follower = again()
    await report(house, admin, *(seen(house, FAR_GATE, 0, plate) for plate in PLATES[3:6]))
    late = [seen(house, gate, -295 + took, plate) for plate in PLATES[6:9] for gate, took in ((GATE, 0), (FAR_GATE, 5))]
    await report(house, admin, *late)  # what was kept back for so long has no key any more
    assert (await section(admin, road))["now"] is None
    assert len(await history(admin, road)) == 1


async def test_who_is_killed_between_what_is_kept_and_its_acknowledgement_counts_nobody_twice(
    house: Any, admin: Any, road: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(*_: Any) -> None:
        raise UnavailableError("killed", code="killed")

    with monkeypatch.context() as patched, pytest.raises(UnavailableError):
        patched.setattr(house.bus, "acknowledge", killed)
        await drives(house, admin, [5.0] * 4)
    await follow(house)
    assert (await section(admin, road))["now"]["vehicles"] == 4


async def test_what_is_usual_is_learnt_from_the_same_time_on_such_days(
    house: Any, admin: Any, road: dict[str, Any]
) -> None:
    for took in (6.0, 5.0, 7.0):  # Wednesday is the day after the first Tuesday; a week lies between the others
        await drives(house, admin, [took] * 3, arrival=-1)
        house.clock.advance(7 * 86_400)
        await admin.sign_in("root")
    told = await section(admin, road)
    assert (told["usual_seconds"], told["now"]) == (360.0, None)
    house.clock.advance(4 * 86_400)  # Saturday
    await admin.sign_in("root")
    assert (await section(admin, road))["usual_seconds"] is None


async def test_times_are_swept_after_three_months(house: Any, admin: Any, road: dict[str, Any]) -> None:
    await drives(house, admin, [5.0] * 3)
    assert await house.services.travel_times.sweep() == 0
    house.clock.advance(93 * 86_400)
    assert await house.services.travel_times.sweep() >= 1
    assert await house.services.database.read(lambda tx: tx.rows(text("SELECT * FROM travel_times"))) == []


async def test_sections_are_changed_by_those_of_the_district_and_the_change_is_written_down(
    house: Any, admin: Any, road: dict[str, Any]
) -> None:
    path = f"traffic/sections/{road['section']['id']}"
    officer, stranger = await client_of(house, "officer"), await client_of(house, "stranger")
    assert (await officer.ok("GET", "traffic/sections"))["items"] == []  # it lies where its exit lies
    assert (await officer.ask("GET", path)).status_code == 404
    assert [one["name"] for one in (await stranger.ok("GET", "traffic/sections"))["items"]] == ["Ring road"]
    wish = {"name": "Mine", "entry": road["own_gate"], "exit": road["foreign_gate"], "length_m": 900}
    assert (await stranger.ask("POST", "traffic/sections", wish)).status_code == 404  # its entry is not theirs to see
    bad = await admin.ask("PATCH", path, {"exit": road["own_gate"]})
    assert (bad.status_code, bad.json()["code"], bad.json()["params"]) == (
        400, "travel_section_invalid", {"field": "exit"},
    )  # fmt: skip
    stale = await admin.ask("PATCH", path, {"name": "A"}, headers={"if-match": '"7"'})
    assert stale.json()["code"] == "changed_meanwhile"
    await admin.ok("DELETE", path)
    assert (await admin.ask("GET", path)).status_code == 404
    assert [one["object_name"] for one in await audited(admin, "traffic.change")] == ["Ring road", "Ring road"]
