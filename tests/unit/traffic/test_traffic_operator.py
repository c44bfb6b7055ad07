"""Vehicles in, what they drove out; and nothing of it hangs on how the matcher's memory is kept."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from benchmarks.driving import drive, wander
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.traffic_city import Memory, network, totals, traffic

from safecity.core.upper.flows.api import Record
from safecity.core.upper.traffic.memory import clear, put_back, taken
from safecity.core.upper.traffic.operator import (
    GONE_US,
    MAX_AT_ONCE,
    SILENT_US,
    Sighted,
    TrafficOperator,
    read_position,
)
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError
from safecity.model.facts.envelope import Event
from safecity.roads.conditions.spread import new_last
from safecity.roads.matching.online import Matched, Matcher

ROADS = network()
GOING = drive(ROADS, wander(ROADS, random.Random(5), 40), speed=9.0, seed=5).every(4)
RARE = drive(ROADS, wander(ROADS, random.Random(7), 150), speed=11.0, seed=7).every(30)
"""So far between that the ways from one position to the next lead over crossings, and several could be meant."""


def together(parts: list[Matched]) -> list[tuple[int, ...]]:
    """What was decided, the numbers of vehicles aside."""
    one = Matched.together(parts)
    return [
        (int(one.us[n]), int(one.edge[n]), int(one.flags[n]), *one.path[one.path_start[n] : one.path_start[n + 1]])
        for n in range(len(one))
    ]


@settings(deadline=None, max_examples=20, derandomize=True)
@given(st.sets(st.integers(1, len(RARE.us) - 1), max_size=6))
def test_a_vehicle_that_is_put_away_and_back_is_matched_as_if_it_had_stayed(cuts: set[int]) -> None:
    whole = Matcher(ROADS, 1)
    zeros = np.zeros(len(RARE.us), np.int32)
    expected = together([whole.feed(zeros, RARE.us, RARE.lon, RARE.lat)[0], whole.flush([0])])

    matcher, last, memory, parts = Matcher(ROADS, 3), new_last(3), b"", []
    edges = [0, *sorted(cuts), len(RARE.us)]
    for number, (begin, end) in enumerate(pairwise(edges)):
        place = number % 3  # wherever there is room, in the traces of another one
        clear(matcher.vehicles, last, place)
        if memory:
            put_back(matcher.vehicles, last, place, memory)
        part = slice(begin, end)
        seat = np.full(end - begin, place, np.int32)
        parts.append(matcher.feed(seat, RARE.us[part], RARE.lon[part], RARE.lat[part])[0])
        memory = taken(matcher.vehicles, last, place)
    parts.append(matcher.flush([place]))
    assert together(parts) == expected


def test_what_is_no_memory_is_refused() -> None:
    matcher, last = Matcher(ROADS, 1), new_last(1)
    matcher.feed([0, 0], GOING.us[:2], GOING.lon[:2], GOING.lat[:2])
    memory = taken(matcher.vehicles, last, 0)
    for bad in (b"", memory[:-3], b"\xff" * len(memory)):
        with pytest.raises(InvalidError):
            put_back(matcher.vehicles, last, 0, bad)


def test_what_was_driven_is_as_long_and_took_as_long_as_the_way_did() -> None:
    operator, state = TrafficOperator(ROADS, "n", b"salt"), Memory()
    driven = list(operator.process(records("dv_1"), state))
    assert state.wake_at is not None
    driven += operator.on_watermark(state.wake_at, state)
    metres = sum(one.millimetres for one in driven) / 1000
    seconds = sum(one.microseconds for one in driven) / 1e6
    assert abs(metres - 9.0 * (GOING.us[-1] - GOING.us[0]) / 1e6) < 100
    assert abs(metres / seconds - 9.0) < 0.7
    assert {one.bit for one in driven} == {driven[0].bit}, "one vehicle is one bit"
    assert all(one.bucket % (60 * SECOND_US) == 0 for one in driven)


def records(vehicle: str, shift: int = 0) -> list[Record]:
    found = zip(GOING.us, GOING.lon, GOING.lat, strict=True)
    return [Record("g", int(us) + shift, Sighted(vehicle, float(x), float(y))) for us, x, y in found]


def test_a_vehicle_that_falls_silent_is_told_to_its_end_and_then_forgotten() -> None:
    operator, state = TrafficOperator(ROADS, "n", b"salt"), Memory()
    told = list(operator.process(records("dv_1"), state))
    newest = int(GOING.us[-1])
    assert state.wake_at == newest + SILENT_US
    assert list(operator.on_watermark(newest + SILENT_US, state)), "the last half minute of it"
    assert told
    assert state.wake_at == newest + GONE_US
    assert not list(operator.on_watermark(newest + GONE_US, state))
    assert (state.items(), state.wake_at) == ({}, None)


def test_what_is_remembered_on_another_network_counts_for_nothing() -> None:
    state = Memory()
    list(TrafficOperator(ROADS, "old", b"salt").process(records("dv_1")[:8], state))
    ours = list(TrafficOperator(ROADS, "new", b"salt").process(records("dv_1")[8:], state))
    fresh = list(TrafficOperator(ROADS, "new", b"salt").process(records("dv_1")[8:], Memory()))
    assert ours == fresh


def test_more_vehicles_than_the_matcher_seats_are_matched_like_few() -> None:
    operator, alone = TrafficOperator(ROADS, "n", b"salt"), records("")[:25]
    many = [Record("g", one.at, Sighted(f"dv_{n}", *one.value[1:])) for one in alone for n in range(MAX_AT_ONCE + 90)]
    one = Counter(driven[:-1] for driven in operator.process(alone, Memory()))
    found = list(operator.process(many, Memory()))
    assert one
    assert Counter(driven[:-1] for driven in found) == Counter(
        {what: n * (MAX_AT_ONCE + 90) for what, n in one.items()}
    )
    assert len({driven.bit for driven in found}) > 55


def test_positions_without_a_place_are_no_records() -> None:
    nowhere = Event(kind="position.received", subject="dv_1", at=1, seen=1, body={"longitude": None, "latitude": None})
    assert list(read_position(nowhere)) == []
    there = Event(kind="position.received", subject="dv_1", at=1, seen=1, body={"longitude": 18.0, "latitude": 59.3})
    assert [one.value for one in read_position(there)] == [Sighted("dv_1/", 18.0, 59.3)]


def test_a_platform_that_speaks_for_several_is_not_one_vehicle_that_jumps() -> None:
    def said(code: str) -> Event:
        body = {"device": "dv_1", "code": code, "longitude": 18.0, "latitude": 59.3}
        return Event(kind="position.received", subject=f"ch_{code}", at=1, seen=1, body=body)

    assert len({one.value.vehicle for code in ("7", "8", "7") for one in read_position(said(code))}) == 2


def test_speeds_of_vehicles_are_those_they_drove_at() -> None:
    found = totals(TrafficOperator(ROADS, "n", b"salt"), traffic(1))
    metres, micros = sum(one[0] for one in found.values()) / 1000, sum(one[1] for one in found.values())
    assert abs(metres * 1e6 / micros - 6.0) < 0.5
