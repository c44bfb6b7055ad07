"""The embedded runner: reads the bus, runs the operator, and commits state, place and outputs in one transaction."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from safecity.core.upper.flows import store
from safecity.core.upper.flows.decide import Letter, Partition, Read, Source, Turn, needed, read_event
from safecity.core.upper.flows.operators import Flow
from safecity.core.upper.flows.state import KeyState, StateCodec
from safecity.core.upper.flows.store import Head, KeptLetter
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import SafecityError
from safecity.model.facts.envelope import Event
from safecity.ports.bus import Bus
from safecity.ports.database import Database, Tx

logger = logging.getLogger(__name__)
MAX_CACHED: Final = 50_000
"""States of keys kept in memory; who was needed longest ago is read again."""
MAX_EVENTS: Final = 1_000
"""Of one turn."""
MAX_PUBLISHED: Final = 500
"""Outputs given to the bus at once."""
RETRY_SECONDS: Final = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowStatus:
    """How a flow stands. `late` and `letters`: ever; `waiting`: outputs that the bus does not have yet."""

    name: str
    position: int
    turns: int
    late: int
    letters: int
    outputs: int
    waiting: int


class FlowRunner:
    """One flow. A second runner of it does no harm: whoever comes second finds the turn taken, and looks again.

    `events`: at most so many make a turn; fewer make it more often durable, more make it cheaper.
    """

    def __init__(
        self, database: Database, bus: Bus, flow: Flow, clock: Clock, *, events: int = MAX_EVENTS,
        cached: int = MAX_CACHED,
    ) -> None:  # fmt: skip
        self._database = database
        self._bus = bus
        self._flow = flow
        self._clock = clock
        self._events = events
        self._cached = cached
        self._consumer = f"flow.{flow.name}"
        self._codec = StateCodec(flow.operator)
        self._turning = asyncio.Lock()
        self._head: Head | None = None
        self._partitions: list[Partition] = []
        self._known: set[int] = set()
        self._states: OrderedDict[str, KeyState] = OrderedDict()
        self._published = 0
        """Number of the last output that the bus has, and of the last that was forgotten here because of that."""
        self._forgotten = 0
        self._reasons: set[str] = set()
        self._heard_at = clock.monotonic()
        self._trouble = ""

    async def run(self) -> None:
        """Until cancelled. What cannot be reached is tried again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_bus())
            if self._flow.idle_us is not None:
                group.create_task(self._follow_clock())

    async def _follow_bus(self) -> None:
        async for _ in self._bus.bell():
            while await self._tried(self.step()):
                pass

    async def _follow_clock(self) -> None:
        while True:
            await asyncio.sleep(max(self._flow.tick_us / SECOND_US, 0.1))
            await self._tried(self.tick())

    async def _tried(self, work: Any) -> bool:
        try:
            done = await work
        except SafecityError as error:
            if error.code != self._trouble:
                logger.warning("flow waits flow=%s code=%s why=%s", self._flow.name, error.code, error)
            self._trouble = error.code
            await asyncio.sleep(RETRY_SECONDS)
            return True
        if self._trouble:
            logger.info("flow goes on flow=%s", self._flow.name)
            self._trouble = ""
        return bool(done)

    async def step(self) -> bool:
        """One turn over the next events; whether there were any. SafecityError when bus or database cannot serve: then
        nothing happened, or all of it did, and the next turn begins from what is stored."""
        async with self._turning:
            try:
                return await self._step()
            except BaseException:
                self._head = None  # what is in memory may be ahead of what is stored
                raise

    async def tick(self) -> bool:
        """Let event time follow the clock where nothing has come for `Flow.idle_us`; whether anybody was woken.

        Nothing has come only where the bus says so: what waits there, because a turn takes long or the bus was away,
        must not be late for that.
        """
        idle = self._flow.idle_us
        async with self._turning:
            if idle is None or (self._clock.monotonic() - self._heard_at) * SECOND_US < idle:
                return False
            try:
                head = self._head or await self._load()
                if await self._bus.pull(self._consumer, self._flow.kinds, 1):
                    return False
                return await self._idle(head, self._clock.now_us() - idle - self._flow.lateness_us)
            except BaseException:
                self._head = None
                raise

    async def _step(self) -> bool:
        head = self._head or await self._load()
        found = await self._bus.pull(self._consumer, self._flow.kinds, self._events)
        # The bus may be behind: it hears of a turn after that is durable.
        new = [(position, event) for position, event in found if position > head.position]
        if not new:
            if found:
                await self._bus.acknowledge(self._consumer, found[-1][0])
            await self._tidy()
            return bool(found)
        self._heard_at = self._clock.monotonic()
        batch, letters = _read(self._flow, new)
        states = await self._fetch(sorted(needed(self._flow, self._partitions, batch)))
        turn = Turn(self._flow, self._partitions, states)
        turn.letters += letters
        await asyncio.to_thread(_run, turn, batch)
        await self._commit(turn, states, new[-1][0])
        await self._bus.acknowledge(self._consumer, new[-1][0])
        return True

    async def _idle(self, head: Head, watermark: int) -> bool:
        due = {number: keys for number, one in enumerate(self._partitions) if (keys := one.due(watermark))}
        if not due:
            return False
        states = await self._fetch([key for keys in due.values() for key in keys])
        turn = Turn(self._flow, self._partitions, states)
        for number in due:
            turn.advance(number, watermark, Source(head.position, "", self._clock.now_us()))
        await self._commit(turn, states, head.position)
        return True

    async def _load(self) -> Head:
        name = self._flow.name

        def work(tx: Tx) -> tuple[Head, list[Partition], set[int]]:
            return store.head_of(tx, name), *store.load_partitions(tx, name)

        head, self._partitions, self._known = await self._database.read(work)
        self._states.clear()
        self._forgotten = 0
        await self._deliver(head)
        await self._bus.rewind(self._consumer, head.position)
        self._head = head
        return head

    async def _fetch(self, keys: Sequence[str]) -> dict[str, KeyState | SafecityError]:
        cache, name, codec = self._states, self._flow.name, self._codec
        found: dict[str, KeyState | SafecityError] = {}
        if missing := [key for key in keys if key not in cache]:
            found = await self._database.read(lambda tx: store.load_states(tx, name, missing, codec))
        cache.update((key, state) for key, state in found.items() if isinstance(state, KeyState))
        for key in keys:
            if key in cache:
                cache.move_to_end(key)
                found[key] = cache[key]
        return found

    async def _commit(self, turn: Turn, states: dict[str, KeyState | SafecityError], position: int) -> None:
        """State, place, outputs and what was set aside, or nothing; then the outputs to the bus."""
        flow, before, published = self._flow, self._head, self._published
        assert before is not None
        after = replace(
            before, position=position, turn=before.turn + 1, output=before.output + len(turn.events),
            letter=before.letter + len(turn.letters), late=before.late + turn.late,
        )  # fmt: skip
        touched = [(key, state) for key in turn.touched if isinstance(state := states[key], KeyState)]
        moved = [(number, self._partitions[number]) for number in turn.moved]

        def work(tx: Tx) -> None:
            store.move_head(tx, flow.name, before, after)
            store.save_states(tx, flow.name, touched, self._codec)
            store.save_partitions(tx, flow.name, moved, self._known)
            store.add_outputs(tx, flow.name, before.output + 1, turn.encoded)
            store.add_letters(tx, flow.name, before.letter + 1, turn.letters)
            if flow.keep is not None and turn.outputs:
                flow.keep(tx, turn.outputs)
            if published > self._forgotten:
                store.forget_outputs(tx, flow.name, published)

        await self._database.write(work)
        self._head, self._forgotten = after, published
        self._known |= turn.moved
        while len(self._states) > self._cached:
            self._states.popitem(last=False)
        for start in range(0, len(turn.events), MAX_PUBLISHED):
            await self._bus.publish(turn.events[start : start + MAX_PUBLISHED])
        self._published = after.output
        for reason in {letter.reason for letter in turn.letters} - self._reasons:
            self._reasons.add(reason)
            logger.warning("a flow sets aside what it cannot use flow=%s reason=%s", flow.name, reason)

    async def _deliver(self, head: Head) -> None:
        """What was committed and not yet published when a runner ended. The bus knows by their ids those it has."""
        after, name = 0, self._flow.name
        while waiting := await self._database.read(lambda tx, after=after: store.waiting_outputs(tx, name, after)):
            await self._bus.publish([event for _, event in waiting])
            after = waiting[-1][0]
        self._published = head.output

    async def _tidy(self) -> None:
        """Nothing comes: forget now what the bus has, instead of with the next turn."""
        name, published = self._flow.name, self._published
        if published > self._forgotten:
            await self._database.write(lambda tx: store.forget_outputs(tx, name, published))
            self._forgotten = published


