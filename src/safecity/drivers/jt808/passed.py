"""What came through terminals from whatever stands behind them (0x0900), the last of each; and their keys (0x0A00)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from safecity.drivers.jt808.roll import Vehicle
from safecity.drivers.rows import RowStore
from safecity.kit.clock import Clock
from safecity.model.facts.vehicle_calls import PassedUp, TerminalPassed
from safecity.ports.outbox import Outbox
from safecity.ports.sqlfile import SqlFile
from safecity.protocols.jt808.records import TerminalKey, TransparentUp

MAX_PASSED: Final = 16
"""Messages kept of one terminal, the last ones."""
MAX_PASSED_BYTES: Final = 1024
"""Of one of them; the rest is left out, and its size says so."""
MAX_TERMINALS: Final = 5_000
"""Of whom something is kept; who said nothing for longest is forgotten."""


class PassedRow(Struct, frozen=True, array_like=True):
    """Of one terminal, oldest first. Fields are only ever added at the end. `e` and `n` are its public key, which it
    told at `key_at`; 0: none."""

    phone: str
    device: str
    items: tuple[PassedUp, ...] = ()
    e: int = 0
    n: bytes = b""
    key_at: int = 0


class PassedDesk:
    """What is taken is on the disk before the terminal is answered; see `afterwards`."""

    def __init__(self, file: SqlFile, outbox: Outbox, clock: Clock) -> None:
        self._clock = clock
        self._store: RowStore[PassedRow] = RowStore(file, outbox, table="passed", key="phone", kind=PassedRow)
        self._rows: OrderedDict[str, PassedRow] = OrderedDict()

    def start(self) -> None:
        """Go on from the own file."""
        rows = self._store.load()
        rows.sort(key=lambda row: max([row.key_at, *(one.at for one in row.items)]))
        self._rows = OrderedDict((row.phone, row) for row in rows)

    def close(self) -> None:
        self._store.close()

    def afterwards(self, do: Callable[[], None]) -> None:
        """Once all that was taken so far is on the disk."""
        self._store.afterwards(do)

    def take(self, vehicle: Vehicle, body: TransparentUp | TerminalKey) -> None:
        """As the last of its terminal."""
        now = self._clock.now_us()
        row = self._of(vehicle)
        if isinstance(body, TerminalKey):
            row = replace(row, e=body.e, n=body.n, key_at=now)
        else:
            one = PassedUp(now, body.kind, len(body.data), body.data[:MAX_PASSED_BYTES])
            row = replace(row, items=(*row.items, one)[-MAX_PASSED:])
        self._rows[row.phone] = row
        self._rows.move_to_end(row.phone)
        if len(self._rows) > MAX_TERMINALS:
            self._store.drop(self._rows.popitem(last=False)[0])
        self._store.put(row)

    def forget(self, phone: str) -> None:
        """It is not in the list any more."""
        if self._rows.pop(phone, None) is not None:
            self._store.drop(phone)

    def told(self, vehicle: Vehicle) -> TerminalPassed:
        """What is kept of it, newest first."""
        row = self._of(vehicle)
        return TerminalPassed(tuple(reversed(row.items)), row.e, row.n, row.key_at)

    def _of(self, vehicle: Vehicle) -> PassedRow:
        row = self._rows.get(vehicle.number)
        is_its = row is not None and row.device == vehicle.device
        return row if row is not None and is_its else PassedRow(vehicle.number, vehicle.device)
