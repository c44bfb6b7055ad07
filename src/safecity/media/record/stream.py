"""The recorder's end of a stream: takes units in the event loop, hands them to the writer thread, never waits.

The queue between the two is bounded by the recorder's RAM window. When the disk is slower than the streams, the least
important ones stop first; what they miss becomes a gap with cause `disk`, and they begin again with a key frame.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from safecity.kit.clock import SECOND_US, Clock
from safecity.media.record.decide import Decision, Demand, Window, decide
from safecity.media.record.gaps import cause_of
from safecity.model.facts.media_calls import RecordPolicy
from safecity.model.values.media import VIDEO, StreamKey, Unit

RING_BYTES: Final = 8 << 20
"""What pre-roll may hold of one stream."""


class Mark(NamedTuple):
    """Something else than a unit in the queue: from `at` on nothing comes, for this cause (None: nothing is due)."""

    cause: str | None
    detail: str
    at: int
    ends_run: bool = True


@dataclass(slots=True)
class Pending:
    """Bytes handed over (counted by the loop) and bytes done with (counted by the writer)."""

    limits: Window
    handed: int = 0
    done: int = 0


class StreamRecorder:
    """A `Reader` of one stream (contract in docs/design/contracts.md). Made by `Recorder.open`."""

    def __init__(
        self, key: StreamKey, policy: RecordPolicy, epoch: int, clock: Clock, pending: Pending, wake: Callable[[], None]
    ) -> None:
        self.key = key
        self.policy = policy
        self.epoch = epoch
        self.opened_at = clock.now_us()
        self.closed = False
        self.shed = 0
        """Units dropped because the disk was too slow."""
        self.decision = Decision(False, None)
        self._clock = clock
        self._pending = pending
        self._limit = pending.limits.limit(policy.priority)
        self._wake = wake
        self._queue: deque[Unit | Mark] = deque()
        self._ring: deque[Unit] = deque()
        self._ring_bytes = 0
        self._demand: Demand | None = None
        self._on = False
        self._shedding = False
        self.review()
        self._turn_to(self.decision)

    # --- event loop ---------------------------------------------------------------------------------------------

    def offer(self, unit: Unit) -> None:
        """Take one unit; never blocks, never raises."""
        if self.decision.recording is not self._on:
            self._turn_to(self.decision)
        if not self._on:
            self._remember(unit)
            return
        pending = self._pending
        waiting = pending.handed - pending.done
        if waiting > self._limit or self._shedding:
            if waiting * 2 > self._limit or not (unit.is_key and unit.track == VIDEO):
                self._drop(unit)
                return
            self._shedding = False
        pending.handed += len(unit.data)
        self._queue.append(unit)

    def ended(self, reason: str) -> None:
        """The source ended; the gap that follows carries the cause."""
        if self._on:
            self._queue.append(Mark(cause_of(reason), reason, self._clock.now_us()))
        self._ring.clear()
        self._ring_bytes = 0

    def preload(self, units: Iterable[Unit]) -> None:
        """What the stream's ring held when this reader was attached: the footage begins with its key frame."""
        for unit in units:
            self.offer(unit)

    def apply(self, policy: RecordPolicy, epoch: int) -> None:
        """Another policy from now on."""
        self.policy = policy
        self.epoch = epoch
        self._limit = self._pending.limits.limit(policy.priority)
        self.review()
        self._turn_to(self.decision)

    def start_recording(self, until: int = 0, reason: str = "manual") -> None:
        """Record besides the policy, beginning with what pre-roll holds."""
        self._demand = Demand(until, reason)
        self.review()
        self._turn_to(self.decision)

    def stop_recording(self) -> None:
        """End that after the post-roll."""
        if self._demand is not None:
            until = self._clock.now_us() + self.policy.post_roll_seconds * SECOND_US
            before = self._demand.until
            self._demand = Demand(min(until, before) if before else until, self._demand.reason)

    def close(self, reason: str = "released") -> None:
        """No more units will come; what is queued is still written."""
        self._queue.append(Mark(None, reason, self._clock.now_us()))
        self.closed = True
        self._ring.clear()
        self._wake()

    @property
    def recording(self) -> bool:
        return self._on

    @property
    def demanded(self) -> bool:
        """Whether somebody asked for this recording besides the policy."""
        demand = self._demand
        return demand is not None and (demand.until == 0 or self._clock.now_us() < demand.until)

    # --- either thread ------------------------------------------------------------------------------------------

    def review(self) -> Decision:
        """Decide anew; the loop acts on it with the next unit."""
        self.decision = decide(self.policy, self._demand, self._clock.now_us())
        return self.decision

    # --- writer thread -------------------------------------------------------------------------------------------

    def drain(self) -> list[Unit | Mark]:
        """All that waits."""
        queue = self._queue
        return [queue.popleft() for _ in range(len(queue))]

    # --------------------------------------------------------------------------------------------------------------

    def _turn_to(self, decision: Decision) -> None:
        on = decision.recording
        if on is self._on:
            return
        self._on = on
        if on:
            self._queue.append(Mark(decision.absence, "", self._clock.now_us(), ends_run=False))
            for unit in self._ring:
                self._pending.handed += len(unit.data)
                self._queue.append(unit)
            self._ring.clear()
            self._ring_bytes = 0
        else:
            self._queue.append(Mark(decision.absence, "", self._clock.now_us()))

    def _drop(self, unit: Unit) -> None:
        self.shed += 1
        if not self._shedding:
            self._shedding = True
            self._queue.append(Mark("disk", "too_slow", unit.arrived_us))
            self._wake()

    def _remember(self, unit: Unit) -> None:
        """Keep the last seconds for pre-roll, whole groups of pictures."""
        seconds = self.policy.pre_roll_seconds
        if seconds <= 0 or self.closed:
            return
        ring = self._ring
        ring.append(unit)
        self._ring_bytes += len(unit.data)
        if (unit.is_key and unit.track == VIDEO) or self._ring_bytes > RING_BYTES:
            self._trim(unit.arrived_us - seconds * SECOND_US)

    def _trim(self, horizon: int) -> None:
        ring = self._ring
        while ring:
            following = next((at for at, one in enumerate(ring) if at and one.is_key and one.track == VIDEO), None)
            if following is None:
                break
            if ring[following].arrived_us > horizon and self._ring_bytes <= RING_BYTES:
                break
            for _ in range(following):
                self._ring_bytes -= len(ring.popleft().data)
        if self._ring_bytes > RING_BYTES or (ring and ring[-1].arrived_us - ring[0].arrived_us > 60 * SECOND_US):
            ring.clear()
            self._ring_bytes = 0
