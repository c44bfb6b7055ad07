"""What a flow has committed: how far it is, the time of its partitions, states, outputs on their way, dead letters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, bindparam, delete, func, insert, select, update

from safecity.core.ground.sql import metadata, moment
from safecity.core.upper.flows.decide import BEFORE_ALL, LAST_TIME, Letter, Partition
from safecity.core.upper.flows.state import INLINE_BYTES, KeyState, StateCodec
from safecity.kit.errors import ConflictError, SafecityError
from safecity.model.facts.envelope import Event
from safecity.model.values.partition import PARTITIONS, partition_of
from safecity.ports.database import Row, Tx

MAX_LETTERS: Final = 100_000
"""Dead letters kept of one flow; the oldest go first."""
MAX_LETTER_BYTES: Final = 64 << 10
"""Of the record in a dead letter; a larger one is kept without it, and lies in the bus by its position."""
_AT_ONCE: Final = 500
"""Keys in one question."""

_encode = msgspec.msgpack.Encoder(enc_hook=repr).encode
_decode_event = msgspec.msgpack.Decoder(Event).decode

heads = Table(
    "flow_heads",
    metadata,
    Column("flow", Text, primary_key=True),
    *(Column(name, BigInteger, nullable=False) for name in ("position", "turn", "output", "letter", "late")),
)
partitions = Table(
    "flow_partitions",
    metadata,
    Column("flow", Text, primary_key=True),
    Column("partition", BigInteger, primary_key=True, autoincrement=False),
    *(Column(name, BigInteger, nullable=False) for name in ("high", "watermark", "late")),
)
states = Table(
    "flow_states",
    metadata,
    Column("flow", Text, primary_key=True),
    Column("partition", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("wake_at", BigInteger, nullable=True),
    Column("changes", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
changes = Table(
    "flow_changes",
    metadata,
    Column("flow", Text, primary_key=True),
    Column("partition", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
outputs = Table(
    "flow_outputs",
    metadata,
    Column("flow", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
letters = Table(
    "flow_letters",
    metadata,
    Column("flow", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("partition", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    moment("at"),
    moment("seen"),
    Column("position", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
TABLES: Final = (heads, partitions, states, changes, outputs, letters)
"""For a file of its own that hosts flows and nothing of the rest."""


def _at(table: Table, *names: str) -> list[Any]:
    return [table.c[name] == bindparam(f"_{name}") for name in names]


# Made once: to make a statement takes longer than to run it.
_UPDATE_HEADS: Final = update(heads).where(*_at(heads, "flow"))
_UPDATE_PARTITIONS: Final = update(partitions).where(*_at(partitions, "flow", "partition"))
_UPDATE_STATES: Final = update(states).where(*_at(states, "flow", "partition", "key"))
_DELETE_STATES: Final = delete(states).where(*_at(states, "flow", "partition", "key"))
_DELETE_CHANGES: Final = delete(changes).where(*_at(changes, "flow", "partition", "key"))
_INSERT: Final = {table: insert(table) for table in TABLES}
_FORGET_OUTPUTS: Final = delete(outputs).where(*_at(outputs, "flow"), outputs.c.number <= bindparam("_up_to"))


@lru_cache
def _head(flow: str) -> Any:
    return select(heads).where(heads.c.flow == flow)


@dataclass(frozen=True, slots=True)
class Head:
    """How far a flow is: `position` in the bus, `turn` counts its commits, and the last numbers that were given."""

    position: int = 0
    turn: int = 0
    output: int = 0
    letter: int = 0
    late: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptLetter:
    """A dead letter as it is stored; see `Letter`. `value` is plain data, None where it was too large."""

    number: int
    reason: str
    detail: str
    partition: int
    key: str
    at: int
    seen: int
    position: int
    event: str
    value: Any


def head_of(tx: Tx, flow: str) -> Head:
    row = tx.row(_head(flow))
    return Head() if row is None else Head(*(int(row[name]) for name in Head.__dataclass_fields__))


def move_head(tx: Tx, flow: str, before: Head, after: Head) -> None:
    """ConflictError `flow_moved` when somebody else committed a turn meanwhile."""
    now = head_of(tx, flow)
    if now != before:
        raise ConflictError(f"flow {flow}: another runner is at turn {now.turn}", code="flow_moved")
    values = {name: getattr(after, name) for name in Head.__dataclass_fields__}
    if not tx.run(_UPDATE_HEADS, [{"_flow": flow, **values}]):
        tx.run(_INSERT[heads], [{"flow": flow, **values}])


def load_partitions(tx: Tx, flow: str) -> tuple[list[Partition], set[int]]:
    """All 64 with their timers, and which of them have a row."""
    found = [Partition() for _ in range(PARTITIONS)]
    known: set[int] = set()
    for row in tx.rows(select(partitions).where(partitions.c.flow == flow)):
        one = found[int(row["partition"])]
        one.high, one.watermark, one.late = int(row["high"]), int(row["watermark"]), int(row["late"])
        known.add(int(row["partition"]))
    query = select(states.c.partition, states.c.key, states.c.wake_at)
    for row in tx.rows(query.where(states.c.flow == flow, states.c.wake_at.is_not(None))):
        found[int(row["partition"])].wake(row["key"], int(row["wake_at"]))
    return found, known


def save_partitions(tx: Tx, flow: str, moved: Iterable[tuple[int, Partition]], known: set[int]) -> None:
    new: list[dict[str, Any]] = []
    old: list[dict[str, Any]] = []
    for number, one in moved:
        values = {"high": one.high, "watermark": max(one.watermark, BEFORE_ALL), "late": one.late}
        if number in known:
            old.append({"_flow": flow, "_partition": number, **values})
        else:
            new.append({"flow": flow, "partition": number, **values})
    tx.run(_UPDATE_PARTITIONS, old)
    tx.run(_INSERT[partitions], new)


def load_states(tx: Tx, flow: str, keys: Sequence[str], codec: StateCodec) -> dict[str, KeyState | SafecityError]:
    """A state for each key, an empty one where nothing is stored; the error where it cannot be read."""
    found: dict[str, KeyState | SafecityError] = {}
    by_partition: dict[int, list[str]] = {}
    for key in keys:
        by_partition.setdefault(partition_of(key), []).append(key)
    for number, here in by_partition.items():
        for start in range(0, len(here), _AT_ONCE):
            part = here[start : start + _AT_ONCE]
            query = select(states).where(states.c.flow == flow, states.c.partition == number, states.c.key.in_(part))
            for row in tx.rows(query):
                found[row["key"]] = _state(tx, row, codec)
    return {key: found.get(key) or KeyState(codec) for key in keys}


def _state(tx: Tx, row: Row, codec: StateCodec) -> KeyState | SafecityError:
    pieces = [bytes(row["body"])]
    if row["changes"]:
        at = [changes.c[name] == row[name] for name in ("flow", "partition", "key")]
        pieces = [bytes(one["body"]) for one in tx.rows(select(changes.c.body).where(*at).order_by(changes.c.number))]
    try:
        state = KeyState(codec, codec.decode(int(row["version"]), pieces), row["wake_at"])
    except SafecityError as error:
        return error
    state.stored_as([len(piece) for piece in pieces], beside=bool(row["changes"]))
    if row["version"] != codec.version:
        state.must_snapshot = True  # pieces of two versions do not go together
    return state


def save_states(tx: Tx, flow: str, touched: Iterable[tuple[str, KeyState]], codec: StateCodec) -> None:
    """What changed: small states whole in their row, large ones as a piece that is added, all of it now and then."""
    fresh: list[dict[str, Any]] = []
    known: list[dict[str, Any]] = []
    pieces: list[dict[str, Any]] = []
    emptied: list[dict[str, Any]] = []
    for key, state in touched:
        at = {"_flow": flow, "_partition": partition_of(key), "_key": key}
        if not len(state) and state.wake_at is None:
            if state.changes:
                tx.run(_DELETE_CHANGES, [at])
            if state.stored:
                emptied.append(at)
            state.rewritten(0, beside=False)
            state.stored = False
            continue
        if state.changed or state.must_snapshot or not state.stored:
            body = _write(tx, at, state, pieces)
        else:  # only its timer
            body = b"" if state.changes else state.snapshot()
        values = {"version": codec.version, "wake_at": state.wake_at, "changes": state.changes}
        if state.stored:
            known.append({**at, **values, "body": body})
        else:
            fresh.append({"flow": flow, "partition": at["_partition"], "key": key, **values, "body": body})
        state.stored = True
    tx.run(_UPDATE_STATES, known)
    tx.run(_INSERT[states], fresh)
    tx.run(_INSERT[changes], pieces)
    tx.run(_DELETE_STATES, emptied)


def _write(tx: Tx, at: dict[str, Any], state: KeyState, pieces: list[dict[str, Any]]) -> bytes:
    """The body of the row; pieces beside it where the state is large."""
    if state.changes and not state.snapshot_due:
        delta = state.delta()
        state.added(len(delta))
        pieces.append(_piece(at, state.changes, delta))
        return b""
    if state.changes:
        tx.run(_DELETE_CHANGES, [at])
    body = state.snapshot()
    beside = len(body) > INLINE_BYTES
    state.rewritten(len(body), beside=beside)
    if not beside:
        return body
    pieces.append(_piece(at, 1, body))
    return b""


def _piece(at: dict[str, Any], number: int, body: bytes) -> dict[str, Any]:
    return {"flow": at["_flow"], "partition": at["_partition"], "key": at["_key"], "number": number, "body": body}


def add_outputs(tx: Tx, flow: str, first: int, events: Sequence[bytes]) -> None:
    """Encoded events; they wait here until the bus has them."""
    tx.run(
        _INSERT[outputs], [{"flow": flow, "number": number, "body": one} for number, one in enumerate(events, first)]
    )


def waiting_outputs(tx: Tx, flow: str, after: int, limit: int = 500) -> list[tuple[int, Event]]:
    """The oldest after a number."""
    query = select(outputs).where(outputs.c.flow == flow, outputs.c.number > after).order_by(outputs.c.number)
    return [(int(row["number"]), _decode_event(bytes(row["body"]))) for row in tx.rows(query.limit(limit))]


def forget_outputs(tx: Tx, flow: str, up_to: int) -> int:
    return tx.run(_FORGET_OUTPUTS, [{"_flow": flow, "_up_to": up_to}])


def add_letters(tx: Tx, flow: str, first: int, new: Sequence[Letter]) -> None:
    rows: list[dict[str, Any]] = []
    for number, one in enumerate(new, first):
        rows.append(
            {
                "flow": flow, "number": number, "reason": one.reason, "detail": _plain(one.detail),
                "partition": one.partition, "key": _plain(one.key), "at": max(-LAST_TIME, min(one.at, LAST_TIME)),
                "seen": one.source.seen,
                "position": one.source.position, "event": _plain(one.source.event), "body": _body(one.value),
            }
        )  # fmt: skip
    tx.run(_INSERT[letters], rows)
    if rows:
        tx.run(delete(letters).where(letters.c.flow == flow, letters.c.number < first + len(rows) - MAX_LETTERS))


def letters_of(tx: Tx, flow: str, *, before: int | None = None, limit: int = 100) -> list[KeptLetter]:
    """Newest first."""
    query = select(letters).where(letters.c.flow == flow)
    if before is not None:
        query = query.where(letters.c.number < before)
    found: list[KeptLetter] = []
    for row in tx.rows(query.order_by(letters.c.number.desc()).limit(limit)):
        values = {name: row[name] for name in KeptLetter.__dataclass_fields__ if name != "value"}
        body = bytes(row["body"])
        found.append(KeptLetter(**values, value=msgspec.msgpack.decode(body) if body else None))
    return found


def waiting_count(tx: Tx, flow: str) -> int:
    row = tx.row(select(func.count()).select_from(outputs).where(outputs.c.flow == flow))
    return 0 if row is None else int(next(iter(row.values())))


def keys_of(tx: Tx, flow: str, *, after: str = "", limit: int = 1000) -> list[str]:
    """Keys with a state, in order."""
    query = select(states.c.key).where(states.c.flow == flow, states.c.key > after).order_by(states.c.key)
    return [row["key"] for row in tx.rows(query.limit(limit))]


def _body(value: Any) -> bytes:
    try:
        body = _encode(value)
    except Exception:  # data that cannot be written down must not hold up what is right
        body = _encode(repr(value)[:1000])
    return body if len(body) <= MAX_LETTER_BYTES else b""


def _plain(text: str) -> str:
    """Without what a text column does not take."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
