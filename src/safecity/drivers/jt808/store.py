"""What is kept of terminals in signalling's own file: bindings, codes as hashes, presence, alarms that are set."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from safecity.drivers.rows import RowStore
from safecity.ports.outbox import Outbox
from safecity.ports.sqlfile import SqlFile


class TerminalRow(Struct, frozen=True, array_like=True):
    """What of a terminal outlives the process. Fields are only ever added at the end.

    driver   whether a driver's card is in: 0 it never said, 1 yes, 2 no. Whose it is is not kept.
    alarms   the lowest 64 bits of the levels that are set, `above` what stands above them: no whole number of a row is
             larger
    """

    phone: str
    terminal_id: str = ""
    imei: str = ""
    code_hash: bytes = b""
    version: int = 0
    state: str = "never"
    since: int = 0
    address: str = ""
    alarms: int = 0
    plate: str = ""
    software: str = ""
    device: str = ""
    driver: int = 0
    above: bytes = b""

    @property
    def levels(self) -> int:
        """Alarms that are set, as `protocols.jt808.alarms.levels` has them."""
        return self.alarms | int.from_bytes(self.above, "big") << 64

    def with_levels(self, levels: int) -> TerminalRow:
        """The same with these."""
        above = levels >> 64
        size = (above.bit_length() + 7) // 8
        return replace(self, alarms=levels & (1 << 64) - 1, above=above.to_bytes(size, "big"))


class TerminalStore(RowStore[TerminalRow]):
    """By phone number."""

    def __init__(self, file: SqlFile, outbox: Outbox) -> None:
        super().__init__(file, outbox, table="terminal", key="phone", kind=TerminalRow)