def _read(flow: Flow, new: Sequence[tuple[int, Event]]) -> tuple[list[Read], list[Letter]]:
    batch: list[Read] = []
    letters: list[Letter] = []
    for position, event in new:
        if event.mode not in flow.modes:
            continue
        source = Source(position, event.id, event.seen)
        try:
            batch.append(read_event(flow, source, event))
        except Exception as error:  # whatever stands in it, the others go on
            why = f"{type(error).__name__}: {error}"[:500]
            letters.append(Letter("unreadable", why, -1, event.subject[:200], event.at, source, event.body))
    return batch, letters


def _run(turn: Turn, batch: Sequence[Read]) -> None:
    for one in batch:
        turn.take(one.source, one.records)
    turn.flush()


def status(tx: Tx, flow: str) -> FlowStatus:
    """How a flow stands, whether or not it runs."""
    head = store.head_of(tx, flow)
    return FlowStatus(
        name=flow, position=head.position, turns=head.turn, late=head.late, letters=head.letter, outputs=head.output,
        waiting=store.waiting_count(tx, flow),
    )  # fmt: skip


def letters(tx: Tx, flow: str, *, before: int | None = None, limit: int = 100) -> list[KeptLetter]:
    """What was set aside, newest first."""
    return store.letters_of(tx, flow, before=before, limit=limit)


def snapshot(tx: Tx, flow: Flow, keys: Sequence[str]) -> dict[str, dict[int | str, Any]]:
    """States as they were committed, all of one moment; keys without one are left out. InvalidError as `StateCodec`."""
    found: dict[str, dict[int | str, Any]] = {}
    for key, state in store.load_states(tx, flow.name, keys, StateCodec(flow.operator)).items():
        if not isinstance(state, KeyState):
            raise state
        if len(state):
            found[key] = dict(state.items())
    return found
