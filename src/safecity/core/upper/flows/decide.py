"""One turn of a flow, pure: records in, and what they change; no engine, no clock, no waiting.

Everything follows from the order of the records of a partition alone. How they are cut into turns, and how often a turn
is begun again after a crash, makes no difference.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import heappop, heappush
from typing import Any, Final, NamedTuple

import msgspec

from safecity.core.upper.flows.operators import Flow, Late, Record
from safecity.core.upper.flows.state import KeyState
from safecity.kit.errors import SafecityError
from safecity.model.facts.envelope import Event
from safecity.model.values.partition import partition_of

BEFORE_ALL: Final = -(1 << 62)
"""Time of a partition that has heard nothing."""
MAX_KEY: Final = 200
LAST_TIME: Final = 1 << 62
MAX_RECORDS: Final = 100_000
"""Read out of one event."""
MAX_DETAIL: Final = 500

_encode = msgspec.msgpack.Encoder().encode
_partition = lru_cache(maxsize=1 << 16)(partition_of)


class Source(NamedTuple):
    """Which event a record was read from. `seen`: when we received it."""

    position: int
    event: str
    seen: int


class Letter(NamedTuple):
    """A dead letter: what was set aside, and why. `value`: the record's, or the event's body where none was read.

    `reason`: `unreadable` (the event), `invalid_record`, `operator_failed`, `watermark_failed`, `late`, `state_newer`,
    `state_unreadable`, `state_too_large`.
    """

    reason: str
    detail: str
    partition: int
    key: str
    at: int
    source: Source
    value: Any


@dataclass(slots=True)
class Partition:
    """Event time of one of the 64 partitions, and who wants to be woken when.

    high       of its newest record, though never later than that was received: a source whose clock is ahead must not
               make all others late
    watermark  no record before it is taken any more
    late       how many came after all
    wakes      by key; `timers` holds them in order, and some that no longer count
    """

    high: int = BEFORE_ALL
    watermark: int = BEFORE_ALL
    late: int = 0
    wakes: dict[str, int] = field(default_factory=dict[str, int])
    timers: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])

    def wake(self, key: str, at: int | None) -> None:
        """Set or take back the timer of a key."""
        if at is None:
            self.wakes.pop(key, None)
        elif self.wakes.get(key) != at:
            self.wakes[key] = at
            heappush(self.timers, (at, key))

    def due(self, until: int) -> list[str]:
        """Whose timers fall due up to a time, those set meanwhile not counted."""
        if not self.timers or self.timers[0][0] > until:
            return []
        return [key for at, key in self.timers if at <= until and self.wakes.get(key) == at]


class Read(NamedTuple):
    """The records of one event, and the newest time of each of their keys."""

    source: Source
    records: list[Record]
    newest: dict[str, int]


def read_event(flow: Flow, source: Source, event: Event) -> Read:
    """Its records, checked; whatever the reading raises, and ValueError for records that are none."""
    found: list[Record] = []
    newest: dict[str, int] = {}
    last_key, last_at = None, None
    for record in flow.read(event):
        if len(found) >= MAX_RECORDS:
            raise ValueError(f"more than {MAX_RECORDS} records")
        key, at, _ = record
        if key is not last_key or at is not last_at:  # many of one moment are looked at once
            newest[key] = max(_checked(key, at), newest.get(key, BEFORE_ALL))
            last_key, last_at = key, at
        found.append(record)
    return Read(source, found, newest)


def _checked(key: object, at: object) -> int:
    if not (isinstance(key, str) and 0 < len(key) <= MAX_KEY and "\0" not in key):
        raise ValueError(f"no key of a record: {str(key)[:60]!r}")
    if not (isinstance(at, int) and 0 <= at < LAST_TIME):
        raise ValueError(f"no time of a record: {str(at)[:60]!r}")
    _partition(key)
    return at


def needed(flow: Flow, partitions: Sequence[Partition], batch: Iterable[Read]) -> set[str]:
    """The keys whose state a turn over these records may touch."""
    keys: set[str] = set()
    high: dict[int, int] = {}
    for source, _, newest in batch:
        keys.update(newest)
        for key, at in newest.items():
            number = _partition(key)
            high[number] = max(high.get(number, BEFORE_ALL), min(at, source.seen))
    for number, at in high.items():
        keys.update(partitions[number].due(at - flow.lateness_us))
    return keys


class Batch:
    """Records of one key that wait for their turn. `sources`: of the records from an index on."""

    __slots__ = ("records", "sources")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.sources: list[tuple[int, Source]] = []

    def source_of(self, index: int) -> Source:
        """Where a record was read from."""
        return self.sources[bisect_right(self.sources, index, key=lambda one: one[0]) - 1][1]


def next_tick(at: int, tick_us: int) -> int:
    """The first multiple of a tick that is not before `at`."""
    return -(-at // tick_us) * tick_us


class Turn:
    """Takes records and gathers what must be committed together."""

    def __init__(
        self, flow: Flow, partitions: Sequence[Partition], states: Mapping[str, KeyState | SafecityError]
    ) -> None:
        self._flow = flow
        self._partitions = partitions
        self._states = states
        self._pending: dict[int, dict[str, Batch]] = {}
        self.outputs: list[tuple[str, Any]] = []
        self.events: list[Event] = []
        """What is to be published."""
        self.encoded: list[bytes] = []
        """The same, as it is stored."""
        self.letters: list[Letter] = []
        self.late = 0
        self.touched: set[str] = set()
        self.moved: set[int] = set()
        """Partitions whose time, count or timers changed."""

    def take(self, source: Source, records: Sequence[Record]) -> None:
        """In the order of the bus."""
        lateness, seen, partitions, all_pending = self._flow.lateness_us, source.seen, self._partitions, self._pending
        last_key, last_at, waiting = None, None, list[Record]()
        for record in records:
            key, at, _ = record
            if key is last_key and at is last_at:  # as the one before it
                waiting.append(record)
                continue
            number = _partition(key)
            partition = partitions[number]
            if at < partition.watermark:
                self._late(number, partition, record, source)
                continue
            known_at = at if at < seen else seen
            if known_at > partition.high:
                partition.high = known_at
                self.moved.add(number)
                self._advance(number, partition, known_at - lateness, source)
            pending = all_pending.get(number)
            if pending is None:
                pending = all_pending[number] = {}
            batch = pending.get(key)
            if batch is None:
                batch = pending[key] = Batch()
            if not batch.sources or batch.sources[-1][1] is not source:
                batch.sources.append((len(batch.records), source))
            waiting, last_key, last_at = batch.records, key, at
            waiting.append(record)

    def advance(self, number: int, watermark: int, source: Source) -> None:
        """Time goes on without records."""
        self._advance(number, self._partitions[number], watermark, source)

    def flush(self) -> None:
        """At the end of a turn."""
        for number in list(self._pending):
            self._flush(number)

    def _advance(self, number: int, partition: Partition, watermark: int, source: Source) -> None:
        if watermark <= partition.watermark:
            return
        tick = self._flow.tick_us
        if watermark // tick > partition.watermark // tick:
            # What came before the time that is over counts before it, whichever turn it came in.
            self._flush(number)
            timers = partition.timers
            while timers and timers[0][0] <= watermark:
                time, key = heappop(timers)
                if partition.wakes.get(key) == time:
                    self._wake(number, partition, key, time, source)
        partition.watermark = watermark
        self.moved.add(number)

    def _wake(self, number: int, partition: Partition, key: str, time: int, source: Source) -> None:
        partition.wake(key, None)
        state = self._states[key]
        if isinstance(state, SafecityError):
            return  # what comes for it is set aside
        state.wake_at = None
        error = self._guarded(number, key, state, lambda: self._flow.operator.on_watermark(time, state), time)
        if error is not None:
            self.touched.add(key)  # tried once, not for ever
            self._set_aside("watermark_failed", error, number, Record(key, time, None), source)

    def _flush(self, number: int) -> None:
        for key, batch in self._pending.pop(number, {}).items():
            state = self._states[key]
            if not isinstance(state, SafecityError):
                self._process(number, key, state, batch)
                continue
            for index, record in enumerate(batch.records):
                self._set_aside(state.code, state, number, record, batch.source_of(index))

    def _process(self, number: int, key: str, state: KeyState, batch: Batch) -> None:
        process, records = self._flow.operator.process, batch.records
        if self._guarded(number, key, state, lambda: process(records, state), None) is None:
            return
        for index, record in enumerate(records):  # find the bad ones; the others count
            error = self._guarded(number, key, state, lambda one=record: process([one], state), None)
            if error is not None:
                large = getattr(error, "code", "") == "state_too_large"
                reason = "state_too_large" if large else "operator_failed"
                self._set_aside(reason, error, number, record, batch.source_of(index))

    def _guarded(
        self, number: int, key: str, state: KeyState, call: Callable[[], Iterable[Any]], time: int | None
    ) -> Exception | None:
        """All of it or nothing of it."""
        partition = self._partitions[number]
        state.begin()
        try:
            outputs = list(call())
            if state.wake_at is not None:
                now = partition.watermark if time is None else time
                state.wake_at = next_tick(max(state.wake_at, now + 1), self._flow.tick_us)
                if state.wake_at >= LAST_TIME:
                    raise ValueError(f"to be woken at {state.wake_at}")
            told = self._told(key, outputs)
            state.keep()
        except Exception as error:  # whatever an operator does, the others go on
            state.undo()
            return error
        self.outputs += [(key, output) for output in outputs]
        self._tell(told)
        partition.wake(key, state.wake_at)
        self.touched.add(key)
        return None

    def _told(self, key: str, outputs: Iterable[Any]) -> list[tuple[Event, bytes]]:
        publish = self._flow.publish
        if publish is None:
            return []
        return [(event, _encode(event)) for event in (publish(key, output) for output in outputs)]

    def _tell(self, told: Iterable[tuple[Event, bytes]]) -> None:
        for event, encoded in told:
            self.events.append(event)
            self.encoded.append(encoded)

    def _late(self, number: int, partition: Partition, record: Record, source: Source) -> None:
        partition.late += 1
        self.late += 1
        self.moved.add(number)
        if self._flow.late is not None:
            try:
                output = self._flow.late(Late(record, partition.watermark))
                self._tell(self._told(record.key, [output]))
                self.outputs.append((record.key, output))
            except Exception as error:
                self._set_aside("operator_failed", error, number, record, source)
            return
        self._set_aside("late", f"watermark {partition.watermark}", number, record, source)

    def _set_aside(self, reason: str, why: object, number: int, record: Record, source: Source) -> None:
        detail = f"{type(why).__name__}: {why}" if isinstance(why, Exception) else str(why)
        self.letters.append(Letter(reason, detail[:MAX_DETAIL], number, record.key, record.at, source, record.value))
