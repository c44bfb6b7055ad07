"""Vehicles that stand where others drive: found, told, decided about by people, and over when they drive on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select
from tests.unit.traffic.standstill import METRE, NOW, STREET, TRUNK, Road

from safecity.core.upper.traffic.incidents import Stop, courses, followed, known_stops
from safecity.core.upper.traffic.judging import Cluster, IncidentKind
from safecity.core.upper.traffic.standing import Standing
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import ConflictError, NotFoundError
from safecity.model.facts.envelope import Event
from safecity.ports.database import Tx

GOLDEN = Path(__file__).resolve().parents[2] / "vectors" / "events"


@pytest.fixture
async def road(tmp_path: Path) -> AsyncIterator[Road]:
    made = Road(tmp_path)
    await made.begin()
    yield made
    await made.bus.close()
    await made.database.close()


async def test_who_stops_on_a_trunk_road_is_an_incident_until_they_drive_on(road: Road) -> None:
    await road.stop("a", 1_500)
    (one,) = await road.look(180)
    assert (one.kind, one.state, one.vehicles, one.began_at) == ("stopped", "open", 1, (NOW + 25) * SECOND_US)
    assert (one.longitude, one.latitude) == (TRUNK, pytest.approx(59.3 + 1_500 * METRE))
    assert [each.id for each in await road.look(190)] == [one.id]
    await road.say("a", 200, 1_600, speed=10)
    assert await road.look(205) == []
    began, ended = await road.told()
    assert (began.kind, ended.kind) == ("traffic.incident_began", "traffic.incident_ended")
    assert (began.subject, ended.subject, ended.body["why"]) == (one.id, one.id, "moved")
    for event in (began, ended):
        golden = json.loads((GOLDEN / f"{event.kind}.v1.json").read_text("utf-8"))
        assert golden["body"].keys() == event.body.keys()
        assert "a" not in [event.subject, *event.body.values()], "which vehicle it is, is nobody's business"


@pytest.mark.parametrize("every", [1, 10, 30])
async def test_however_often_they_report_they_stand_after_a_minute_and_a_half(road: Road, every: float) -> None:
    await road.stop("a", 1_500, stands=60, every=every)
    assert await road.look(90) == []
    await road.stop("b", 1_500, start=100, stands=120, every=every)
    assert len(await road.look(250)) == 1


async def test_a_terminal_that_goes_dead_does_not_stand(road: Road) -> None:
    await road.stop("a", 1_500, stands=60)
    await road.say("a", 400, 1_500, speed=0)
    assert await road.look(405) == [], "nobody knows what was between the two"


async def test_silence_ends_what_nobody_confirmed_and_nothing_that_somebody_did(road: Road) -> None:
    await road.stop("a", 1_500)
    await road.stop("b", 3_500)
    first, second = await road.look(180)
    await road.following.decide(first.id, "confirmed", "chief")
    assert len(await road.look(500)) == 2, "five minutes of silence are no news"
    (left,) = await road.look(1_200)
    assert (left.id, left.state, left.decided_by) == (first.id, "confirmed", "chief")
    assert [(event.subject, event.body["why"]) for event in await road.told() if event.kind.endswith("ended")] == [
        (second.id, "silent")
    ]
    await road.following.decide(first.id, "cleared", "chief")
    assert await road.look(1_201) == []


async def test_one_that_was_confirmed_ends_after_a_day_of_silence_and_says_so(road: Road) -> None:
    await road.stop("a", 1_500)
    (one,) = await road.look(180)
    await road.following.decide(one.id, "confirmed", "chief")
    await road.following.keep_house()
    assert len(await road.look(23 * 3_600)) == 1
    await road.following.keep_house()
    assert await road.look(24 * 3_600 + 300) == []
    assert [event.body["why"] for event in await road.told()][-1] == "lost"


async def test_who_is_heard_again_where_it_stood_has_not_left_and_who_drives_on_after_an_hour_has(road: Road) -> None:
    await road.stop("a", 1_500)
    (one,) = await road.look(180)
    await road.say("a", 300, 1_500, speed=0)
    assert [each.id for each in await road.look(305)] == [one.id]
    await road.following.decide(one.id, "confirmed", "chief")
    await road.say("other", 2_500, 0, on=STREET, speed=9)
    await road.say("other", 3_600, 0, on=STREET, speed=9)
    assert [each.id for each in await road.look(3_600)] == [one.id]
    await road.say("a", 3_700, 2_600, speed=20)
    assert await road.look(3_705) == []
    assert [event.body["why"] for event in await road.told()][-1] == "moved"


async def test_a_clock_that_is_a_day_ahead_keeps_no_incident_alive_and_its_own_vehicle_is_believed_once_it_is_right(
    road: Road,
) -> None:
    await road.stop("a", 1_500)
    (one,) = await road.look(180)
    real = road.bus.publish
    with pytest.MonkeyPatch.context() as patched:
        came = round((NOW + 180) * SECOND_US)
        patched.setattr(road.bus, "publish", lambda events: real([replace(each, seen=came) for each in events]))
        await road.stop("b", 1_500, start=86_400)
    await road.look(181)
    assert await road.look(900) == []
    assert [event.body["why"] for event in await road.told()][-1] == "silent"
    await road.stop("b", 1_500, start=1_000)
    (again,) = await road.look(1_180)
    assert again.id != one.id


async def test_who_was_parked_lies_or_jumps_is_no_incident(road: Road) -> None:
    for n in range(8):
        await road.say("parked", 30 * n, 1_500, speed=0)
        await road.say("liar", 30 * n, 500 if n == 0 else 2_500, speed=20 if n < 1 else 15)
        await road.say("jumps", 30 * n, 0 if n == 0 else 3_500, speed=0)  # 420 km/h
    assert await road.look(215) == []


async def test_on_a_street_it_takes_two_at_one_place_and_traffic_that_is_held_up_behind_them(road: Road) -> None:
    await road.stop("a", 1_500, on=STREET)
    assert await road.look(180) == [], "one stands at the kerb"
    await road.stop("b", 1_510, on=STREET, start=180)
    for second in (210, 240, 270, 300, 330, 355):
        await road.say("a", second, 1_500, on=STREET, speed=0)
    assert await road.look(360) == [], "two may do so as well"
    road.creep(201, 8, second=330)
    (one,) = await road.look(361)
    assert (one.kind, one.vehicles) == ("accident", 2)


async def test_a_queue_is_not_its_own_cause(road: Road) -> None:
    await road.stop("head", 2_800)
    for n in range(1, 4):
        await road.stop(f"v{n}", 2_800 - 80 * n, start=n)
    (one,) = await road.look(180)
    assert one.latitude == pytest.approx(59.3 + 2_800 * METRE)
    # A jam before them: the whole road stands.
    await road.begin()
    assert [each.id for each in await road.look(181)] == [one.id], "what began goes on"


async def test_who_waits_behind_a_jam_is_no_incident(road: Road) -> None:
    road.creep(102, 8, second=120)
    await road.look(121)
    await road.stop("a", 1_900)
    assert await road.look(180) == []


async def test_what_comes_an_hour_late_is_history(road: Road) -> None:
    await road.look(3_600)
    await road.stop("a", 1_500)
    assert await road.look(3_601) == []


async def test_a_stop_becomes_an_accident_when_another_one_stands_there_and_traffic_slows(road: Road) -> None:
    await road.stop("a", 1_500)
    (one,) = await road.look(180)
    await road.following.decide(one.id, "confirmed", "chief")
    await road.stop("b", 1_490, start=180)
    for second in (210, 240, 270, 300, 330, 355):
        await road.say("a", second, 1_500, speed=0)
    road.creep(101, 10, second=330)
    (grown,) = await road.look(360)
    assert (grown.id, grown.kind, grown.vehicles, grown.state) == (one.id, "accident", 2, "confirmed")
    assert [event.kind.removeprefix("traffic.incident_") for event in await road.told()] == [
        "began", "changed", "changed",
    ]  # fmt: skip


async def test_a_stop_that_was_dismissed_hides_no_accident_that_happens_there(road: Road) -> None:
    await road.stop("a", 1_500)
    (one,) = await road.look(180)
    await road.following.decide(one.id, "dismissed", "chief")
    await road.stop("b", 1_490, start=180)
    for second in (210, 240, 270, 300, 330, 355):
        await road.say("a", second, 1_500, speed=0)
    assert await road.look(359) == [], "a second one is still none"
    road.creep(101, 10, second=330)
    (crash,) = await road.look(360)
    assert (crash.id != one.id, crash.kind, crash.vehicles) == (True, "accident", 2)
    assert [each.id for each in await road.look(361)] == [crash.id]
    assert [event.kind.removeprefix("traffic.incident_") for event in await road.told()] == [
        "began", "dismissed", "began",
    ]  # fmt: skip


async def test_what_was_dismissed_comes_again_with_the_next_vehicle_but_not_at_a_known_stop(road: Road) -> None:
    await road.stop("a", 1_500)
    (one,) = await road.look(180)
    await road.following.decide(one.id, "dismissed", "chief")
    assert await road.look(181) == []
    await road.say("a", 185, 2_000, speed=20)
    await road.look(186)
    await road.stop("b", 1_505, start=190)
    (again,) = await road.look(370)
    assert again.id != one.id
    await road.following.decide(again.id, "known_stop", "chief")
    await road.say("b", 375, 2_000, speed=20)
    await road.look(376)
    await road.stop("c", 1_495, start=380)
    assert await road.look(560) == []
    assert [event.kind.removeprefix("traffic.incident_") for event in await road.told()] == [
        "began", "dismissed", "began", "dismissed",
    ]  # fmt: skip


async def test_a_life_that_ends_at_any_moment_begins_no_incident_twice(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    await road.stop("a", 1_500)
    real = road.bus.publish

    async def dies(events: list[Event]) -> int:
        await real(events)
        raise OSError("killed")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="killed"):
        patched.setattr(road.bus, "publish", dies)
        await road.look(180)
    (one,) = road.following.incidents
    await road.begin()
    assert [each.id for each in await road.look(181)] == [one.id]
    assert [event.kind for event in await road.told()] == ["traffic.incident_began"]
    await road.say("a", 200, 1_800, speed=20)
    await road.begin()
    assert await road.look(205) == []


async def test_nobody_decides_about_what_is_over(road: Road) -> None:
    await road.stop("a", 1_500)
    (one,) = await road.look(180)
    await road.following.decide(one.id, "cleared", "chief")
    with pytest.raises(ConflictError) as refused:
        await road.following.decide(one.id, "confirmed", "chief")
    assert refused.value.code == "incident_state"
    with pytest.raises(NotFoundError):
        await road.following.decide("ti_none", "confirmed", "chief")
    assert (await road.look(181)) == [], "it was cleared: they stand there, and somebody is with them"


def on_carriageway(course: float, vehicles: int = 1) -> Cluster:
    """On one of two carriageways that lie 30 m apart."""
    side = 30 * METRE if course == 180 else 0.0
    return Cluster(
        edge=1, along=10.0, longitude=TRUNK, latitude=59.3 + side, vehicles=vehicles, since=1, last=2, course=course
    )  # fmt: skip


def stands_on(course: float) -> Standing:
    return Standing("v", TRUNK, 59.3 + (30 * METRE if course == 180 else 0.0), course, 1, 2)


def test_whoever_stands_on_the_other_carriageway_is_another_incident() -> None:
    north, south = on_carriageway(0), on_carriageway(180)
    every = [stands_on(0), stands_on(180)]
    first, second = followed([], [north, south], every, lambda _: IncidentKind.STOPPED, [], 5)
    assert (first.course, second.course) == (0, 180)
    assert followed([first, second], [north, south], every, lambda _: IncidentKind.STOPPED, [], 6) == []
    (ended,) = followed([first, second], [south], [stands_on(180)], lambda _: IncidentKind.STOPPED, [], 7)
    assert (ended.id, ended.why) == (first.id, "moved"), "who stands opposite does not keep it alive"
    lay_by = Stop(TRUNK, 59.3, 100, every_kind=False, course=0)
    (left,) = followed([], [north, south], every, lambda _: IncidentKind.STOPPED, [lay_by], 8)
    assert left.course == 180, "a lay-by lies on one side"
    assert followed([], [north, south], every, lambda _: IncidentKind.STOPPED, [Stop(TRUNK, 59.3, 100, False)], 9) == []


async def test_on_which_side_it_was_is_still_known_in_the_next_life(road: Road) -> None:
    await road.stop("a", 1_500)
    (one,) = await road.look(180)
    await road.following.decide(one.id, "known_stop", "chief")
    await road.begin()
    await road.look(185)
    assert [each.course for each in road.following.incidents] == [pytest.approx(0, abs=1)]
    assert [each.course for each in await road.database.read(known_stops)] == [pytest.approx(0, abs=1)]
    await road.following.decide(one.id, "cleared", "chief")
    road.clock.advance(40 * 86_400)
    await road.following.keep_house()
    assert (await road.database.read(known_stops), await road.database.read(courses_kept)) == ([], 0)


def courses_kept(tx: Tx) -> int:
    return len(list(tx.rows(select(courses))))
