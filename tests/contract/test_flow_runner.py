"""What a runner of flows promises, whatever happens to its process: each record counts once, in the order it came.

The runner stands on the ports `Bus` and `Database` alone. The last test kills real processes:
`SAFECITY_TEST_FLOW_KILLS` says how many, where somebody wants more than the ordinary run does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.contract.flow_city import MINUTE_US, POISON, START, Minute, Passing, Total, city, said, traffic
from tests.contract.test_database_port import ENGINES

from safecity.backends.bus import EmbeddedBus
from safecity.backends.database import SqlDatabase, open_database
from safecity.backends.sqlitefile import open_file
from safecity.core.upper.flows.api import Flow, FlowRunner, KeptLetter, Late, Record, letters, snapshot, status
from safecity.core.upper.flows.store import keys_of
from safecity.kit.clock import SECOND_US, FakeClock
from safecity.kit.errors import ConflictError, UnavailableError
from safecity.model.facts.envelope import Event, Mode
from safecity.model.values.partition import partition_of

KILLS = int(os.environ.get("SAFECITY_TEST_FLOW_KILLS", "6"))
"""Of each kind."""
Told = dict[str, list[tuple[str, int, int]]]


@dataclass
class Stand:
    """A bus and a database, and what a flow left in them."""

    bus: EmbeddedBus
    database: SqlDatabase

    async def run(self, flow: Flow | None = None, *, events: int = 1000, **more: Any) -> None:
        """A fresh runner, until there is nothing more to do."""
        runner = FlowRunner(self.database, self.bus, flow or city(), FakeClock(START), events=events, **more)
        while await runner.step():
            pass

    async def close(self) -> None:
        await self.bus.close()
        await self.database.close()

    async def letters(self) -> list[KeptLetter]:
        return (await self.database.read(lambda tx: letters(tx, "city", limit=100_000)))[::-1]

    async def states(self, flow: Flow | None = None) -> dict[str, dict[Any, Any]]:
        return await self.database.read(lambda tx: snapshot(tx, flow or city(), keys_of(tx, "city")))


@pytest.fixture(params=ENGINES)
async def stand(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stand]:
    with ENGINES[request.param](tmp_path) as url:
        made = Stand(EmbeddedBus(open_file, tmp_path / "bus.db"), open_database(url))
        yield made
        await made.close()


def reckoned(events: list[Event], lateness: int = 20 * SECOND_US) -> tuple[Told, int, int]:
    """By hand, without any runner: the minutes and tenths of each place, how many records were late, how many bad."""
    told: Told = {}
    minutes: dict[tuple[str, int], tuple[int, int]] = {}
    totals: dict[str, int] = {}
    watermarks: dict[int, int] = {}
    late = bad = 0
    for event in events:
        if any(len(passage) != 3 for passage in event.body["passages"]):
            bad += 1
            continue
        for key, after, speed in event.body["passages"]:
            at, part = event.at + round(after * SECOND_US), partition_of(key)
            if at < watermarks.get(part, 0):
                late += 1
                continue
            watermarks[part] = max(watermarks.get(part, 0), at - lateness)
            for place, minute in sorted(minutes):
                end = (minute + 1) * MINUTE_US
                if partition_of(place) == part and end <= watermarks[part]:
                    count, speeds = minutes.pop((place, minute))
                    told.setdefault(place, []).append(("city.minute", end, count * 1000 + speeds // count))
            if speed == POISON:
                bad += 1
                continue
            count, speeds = minutes.get((key, at // MINUTE_US), (0, 0))
            minutes[key, at // MINUTE_US] = count + 1, speeds + speed
            totals[key] = totals.get(key, 0) + 1
            if totals[key] % 10 == 0:
                told.setdefault(key, []).append(("city.tenth", at, totals[key]))
    return told, late, bad


async def test_what_is_told_is_what_a_plain_count_gives_however_the_stream_is_cut(stand: Stand) -> None:
    events = traffic(300)
    told, late, bad = reckoned(events)
    assert late > 5, "the stream has late records"
    assert bad > 10, "and bad ones"
    await stand.bus.publish(events)
    dice = random.Random(2)
    runner = FlowRunner(stand.database, stand.bus, city(), FakeClock(START), cached=3)
    while await runner.step():
        runner = FlowRunner(stand.database, stand.bus, city(), FakeClock(START), events=dice.choice([1, 2, 50]))
    assert await said(stand.bus) == told
    reasons = [letter.reason for letter in await stand.letters()]
    assert reasons.count("late") == late
    assert reasons.count("operator_failed") + reasons.count("unreadable") == bad
    now = await stand.database.read(lambda tx: status(tx, "city"))
    assert (now.late, now.letters, now.waiting) == (late, late + bad, 0)


async def test_an_operator_runs_as_well_where_there_is_no_engine_at_all() -> None:
    """A distributed engine gives each key a value of its own, batches and a wake-up: no more is asked of it."""

    class Mapping:
        wake_at: int | None = None

        def __init__(self) -> None:
            self.kept: dict[Any, Any] = {}

        def get(self, item: Any) -> Any:
            return self.kept.get(item)

        def put(self, item: Any, value: Any) -> None:
            self.kept[item] = value
            if value is None:
                del self.kept[item]

        def items(self) -> dict[Any, Any]:
            return self.kept

    operator, state = Passing(), Mapping()
    batch = [Record("gate", START + second * SECOND_US, 50) for second in (1, 2, 61)]
    assert list(operator.process(batch, state)) == []
    assert state.wake_at == START + MINUTE_US
    assert list(operator.on_watermark(START + MINUTE_US, state)) == [("minute", START + MINUTE_US, 2050)]
    assert state.wake_at == START + 2 * MINUTE_US


class Failing:
    """Port in front of a port that fails at its n-th call, before or after it was done."""

    def __init__(self, inner: Any, calls: list[int]) -> None:
        self._inner = inner
        self._calls = calls

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._inner, name)

        async def failing(*arguments: Any) -> Any:
            self._calls[0] -= 2
            if self._calls[0] == 0:
                raise UnavailableError("gone before it was done")
            done = await call(*arguments)
            if self._calls[0] == -1:
                raise UnavailableError("gone when it was done")
            return done

        return failing


async def test_a_runner_that_is_cut_off_at_any_step_begins_again_without_a_trace(stand: Stand) -> None:
    events = traffic(60)
    told, _, _ = reckoned(events)
    await stand.bus.publish(events)
    for at in range(1, 40):
        calls = [at]
        bus, database = Failing(stand.bus, calls), Failing(stand.database, calls)
        runner = FlowRunner(database, bus, city(), FakeClock(START), events=2)
        try:
            while await runner.step() and calls[0] > 0:
                pass
        except UnavailableError:
            continue
    await stand.run(events=7)
    assert await said(stand.bus) == told


async def test_one_runner_goes_on_by_itself_after_each_trouble(stand: Stand) -> None:
    events = traffic(80)
    told, _, _ = reckoned(events)
    await stand.bus.publish(events)
    calls = [9]
    bus, database = Failing(stand.bus, calls), Failing(stand.database, calls)
    runner, troubles = FlowRunner(database, bus, city(), FakeClock(START), events=3), 0
    while True:
        try:
            if not await runner.step():
                break
        except UnavailableError:
            troubles += 1
            calls[0] = 10 + troubles % 7
    assert troubles > 10
    assert await said(stand.bus) == told


async def test_two_runners_of_one_flow_count_nothing_twice(stand: Stand) -> None:
    events = traffic(60)
    told, _, _ = reckoned(events)
    await stand.bus.publish(events)
    one = FlowRunner(stand.database, stand.bus, city(), FakeClock(START), events=5)
    other = FlowRunner(stand.database, stand.bus, city(), FakeClock(START), events=3)
    refused = 0
    while True:
        more = False
        for runner in (one, other):
            try:
                more = await runner.step() or more
            except ConflictError as error:
                assert error.code == "flow_moved"  # noqa: PT017
                refused, more = refused + 1, True
        if not more:
            break
    assert refused > 0
    assert await said(stand.bus) == told


def passages(number: int, *seen: tuple[str, float, Any], at: int | None = None, **more: Any) -> Event:
    moment = START + number * SECOND_US if at is None else at
    body = {"passages": [list(one) for one in seen]}
    settings: dict[str, Any] = {"seen": max(moment, 0) + 10 * SECOND_US, "id": f"ev_{number}", **more}
    return Event(kind="passages.seen", subject="x", at=moment, body=body, **settings)


async def test_who_comes_too_late_is_counted_and_handed_to_the_side(stand: Stand) -> None:
    def late(one: Late) -> tuple[str, int, int]:
        return "late", one.record.at, one.record.value

    flow = city(late=late)
    await stand.bus.publish(
        [passages(0, ("a", 0, 50)), passages(100, ("a", 0, 50)), passages(101, ("a", -30, 71), ("a", -10, 72))]
    )
    await stand.run(flow)
    assert [one for one in (await said(stand.bus))["a"] if one[0] == "city.late"] == [
        ("city.late", START + 71 * SECOND_US, 71)
    ]
    assert (await stand.database.read(lambda tx: status(tx, "city"))).late == 1
    assert await stand.letters() == []


async def test_a_bad_record_is_set_aside_with_its_reason_and_nothing_else_is_lost(stand: Stand) -> None:
    await stand.bus.publish(
        [
            passages(0, ("a", 0, 50), ("a", 1, POISON), ("a", 2, 70)),
            passages(3, ("a", 0, 80), ("a",)),  # type: ignore[arg-type]
            passages(4, ("", 0, 80)),
            passages(5, ("\0", 0, 80)),
            passages(6, ("a", 0, 90), at=-(1 << 63)),
            passages(7, ("a", 0, 60)),
        ]
    )
    await stand.run()
    assert await stand.states() == {"a": {START // MINUTE_US: Minute(3, 180), "total": Total(3)}}
    found = await stand.letters()
    assert [(letter.reason, letter.event) for letter in found] == [
        ("unreadable", "ev_3"), ("unreadable", "ev_4"), ("unreadable", "ev_5"), ("unreadable", "ev_6"),
        ("operator_failed", "ev_0"),
    ]  # fmt: skip
    assert found[-1].detail == "ArithmeticError: nobody is that fast"
    assert (found[-1].key, found[-1].at, found[-1].value) == ("a", START + SECOND_US, POISON)
    assert found[0].value == {"passages": [["a", 0, 80], ["a"]]}


async def test_a_clock_that_is_years_ahead_makes_nobody_late(stand: Stand) -> None:
    await stand.bus.publish([passages(0, ("a", 400_000_000, 50)), passages(1, ("a", 0, 51)), passages(2, ("a", 0, 52))])
    await stand.run()
    assert await stand.letters() == []
    assert (await stand.states())["a"]["total"] == Total(3)


async def test_a_drill_does_not_count_as_traffic(stand: Stand) -> None:
    await stand.bus.publish([passages(0, ("a", 0, 50)), passages(1, ("a", 0, 51), mode=Mode.EXERCISE)])
    await stand.run()
    assert (await stand.states())["a"]["total"] == Total(1)


async def test_a_wake_up_that_fails_is_set_aside_and_the_key_goes_on(stand: Stand) -> None:
    class Sleepless(Passing):
        def on_watermark(self, time: int, state: Any) -> Any:
            state.put("total", None)
            raise RuntimeError("not now")

    flow = city(operator=Sleepless())
    await stand.bus.publish([passages(0, ("a", 0, 50)), passages(100, ("a", 0, 51)), passages(300, ("a", 0, 52))])
    await stand.run(flow)
    assert [letter.reason for letter in await stand.letters()] == ["watermark_failed"] * 2
    assert (await stand.states())["a"]["total"] == Total(3)


async def test_where_nothing_comes_event_time_follows_the_clock(stand: Stand) -> None:
    flow, clock = city(idle_us=10 * SECOND_US), FakeClock(START)
    await stand.bus.publish([passages(0, ("a", 0, 50))])
    runner = FlowRunner(stand.database, stand.bus, flow, clock)
    while await runner.step():
        pass
    assert not await runner.tick()
    clock.advance(89)
    assert not await runner.tick(), "the minute, the lateness and the idle time are not over"
    clock.advance(1)
    assert await runner.tick()
    assert not await runner.tick()
    assert (await said(stand.bus))["a"] == [("city.minute", START + MINUTE_US, 1050)]
    assert await stand.states() == {"a": {"total": Total(1)}}
    await stand.bus.publish([passages(59, ("a", 0, 51))])
    while await runner.step():
        pass
    assert [letter.reason for letter in await stand.letters()] == ["late"]


async def test_time_does_not_follow_the_clock_past_what_still_waits_in_the_bus(stand: Stand) -> None:
    """A long turn, a bus that was away: what came meanwhile is not late because of that."""
    flow, clock = city(idle_us=10 * SECOND_US), FakeClock(START)
    await stand.bus.publish([passages(0, ("a", 0, 50)), passages(1, ("a", 0, 51))])
    calls = [0]
    runner = FlowRunner(stand.database, Failing(stand.bus, calls), flow, clock, events=1)
    assert await runner.step()
    clock.advance(600)
    assert not await runner.tick(), "another one waits"
    assert await runner.step()
    await stand.bus.publish([passages(2, ("a", 0, 52))])
    clock.advance(600)
    calls[0] = 2
    with pytest.raises(UnavailableError):
        await runner.tick()
    while await runner.step():
        pass
    assert await stand.letters() == []
    assert (await stand.states())["a"]["total"] == Total(3)
    clock.advance(600)
    assert await runner.tick(), "nothing waits any more"


async def test_a_running_flow_answers_what_is_published_and_goes_on_after_a_trouble(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safecity.core.upper.flows.service.RETRY_SECONDS", 0)
    calls = [14]
    bus = Failing(stand.bus, calls)
    bus.bell = stand.bus.bell
    runner = FlowRunner(Failing(stand.database, calls), bus, city(idle_us=1 << 50), FakeClock(START))
    running = asyncio.create_task(runner.run())
    async with contextlib.aclosing(stand.bus.bell()) as bell:
        for number in range(0, 300, 10):
            await stand.bus.publish([passages(number, ("a", 0, 50))])
        async for _ in bell:
            if len(await stand.bus.pull("watcher", ["city.minute"])) == 4:
                break
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert calls[0] < 0, "there was trouble"
    minutes = [(at - START) // MINUTE_US for kind, at, _ in (await said(stand.bus))["a"] if kind == "city.minute"]
    assert minutes == [1, 2, 3, 4]


class Log:
    """Keeps what it is told under the name it is told, and remembers how it was cut: nothing."""

    version = 1
    item = Any

    def process(self, batch: Any, state: Any) -> Any:
        for record in batch:
            for item, value in record.value:
                state.put(item, 1j if value == "?" else value)
        return ()

    def on_watermark(self, time: int, state: Any) -> Any:
        return ()

    def upgrade(self, version: int, items: dict[Any, Any]) -> dict[Any, Any]:
        raise AssertionError


def logging(operator: Any = None) -> Flow:
    return city(operator=operator or Log(), read=lambda event: [Record(k, event.at, v) for k, v in event.body["puts"]])


def puts(number: int, **told: Any) -> Event:
    at = START + number * SECOND_US
    return Event(
        kind="passages.seen", subject="x", at=at, seen=at, id=f"ev_{number}", body={"puts": list(told.items())}
    )


async def test_a_large_state_of_which_little_changes_comes_back_as_it_was(stand: Stand) -> None:
    dice = random.Random(3)
    wanted: dict[str, dict[Any, Any]] = {"small": {}, "large": {}}
    events: list[Event] = []
    for number in range(250):
        told: dict[str, list[tuple[Any, Any]]] = {"small": [], "large": []}
        for key, most in (("small", 6), ("large", 400)):
            for _ in range(dice.randrange(4)):
                item = dice.randrange(most) if dice.random() < 0.9 else f"item {dice.randrange(9)}"
                value = None if dice.random() < 0.2 else [dice.randrange(1 << 40), "x" * dice.randrange(60)]
                told[key].append((item, value))
                wanted[key].pop(item, None)
                if value is not None:
                    wanted[key][item] = value
        events.append(puts(number, **told))
    await stand.bus.publish(events)
    runner = FlowRunner(stand.database, stand.bus, logging(), FakeClock(START), events=1)
    while await runner.step():
        if dice.random() < 0.2:
            runner = FlowRunner(stand.database, stand.bus, logging(), FakeClock(START), events=dice.choice([1, 5]))
    assert await stand.states(logging()) == wanted
    await stand.bus.publish([puts(1000, large=[(item, None) for item in wanted["large"]])])
    await stand.run(logging())
    assert set(await stand.states(logging())) == {"small"}


async def test_a_state_that_outgrows_its_limit_refuses_the_record_not_the_flow(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safecity.core.upper.flows.state.MAX_STATE_BYTES", 10_000)
    monkeypatch.setattr("safecity.core.upper.flows.state.MAX_ITEM_BYTES", 3_000)
    many = [puts(number, a=[(number % 3, "x" * 2000)]) for number in range(20)]
    await stand.bus.publish([*many, puts(20, a=[(9, "x" * 4000)]), puts(21, a=[(n, "x" * 2500) for n in range(5, 9)])])
    await stand.bus.publish([puts(22, a=[(1, "fits")], b=[(1, "fits")]), puts(23, a=[(1, "?")])])
    await stand.run(logging())
    assert [letter.reason for letter in await stand.letters()] == ["state_too_large"] * 2 + ["operator_failed"]
    states = await stand.states(logging())
    assert (sorted(states["a"]), states["a"][1], states["b"]) == ([0, 1, 2], "fits", {1: "fits"})


async def test_a_state_of_an_older_version_is_brought_up_and_one_of_a_newer_is_left_alone(stand: Stand) -> None:
    class Second(Log):
        version = 2

        def upgrade(self, version: int, items: dict[Any, Any]) -> dict[Any, Any]:
            assert version == 1
            return {item: f"{value}!" for item, value in items.items()}

    await stand.bus.publish([puts(1, a=[(1, "one"), (2, "two")], b=[(number, "x" * 50) for number in range(100)])])
    await stand.run(logging())
    await stand.bus.publish([puts(2, a=[(2, "new")], b=[(0, None)])])
    await stand.run(logging(Second()))
    states = await stand.states(logging(Second()))
    assert states["a"] == {1: "one!", 2: "new"}
    assert states["b"] == dict.fromkeys(range(1, 100), "x" * 50 + "!")
    await stand.bus.publish([puts(3, a=[(1, "lost?")], c=[(1, "fresh")])])
    await stand.run(logging())
    (letter,) = await stand.letters()
    assert (letter.reason, letter.key, letter.value) == ("state_newer", "a", [[1, "lost?"]])
    states = await stand.states(logging(Second()))
    assert states["a"] == {1: "one!", 2: "new"}


async def test_a_state_is_brought_up_also_where_only_its_timer_changes(stand: Stand) -> None:
    class Waking(Log):
        version = 2

        def process(self, batch: Any, state: Any) -> Any:
            state.wake_at = batch[-1].at + MINUTE_US
            return ()

        def upgrade(self, version: int, items: dict[Any, Any]) -> dict[Any, Any]:
            return {item: f"{value}!" for item, value in items.items()}

    large = [(number, "x" * 50) for number in range(100)]
    await stand.bus.publish([puts(1, small=[(1, "one")], large=large)])
    await stand.run(logging())
    await stand.bus.publish([puts(2, small=[(9, "")], large=[(9, "")])])
    await stand.run(logging(Waking()))
    wanted = {"small": {1: "one!"}, "large": {number: f"{text}!" for number, text in large}}
    assert await stand.states(logging(Waking())) == wanted


def test_a_key_stays_in_its_partition_for_ever() -> None:
    assert [partition_of(key) for key in ("a", "tg_1", "皖B12345", "0")] == EVER
    counts = [0] * 64
    for number in range(6400):
        counts[partition_of(f"ch_{number}")] += 1
    assert 50 < min(counts) <= max(counts) < 160


EVER = [3, 19, 21, 33]


@pytest.mark.slow
async def test_a_process_that_is_killed_again_and_again_says_what_one_says_that_lives(tmp_path: Path) -> None:
    events = traffic(100 * KILLS)
    told, late, bad = reckoned(events)
    stand = Stand(EmbeddedBus(open_file, tmp_path / "bus.db"), open_database(f"sqlite:///{tmp_path}/control.db"))
    await stand.bus.publish(events)
    await stand.close()
    command = [sys.executable, "-m", "tests.contract.flow_city", str(tmp_path), str(KILLS), "4"]
    killed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert int(killed[0]) == KILLS, "each died at the call that was drawn"
    stand = Stand(EmbeddedBus(open_file, tmp_path / "bus.db"), open_database(f"sqlite:///{tmp_path}/control.db"))
    assert await said(stand.bus) == told
    assert len(await stand.letters()) == late + bad
    assert (await stand.database.read(lambda tx: status(tx, "city"))).late == late
    await stand.close()
