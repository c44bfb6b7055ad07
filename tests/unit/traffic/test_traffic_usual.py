"""What is usual is learnt from what was driven: once, by the local clock, and the ways heed it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from tests.contract.traffic_city import open_own
from tests.ladder import NORTH, SOUTH, ladder

from safecity.core.upper.traffic import sums, usual
from safecity.core.upper.traffic.city import HEADROOM, City
from safecity.core.upper.traffic.operator import Driven
from safecity.core.upper.traffic.usual import Usual
from safecity.kit.clock import SECOND_US
from safecity.model.facts.traffic_calls import AskRoutes
from safecity.roads.network.versions import put_version

ZONE = ZoneInfo("Asia/Shanghai")
FREE = 54 / 3.6
EIGHT = 8 * 4
"""Quarters of an hour since midnight."""


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()) * SECOND_US


def drove(edge: int, slot: int, share: float, vehicles: int = 10) -> Usual:
    """So many vehicles over 400 m, at a share of the free speed."""
    return Usual(edge, slot, vehicles * 400_000, round(vehicles * 400 / (FREE * share) * 1e6), vehicles)


def test_slots_are_of_the_local_day() -> None:
    for text, slot in (
        ("2026-11-23T08:00", EIGHT), ("2026-11-27T23:59", 95), ("2026-11-28T00:00", 96), ("2026-11-29T08:20", 192 + 33),
    ):  # fmt: skip
        assert usual.slot_of(at(text), ZONE) == slot, text


def test_a_holiday_is_learnt_as_what_it_is() -> None:
    days = {"2026-11-23": "sunday", "2026-11-28": "working", "2026-11-29": "saturday"}
    for text, slot in (
        ("2026-11-23T08:00", 192 + EIGHT), ("2026-11-24T08:00", EIGHT), ("2026-11-28T08:00", EIGHT),
        ("2026-11-29T08:00", 96 + EIGHT),
    ):  # fmt: skip
        assert usual.slot_of(at(text), ZONE, days) == slot, text


async def test_old_sums_are_folded_once_and_new_ones_stay(tmp_path: Path) -> None:
    database = open_own(tmp_path)
    old, new = at("2026-11-23T08:00"), at("2026-11-23T11:00")

    def driven(bucket: int, edge: int) -> Driven:
        return Driven(bucket, edge, 400_000, 50_000_000, 1, 1, 3)

    await database.write(sums.make_tables)
    await database.write(lambda tx: sums.add(tx, [driven(old, 1), driven(old + 60_000_000, 1), driven(new, 1)]))
    for folded in (2, 0):
        assert await database.write(lambda tx: usual.fold(tx, at("2026-11-23T10:00"), ZONE)) == folded
        assert await database.read(usual.known) == [Usual(1, EIGHT, 800_000, 100_000_000, 2)]
    assert [one.bucket for one in await database.read(lambda tx: sums.since(tx, 0))] == [new]
    await database.write(lambda tx: sums.add(tx, [driven(old, 1)]))
    await database.write(lambda tx: usual.fold(tx, at("2026-11-23T10:00"), ZONE))
    assert await database.read(usual.known) == [Usual(1, EIGHT, 1_200_000, 150_000_000, 3)]
    await database.close()


def test_the_way_to_work_leads_round_the_street_that_is_slow_each_morning(tmp_path: Path) -> None:
    roads = ladder()
    city = City(roads, put_version(tmp_path, roads, dropped={}, sources=(), at_us=1))
    city.set_zone("Asia/Shanghai", at("2026-11-23T08:00"))
    a = roads.arrays
    slow = (a.edge_key >= 101) & (a.edge_key <= 103)
    days = [drove(edge, EIGHT + n, 0.2 if slow[edge] else 1.0) for edge in range(roads.edges) for n in range(2)]
    city.learn(usual.factors(roads, days, HEADROOM))

    def turns(moment: str) -> bool:
        way = city.routes(AskRoutes(SOUTH, NORTH, at(moment))).routes[0]
        return max(x for x, _ in way.line) > 18.006

    assert turns("2026-11-24T08:10"), "each working day"
    assert not turns("2026-11-24T11:00")
    assert not turns("2026-11-28T08:10"), "not on Saturday"
    city.set_days({"2026-11-24": "sunday", "2026-11-28": "working"})
    assert not turns("2026-11-24T08:10"), "a holiday"
    assert turns("2026-11-28T08:10"), "a Saturday that is worked"
    city.learn(usual.factors(roads, days, HEADROOM))
    assert turns("2026-11-28T08:10"), "also after it was learnt anew"
    city.set_days({})
    assert turns("2026-11-24T08:10")


def test_where_an_edge_says_too_little_its_hour_and_then_its_class_speak(tmp_path: Path) -> None:
    roads = ladder()
    few = [drove(0, EIGHT, 0.5, vehicles=1)]
    assert usual.factors(roads, [], HEADROOM) is None
    alone = usual.factors(roads, few, HEADROOM)
    assert alone is not None
    assert set(np.unique(alone.slow)) == {np.float32(HEADROOM)}, "one vehicle says nothing"
    hour = usual.factors(roads, [drove(0, EIGHT + n, 0.5, vehicles=2) for n in range(3)], HEADROOM)
    assert hour is not None
    free = float(roads.arrays.edge_limit[0]) * 0.9 / 3.6
    slower = HEADROOM * free / (FREE * 0.5)
    assert hour.slow[hour.rows[0], EIGHT + 3] == pytest.approx(slower, rel=1e-3), "of the hour"
    assert hour.slow[hour.rows[5], EIGHT] == pytest.approx(slower, rel=1e-3), "of the class"
    assert hour.slow[hour.rows[0], EIGHT + 4] == pytest.approx(HEADROOM)
    assert hour.slow[hour.rows[0], 5 * 96 + EIGHT] == pytest.approx(HEADROOM), "another day"
    assert hour.rows.max() < len(hour.slow)


def test_the_jam_of_the_main_street_is_not_that_of_the_streets_where_few_drive() -> None:
    roads = ladder()
    a = roads.arrays
    same = np.flatnonzero((a.edge_class == a.edge_class[0]) & (a.edge_limit == a.edge_limit[0])).tolist()
    main, quiet, unknown = same[0], same[1:4], same[4]
    free = float(roads.arrays.edge_limit[main]) * 0.9 / 3.6
    days = [drove(main, EIGHT, 0.2, vehicles=100), *(drove(edge, EIGHT, 0.8, vehicles=2) for edge in quiet)]
    learnt = usual.factors(roads, days, HEADROOM)
    assert learnt is not None
    jam, calm = (HEADROOM * free / (FREE * share) for share in (0.2, 0.8))
    assert learnt.slow[learnt.rows[main], EIGHT] == pytest.approx(jam, rel=1e-3)
    for edge in (*quiet, unknown):
        assert learnt.slow[learnt.rows[edge], EIGHT] == pytest.approx(calm, rel=1e-3)
