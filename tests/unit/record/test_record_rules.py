"""The pure rules: when to record, what is a gap, what to delete."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.media.record.decide import Demand, Window, decide
from safecity.media.record.gaps import CAUSES, GapBook, GapChange, cause_of
from safecity.media.record.retention import DAY_MS, ChannelUse, Held, Keep, Use, is_held, plan
from safecity.media.record.rows import MINUTE_MS, Entry, MinutePack, pack, unpack
from safecity.model.facts.media_calls import RecordPolicy, Span

SECOND = 1_000_000


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


# --- deciding ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "recording"),
    [("2026-01-05T00:59:59", False), ("2026-01-05T01:00:00", True), ("2026-01-05T09:59:00", True),
     ("2026-01-05T10:00:00", False),
     ("2026-01-06T02:00:00", False)],
)  # fmt: skip
def test_a_schedule_is_read_in_local_time(now: str, recording: bool) -> None:
    """Monday 9:00 to 18:00 in Shanghai is 01:00 to 10:00 UTC."""
    policy = RecordPolicy(mode="schedule", schedule=(Span(0, 9 * 60, 18 * 60),), zone="Asia/Shanghai")
    assert decide(policy, None, us(now)) == (recording, "network" if recording else "schedule")


def test_the_two_half_past_twos_of_a_night_with_a_fold_are_both_recorded() -> None:
    policy = RecordPolicy(mode="schedule", schedule=(Span(6, 150, 151),), zone="Europe/Berlin")
    hits = [now for now in ("2026-10-25T00:30:00", "2026-10-25T01:30:00") if decide(policy, None, us(now)).recording]
    assert len(hits) == 2


def test_demand_wins_until_it_ends() -> None:
    policy = RecordPolicy(mode="off")
    assert decide(policy, None, 10) == (False, None)
    assert decide(policy, Demand(until=20), 19).recording
    assert not decide(policy, Demand(until=20), 20).recording
    assert decide(policy, Demand(until=0), 1 << 60).recording


def test_an_unknown_zone_is_taken_for_chinas() -> None:
    policy = RecordPolicy(mode="schedule", schedule=(Span(0, 540, 1080),), zone="../../etc/passwd")
    assert decide(policy, None, us("2026-01-05T01:30:00")).recording


def test_the_least_important_are_shed_first() -> None:
    window = Window.of(1000)
    assert [window.limit(priority) for priority in (1, 3, 5, 99, -4)] == [1000, 900, 800, 800, 1000]


# --- gaps --------------------------------------------------------------------------------------------------------


def test_a_short_hole_is_no_gap() -> None:
    book = GapBook(0)
    assert book.footage(1 * SECOND, 2 * SECOND) == []
    assert book.footage(3 * SECOND, 4 * SECOND) == []


def test_silence_opens_a_gap_and_footage_closes_it() -> None:
    book = GapBook(0)
    book.footage(0, 10 * SECOND)
    assert book.tick(12 * SECOND) == []
    assert book.tick(14 * SECOND) == [GapChange(10 * SECOND, 0, "network")]
    assert book.tick(15 * SECOND) == []
    assert book.footage(30 * SECOND, 31 * SECOND) == [GapChange(10 * SECOND, 30 * SECOND, "network")]


def test_when_the_cause_changes_the_gap_is_two_gaps() -> None:
    book = GapBook(0)
    book.footage(0, 10 * SECOND)
    book.tick(20 * SECOND)
    assert book.why("schedule", "", 50 * SECOND) == [GapChange(10 * SECOND, 50 * SECOND, "network")]
    assert book.tick(60 * SECOND) == [GapChange(50 * SECOND, 0, "schedule")]
    assert book.why("network", "", 100 * SECOND) == [GapChange(50 * SECOND, 100 * SECOND, "schedule")]
    assert book.footage(101 * SECOND, 102 * SECOND) == []


def test_where_nothing_is_expected_nothing_is_missing() -> None:
    book = GapBook(0)
    book.footage(0, 10 * SECOND)
    assert book.why(None, "", 11 * SECOND) == []
    assert book.tick(1000 * SECOND) == []
    assert book.why("network", "", 1000 * SECOND) == []
    assert book.footage(1001 * SECOND, 1002 * SECOND) == []


def test_a_clock_set_back_makes_no_gap_of_negative_length() -> None:
    book = GapBook(0)
    book.footage(0, 100 * SECOND)
    book.tick(104 * SECOND)
    (closed,) = book.footage(50 * SECOND, 51 * SECOND)
    assert closed.end > closed.start


@pytest.mark.parametrize(
    ("reason", "cause"),
    [("bye", "camera"), ("device_refused", "camera"), ("slot_stopping", "maintenance"), ("disk", "disk"),
     ("no_packet", "network"), ("", "network")],
)  # fmt: skip
def test_every_reason_has_a_cause(reason: str, cause: str) -> None:
    assert cause_of(reason) == cause
    assert cause in CAUSES


# --- retention ----------------------------------------------------------------------------------------------------

NOW = 100 * DAY_MS


def channel(number: int, days: int, keep: Keep, per_day: int = 10) -> ChannelUse:
    """One extent a day, the last one today."""
    uses = [
        Use(number * 1000 + day, number, per_day, NOW - (days - day) * DAY_MS, NOW - (days - day - 1) * DAY_MS)
        for day in range(days)
    ]
    return ChannelUse(number, per_day * days, keep, uses)


def test_without_pressure_only_the_expired_goes() -> None:
    found = plan([channel(1, 10, Keep(days=7))], [], NOW, 0)
    assert [one.reason for one in found.removals] == ["expired"] * 3
    assert not found.stuck


def test_a_quota_takes_the_oldest_of_that_channel_alone() -> None:
    found = plan([channel(1, 10, Keep(max_bytes=70)), channel(2, 10, Keep())], [], NOW, 0)
    assert [(one.use.channel, one.use.extent, one.reason) for one in found.removals] == [
        (1, 1000, "quota"), (1, 1001, "quota"), (1, 1002, "quota"),
    ]  # fmt: skip


def test_under_pressure_the_oldest_goes_first_but_nobodys_floor() -> None:
    channels = [channel(1, 5, Keep(floor_days=4)), channel(2, 8, Keep(floor_days=7))]
    found = plan(channels, [], NOW, 20)
    assert [(one.use.channel, one.reason) for one in found.removals] == [(2, "pressure"), (1, "pressure")]


def test_one_camera_at_ten_times_the_rate_cannot_take_the_others_floor() -> None:
    channels = [channel(1, 3, Keep(floor_days=3), per_day=100), *(channel(n, 3, Keep(floor_days=3)) for n in (2, 3, 4))]
    found = plan(channels, [], NOW, 150)
    assert {one.use.channel for one in found.removals} == {1}
    assert {one.reason for one in found.removals} == {"pressure_floor"}


def test_when_only_held_footage_is_left_the_volume_is_stuck() -> None:
    found = plan([channel(1, 5, Keep(days=1))], [Held(1, 0, NOW * 2)], NOW, 10)
    assert found.removals == []
    assert found.stuck


@given(
    st.lists(
        st.tuples(st.integers(1, 20), st.integers(0, 15), st.integers(0, 200), st.integers(0, 5)),
        min_size=1,
        max_size=6,
    ),
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 20), st.integers(1, 10)), max_size=4),
    st.integers(0, 500),
)
@settings(max_examples=60, deadline=None)
def test_whatever_happens_held_footage_stays_and_nothing_is_removed_twice(
    shapes: list[tuple[int, int, int, int]], holds: list[tuple[int, int, int]], need: int
) -> None:
    channels = [channel(n + 1, days, Keep(keep, size, floor)) for n, (days, keep, size, floor) in enumerate(shapes)]
    held = [Held(number, NOW - ago * DAY_MS, NOW - (ago - length) * DAY_MS) for number, ago, length in holds]
    found = plan(channels, held, NOW, need)
    uses = [(one.use.extent, one.use.channel) for one in found.removals]
    assert len(set(uses)) == len(uses)
    for one in found.removals:
        assert not is_held(one.use, [hold for hold in held if hold.channel == one.use.channel])
    assert found.stuck == (sum(one.use.bytes for one in found.removals) < need)


# --- packing ------------------------------------------------------------------------------------------------------

entries = st.builds(
    Entry,
    extent=st.integers(1, 1 << 40),
    run=st.integers(1, 1 << 40),
    offset=st.integers(64, 1 << 30).map(lambda number: number * 64),
    start=st.integers(0, MINUTE_MS - 1).map(lambda ms: 28_333_333 * MINUTE_MS + ms),
    duration=st.integers(0, 100_000),
    payload=st.integers(0, 24 << 20),
    flags=st.integers(0, 15).map(lambda flags: flags & ~1),
    first_key=st.just(-1),
)


@given(st.lists(entries, max_size=20), st.sampled_from([64, 4096]))
@settings(max_examples=100, deadline=None)
def test_any_minute_is_packed_and_unpacked_unchanged_and_two_packs_join(found: list[Entry], align: int) -> None:
    one, two = pack(found, 28_333_333, align), pack(found[::-1], 28_333_333, align)
    assert list(unpack(one, 28_333_333)) == found
    assert list(unpack(one + two, 28_333_333)) == found + found[::-1]


def test_a_minute_of_ordinary_chunks_costs_nine_bytes_each() -> None:
    minute = MinutePack(28_333_333, 64)
    for second in range(60):
        minute.add(
            Entry(77, 12, 4096 + second * 249_984, minute.minute * MINUTE_MS + second * 1000, 1000, 249_800, 1, 0)
        )
    assert len(minute.blob()) < 9 * 60
    assert not minute.broken


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_a_damaged_pack_is_an_error_not_a_crash(blob: bytes) -> None:
    with contextlib.suppress(ValueError):
        list(unpack(blob, 1))
