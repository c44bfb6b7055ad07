"""The state of one key: items with a way back to before the last batch, and what of them must be written."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from safecity.core.upper.flows.operators import Item, Operator
from safecity.kit.errors import ExhaustedError, InvalidError

MAX_ITEM_BYTES: Final = 1 << 20
"""Of one item, encoded."""
MAX_STATE_BYTES: Final = 32 << 20
"""Of all items of one key, encoded."""
INLINE_BYTES: Final = 2_048
"""A state up to this size is written whole each time; a larger one as what changed, with a snapshot now and then."""
MAX_CHANGES: Final = 500
"""Pieces of changes after which a snapshot is due, whatever their size: all are read when the state is."""

_plain = msgspec.msgpack.Decoder(dict[int | str, Any])


class StateCodec:
    """Items of an operator to bytes and back: a map in MessagePack, values as `Operator.item` says."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._type = dict[int | str, operator.item | None]
        self._decoder = msgspec.msgpack.Decoder(self._type)
        self.version = operator.version
        self.encode = msgspec.msgpack.Encoder().encode

    def decode(self, version: int, pieces: list[bytes]) -> dict[Item, Any]:
        """A snapshot and the changes after it, oldest first, brought to the operator's version.

        InvalidError `state_newer`, `state_unreadable`.
        """
        if version > self._operator.version:
            raise InvalidError(f"state of version {version}", code="state_newer")
        same = version == self._operator.version
        items: dict[Item, Any] = {}
        try:
            for piece in pieces:
                for item, value in (self._decoder if same else _plain).decode(piece).items():
                    if value is None:
                        items.pop(item, None)
                    else:
                        items[item] = value
            return items if same else msgspec.convert(self._operator.upgrade(version, items), self._type)
        except Exception as error:
            raise InvalidError(f"state of version {version}: {error}", code="state_unreadable") from error


class KeyState:
    """`State` of one key, in memory between two commits.

    `begin`, then the operator, then `keep` (what it changed is to be written) or `undo` (as if it had not run).
    """

    __slots__ = (
        "_before", "_codec", "_deltas", "_items", "_snapshot", "_wake_before", "changed", "changes", "must_snapshot",
        "size", "stored", "wake_at",
    )  # fmt: skip

    def __init__(self, codec: StateCodec, items: dict[Item, Any] | None = None, wake_at: int | None = None) -> None:
        self._codec = codec
        self._items: dict[Item, Any] = {} if items is None else items
        self._before: dict[Item, Any] = {}
        self._wake_before = wake_at
        self.wake_at = wake_at
        self.changed: dict[Item, msgspec.Raw | None] = {}
        """Encoded, since the last commit; None: forgotten."""
        self.size = 0
        """Bytes, encoded: at most this many; exact after a snapshot."""
        self.stored = False
        """Whether there is a row of it."""
        self.changes = 0
        """Pieces stored beside the row, the snapshot first; 0: the row holds all."""
        self.must_snapshot = False
        self._snapshot = 0
        self._deltas = 0

    def get(self, item: Item) -> Any:
        return self._items.get(item)

    def put(self, item: Item, value: Any) -> None:
        items, before = self._items, self._before
        if item not in before:
            before[item] = items.get(item)
        if value is None:
            items.pop(item, None)
        else:
            items[item] = value

    def items(self) -> Mapping[Item, Any]:
        return MappingProxyType(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def begin(self) -> None:
        self._before = {}
        self._wake_before = self.wake_at

    def undo(self) -> None:
        for item, value in self._before.items():
            if value is None:
                self._items.pop(item, None)
            else:
                self._items[item] = value
        self._before = {}
        self.wake_at = self._wake_before

    def keep(self) -> None:
        """ExhaustedError `state_too_large`, TypeError for what cannot be encoded: nothing is kept then, `undo`."""
        items, encode = self._items, self._codec.encode
        written: dict[Item, msgspec.Raw | None] = {}
        grown = 0
        for item in self._before:
            value = items.get(item)
            if value is None:
                written[item] = None
                continue
            encoded = encode(value)
            if len(encoded) > MAX_ITEM_BYTES:
                raise _too_large(len(encoded), MAX_ITEM_BYTES)
            grown += len(encoded) + 5
            written[item] = msgspec.Raw(encoded)
        if self.size + grown > MAX_STATE_BYTES:
            # The sum counts items again that were replaced: look once more before refusing.
            exact = len(self.snapshot())
            if exact > MAX_STATE_BYTES:
                raise _too_large(exact, MAX_STATE_BYTES)
            self.size, grown = exact, 0
        self.size += grown
        self.changed.update(written)
        self._before = {}

    @property
    def snapshot_due(self) -> bool:
        """Whether the pieces have outgrown what they change."""
        return self.must_snapshot or self.changes >= MAX_CHANGES or self._deltas > self._snapshot

    def stored_as(self, sizes: list[int], *, beside: bool) -> None:
        """It was read from a snapshot and pieces of these sizes."""
        self.stored, self.changes = True, len(sizes) if beside else 0
        self._snapshot, self._deltas, self.size = sizes[0], sum(sizes[1:]), sum(sizes)

    def added(self, size: int) -> None:
        """What changed is written as one more piece."""
        self.changes += 1
        self._deltas += size
        self.changed = {}

    def rewritten(self, size: int, *, beside: bool) -> None:
        """All of it is written anew."""
        self.changes = 1 if beside else 0
        self._snapshot, self._deltas, self.size = size, 0, size
        self.changed, self.must_snapshot = {}, False

    def snapshot(self) -> bytes:
        """All items."""
        return self._codec.encode(self._items)

    def delta(self) -> bytes:
        """What changed since the last commit."""
        return self._codec.encode(self.changed)


def _too_large(found: int, limit: int) -> ExhaustedError:
    return ExhaustedError(f"{found} bytes of state", code="state_too_large", params={"limit": limit})
