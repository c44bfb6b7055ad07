"""What an operator of a flow is: plain code over records and a state, which knows no engine, clock, bus or database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError
from safecity.model.facts.envelope import Event, Mode
from safecity.ports.database import Tx

Item = int | str
"""Names one item of a key's state."""


class Record(NamedTuple):
    """One input of an operator. `at`: event time, microseconds UTC by its source; `value`: plain or frozen data."""

    key: str
    at: int
    value: Any


class State(Protocol):
    """What an operator remembers of one key: named items, each frozen data that is replaced and never changed in place.

    Only what was put is written, so a state may have many items of which few change. An engine that knows single
    values alone keeps the items as one mapping.
    """

    wake_at: int | None
    """Event time from which on `on_watermark` is wanted; None: never. Cleared before each call of `on_watermark`.

    It rings at the next tick of the flow (`Flow.tick_us`). Ask for it only while something waits for it: the first
    record after years of silence would else ring for each tick of them.
    """

    def get(self, item: Item) -> Any:
        """The item, or None."""
        ...

    def put(self, item: Item, value: Any) -> None:
        """Set, or forget it where `value` is None."""
        ...

    def items(self) -> Mapping[Item, Any]:
        """All of them, to read."""
        ...


class Operator(Protocol):
    """A computation, one key at a time.

    It must say the same however its input is cut: one batch gives what its records give one by one. It may raise: then
    the state is as before, and the record that caused it is set aside.
    """

    version: int
    """Of the meaning of its state. A higher one comes with an `upgrade` from those before."""
    item: Any
    """The type of the items, as msgspec decodes it (a Struct, a tagged union of Structs, a builtin)."""

    def process(self, batch: Sequence[Record], state: State) -> Iterable[Any]:
        """Records of one key in the order they came, none of them late; gives outputs."""
        ...

    def on_watermark(self, time: int, state: State) -> Iterable[Any]:
        """Event time has reached `time`, as `wake_at` wanted: no record before it comes any more; gives outputs."""
        ...

    def upgrade(self, version: int, items: dict[Item, Any]) -> dict[Item, Any]:
        """Items in plain builtins as `version` wrote them, into plain builtins of this version."""
        ...


class Late(NamedTuple):
    """A record that came after the watermark had passed its time."""

    record: Record
    watermark: int


@dataclass(frozen=True, kw_only=True)
class Flow:
    """An operator with where its records come from and where its outputs go.

    name        of the consumer and of everything stored; never reused for something else
    kinds       of the events it reads, as `Bus.pull` takes them
    read        an event into its records; raises for what cannot be decoded, and then the event is set aside
    publish     key and output into the event that tells it; None: it is told to nobody
    keep        outputs with their keys into tables of one's own, within the transaction of the state
    late        a record that came too late into an output (the side output); None: it is set aside, as everything is
                that cannot be used
    lateness_us how long after the newest record of its partition an older one is still taken
    tick_us     `on_watermark` is called at multiples of it; records of one key are given together within a tick only,
                so that it makes no difference how they are cut into turns
    idle_us     after how long without any event time goes on by the clock; None: never
    modes       events of other modes are passed over
    """

    name: str
    kinds: tuple[str, ...]
    read: Callable[[Event], Iterable[Record]]
    operator: Operator
    publish: Callable[[str, Any], Event] | None = None
    keep: Callable[[Tx, Sequence[tuple[str, Any]]], None] | None = None
    late: Callable[[Late], Any] | None = None
    lateness_us: int = 0
    tick_us: int = SECOND_US
    idle_us: int | None = None
    modes: frozenset[Mode] = frozenset({Mode.LIVE})

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= 60 or not self.name.isascii():
            raise InvalidError(f"not a name of a flow: {self.name!r}")
        if self.tick_us < 1 or self.lateness_us < 0 or (self.idle_us is not None and self.idle_us < 0):
            raise InvalidError(f"flow {self.name}: a negative time")
