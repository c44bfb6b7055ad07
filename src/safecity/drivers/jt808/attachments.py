"""Attachments of alarms of active safety, ordered (T/JSATL 12-2017, 0x9208): what was asked of whom, until it has come.

Orders outlive the process: a terminal in a tunnel sends hours later. Each is a number of 128 random bits that only the
terminal was told; with the alarm's mark it opens one door for one alarm, until its hours are over.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from safecity.drivers.jt808.orders import Orders
from safecity.drivers.jt808.roll import Vehicle
from safecity.drivers.rows import RowStore
from safecity.drivers.tally import Tally
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import RefusedError, SafecityError
from safecity.ports.outbox import Outbox
from safecity.ports.sqlfile import SqlFile
from safecity.protocols.jt808.active_safety import AlarmMark, UploadAttachments
from safecity.protocols.jt808.bringing import Ordered
from safecity.protocols.jt808.items import SafetyAlarm

logger = logging.getLogger(__name__)

MAX_ORDERS: Final = 20_000
MAX_OF_ONE: Final = 64
"""Orders of one terminal that are open; of more alarms nothing is asked for."""
AGAIN_SECONDS: Final = (90.0, 300.0, 900.0, 3600.0)
"""Pauses until what has not come is asked for once more; then only when the terminal comes back."""
MAX_ASKED: Final = 12
TOLD_AT_ONCE: Final = 8
"""Orders that a terminal hears of in one go, when it comes back."""

NO_ROOM: Final = "jt_attachment_no_room"
NOT_GIVEN: Final = "jt_attachment_not_given"
NO_CONNECTION: Final = "jt_attachment_no_connection"


class AttachmentRow(Struct, frozen=True, array_like=True):
    """An order. Fields are only ever added at the end.

    number             our own name for the alarm, 32 hexadecimal digits
    terminal_id, time, count, attachments, reserved   the alarm's mark
    event, alarm       the fact that it was raised by, and the terminal's own number of it
    at, until          of the alarm, and when the order ends: microseconds UTC
    asked, came        how often the terminal was asked, and whether it ever came with a list
    kept, kept_bytes   names of files that are kept, and their bytes together
    done               nothing of it is missing
    """

    number: str
    phone: str
    device: str
    terminal_id: str
    time: str
    count: int
    attachments: int
    reserved: int
    event: str
    alarm: int
    at: int
    until: int
    longitude: float | None = None
    latitude: float | None = None
    asked: int = 0
    came: bool = False
    kept: tuple[str, ...] = ()
    kept_bytes: int = 0
    done: bool = False

    @property
    def mark(self) -> AlarmMark:
        """As the terminal gave it."""
        return AlarmMark(
            terminal_id=self.terminal_id, time=self.time, number=self.count, attachments=self.attachments,
            reserved=self.reserved,
        )  # fmt: skip


class AttachmentDesk:
    """`host` says what address of ours a terminal reaches; `port` 0: nobody listens, and nothing is ordered."""

    def __init__(
        self, clock: Clock, file: SqlFile, outbox: Outbox, tally: Tally, orders: Orders,
        find: Callable[[str], Vehicle | None], *, hours: float,
    ) -> None:  # fmt: skip
        self._clock = clock
        self._tally = tally
        self._orders = orders
        self._find = find
        self._hours = hours
        self._store: RowStore[AttachmentRow] = RowStore(
            file, outbox, table="attachment", key="number", kind=AttachmentRow
        )  # fmt: skip
        self._rows: dict[str, AttachmentRow] = {}
        self._open: Counter[str] = Counter()
        self._due: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.host: Callable[[Vehicle], str] = lambda vehicle: vehicle.link.local_host if vehicle.link else ""
        self.port = 0
        self.visited: Callable[[str], bool] = lambda _: False
        """Whether a connection for that order is open."""

    def start(self, port: int) -> None:
        """Go on from the own file; terminals are told of `port`."""
        self.port = port
        for row in self._store.load():
            self._rows[row.number] = row
            self._open[row.phone] += not row.done

    async def close(self) -> None:
        """Whoever was being asked is asked again by whoever starts next."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._store.close()

    def order(self, vehicle: Vehicle, alarm: SafetyAlarm, event: str, at: int, place: tuple[float, float] | None,
              after: Callable[[Callable[[], None]], None]) -> None:  # fmt: skip
        """Have the files of an alarm brought, if it has any. The order is on the disk before the alarm, so that a kill
        leaves no alarm without one; `after` does something once the alarm is there as well, and only then the terminal
        hears of it."""
        mark = alarm.mark
        if not self.port or not mark.attachments:
            return
        if len(self._rows) >= MAX_ORDERS or self._open[vehicle.number] >= MAX_OF_ONE:
            self._tally.note(NO_ROOM, vehicle.number)
            return
        row = AttachmentRow(
            number=os.urandom(16).hex(), phone=vehicle.number, device=vehicle.device, terminal_id=mark.terminal_id,
            time=mark.time, count=mark.number, attachments=mark.attachments, reserved=mark.reserved, event=event,
            alarm=alarm.alarm_id, at=at, until=self._clock.now_us() + round(self._hours * 3600) * SECOND_US,
            longitude=place[0] if place else None, latitude=place[1] if place else None,
        )  # fmt: skip
        self._rows[row.number] = row
        self._open[row.phone] += 1
        self._store.put(row)
        self._store.flush()
        self._store.afterwards(lambda: after(lambda: self._ask(row.number)))

    def came(self, vehicle: Vehicle) -> None:
        """A terminal has signed in: it hears again of what has not come."""
        due = [one.number for one in self._rows.values() if one.phone == vehicle.number and not one.done]
        for number in due[:TOLD_AT_ONCE]:
            self._due[number] = self._clock.monotonic()

    def tick(self) -> None:
        """Once a second or so: what is over is forgotten, what is due is asked for."""
        now, now_us = self._clock.monotonic(), self._clock.now_us()
        for row in [one for one in self._rows.values() if now_us >= one.until]:
            self._forget(row)
        for number in [number for number, at in self._due.items() if now >= at]:
            del self._due[number]
            row = self._rows.get(number)
            if row is None or row.done or self.visited(number):
                continue
            if not row.came and row.asked:
                self._note(row, NO_CONNECTION)
            self._ask(number)

    def _forget(self, row: AttachmentRow) -> None:
        del self._rows[row.number]
        self._open[row.phone] -= not row.done
        if not self._open[row.phone]:
            del self._open[row.phone]
        self._due.pop(row.number, None)
        self._store.drop(row.number)

    # --- what connections ask and tell ------------------------------------------------------------------------

    def ordered(self, number: str) -> Ordered | None:
        """The order of that number; one that is over is none, nor one whose vehicle is not here any more."""
        row = self._rows.get(number)
        vehicle = None if row is None else self._find(row.phone)
        if row is None or vehicle is None or vehicle.device != row.device or self._clock.now_us() >= row.until:
            return None
        return Ordered(phone=row.phone, mark=row.mark, kept=frozenset(row.kept), kept_bytes=row.kept_bytes)

    def row(self, number: str) -> AttachmentRow | None:
        """All of it."""
        return self._rows.get(number)

    def visit(self, number: str) -> None:
        """Its terminal has come with the list."""
        row = self._rows.get(number)
        if row is not None and not row.came:
            self._put(replace(row, came=True))

    def kept(self, number: str, name: str, size: int) -> None:
        """One of its files is on the disk."""
        row = self._rows.get(number)
        if row is not None and name not in row.kept:
            self._put(replace(row, kept=(*row.kept, name), kept_bytes=row.kept_bytes + size))

    def finished(self, number: str) -> None:
        """All that its terminal announced is kept. The order stays until its hours are over, so that one who did not
        hear our last word is answered."""
        row = self._rows.get(number)
        if row is not None and not row.done:
            self._put(replace(row, done=True))
            self._open[row.phone] -= 1
            self._due.pop(number, None)

    def denied(self, number: str, reason: str, peer: str) -> None:
        """Something was not taken. Of an order that there is, the vehicle's page tells why."""
        row = self._rows.get(number)
        if row is None:
            self._tally.note(reason, peer)
        else:
            self._note(row, reason)

    def broke(self, number: str) -> None:
        """Its connection is over before all has come: the terminal may come by itself, or is asked again."""
        row = self._rows.get(number)
        if row is not None and not row.done:
            self._later(row)

    def _note(self, row: AttachmentRow, reason: str) -> None:
        self._tally.note(reason, row.phone)
        vehicle = self._find(row.phone)
        if vehicle is not None:
            vehicle.refused(reason, self._clock.monotonic())

    def _put(self, row: AttachmentRow) -> None:
        self._rows[row.number] = row
        self._store.put(row)

    # --- what terminals are asked -----------------------------------------------------------------------------

    def _ask(self, number: str) -> None:
        task = asyncio.get_running_loop().create_task(self._asking(number))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _asking(self, number: str) -> None:
        row = self._rows.get(number)
        vehicle = None if row is None else self._find(row.phone)
        if row is None or row.done or vehicle is None or vehicle.link is None or row.asked >= MAX_ASKED:
            return  # it hears of it when it comes back
        self._put(row := replace(row, asked=row.asked + 1))
        self._later(row)
        wish = UploadAttachments(
            host=self.host(vehicle), tcp_port=self.port, udp_port=0, mark=row.mark, number=row.number
        )  # fmt: skip
        try:
            await self._orders.ask(vehicle.link, wish)
        except RefusedError as error:
            self._note(row, NOT_GIVEN)
            logger.debug("attachments not given phone=%s why=%s", row.phone, error)
        except SafecityError as error:
            logger.debug("attachments not asked for phone=%s why=%s", row.phone, error)

    def _later(self, row: AttachmentRow) -> None:
        if 0 < row.asked <= len(AGAIN_SECONDS):
            self._due[row.number] = self._clock.monotonic() + AGAIN_SECONDS[row.asked - 1]
