"""The platform side of JT/T 808: who is here, what they say, and the facts that come of it."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from safecity.drivers.jt808.attachments import AttachmentDesk
from safecity.drivers.jt808.link import Hall, Limits, TerminalLink
from safecity.drivers.jt808.media import Keep, MediaDesk
from safecity.drivers.jt808.orders import Orders
from safecity.drivers.jt808.passed import PassedDesk
from safecity.drivers.jt808.reports import Reports
from safecity.drivers.jt808.roll import Vehicle
from safecity.drivers.jt808.saying import answered, said
from safecity.drivers.jt808.store import TerminalRow, TerminalStore
from safecity.drivers.jt808.translate import clean, described_fact
from safecity.drivers.presence import Presence
from safecity.kit.clock import Clock
from safecity.kit.errors import ConflictError
from safecity.model.facts.signal_calls import ApplySignal, UnknownFigure
from safecity.model.facts.vehicle_calls import AskPassed, Order, SayTerminal, TerminalDid, TerminalPassed, TerminalSaid
from safecity.ports.outbox import Outbox
from safecity.ports.sqlfile import SqlFile
from safecity.protocols.gb28181.limits import Buckets
from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.items import SafetyAlarm
from safecity.protocols.jt808.messages import Message
from safecity.protocols.jt808.outputs import (
    Answered,
    Arrived,
    Authenticated,
    Dropped,
    Output,
    Over,
    Refused,
    Registered,
    Send,
    Unanswered,
)
from safecity.protocols.jt808.platform import Host
from safecity.protocols.jt808.records import MediaData, TerminalKey, TransparentUp
from safecity.protocols.jt808.registrar import UNKNOWN, UNREADABLE, Terminal

logger = logging.getLogger(__name__)


class TerminalPlatform(Presence[Vehicle, TerminalRow]):
    """One per process. `configure` with what control wants, `start` with the listening socket."""

    whom = "terminals"

    def __init__(
        self,
        file: SqlFile,
        outbox: Outbox,
        clock: Clock,
        *,
        node: str = "",
        heartbeat_seconds: float = 60.0,
        limits: Limits | None = None,
        keep_media: Keep | None = None,
        attachment_hours: float = 24.0,
    ) -> None:
        """`keep_media` makes durable what terminals took; without it they are not answered, and keep it themselves.
        What they recorded of alarms may be brought for `attachment_hours`."""
        super().__init__(TerminalStore(file, outbox), clock, node)
        self._patience = 3 * heartbeat_seconds
        self._refusals = Buckets(rate=1 / 60, burst=1.0)
        self.came: Callable[[Vehicle], None] = lambda _: None
        """Told of each terminal that has authenticated."""
        self._host = Host(self._find, self._is_here, lambda: os.urandom(16), clock.now_us)
        self.hall = Hall(
            self._host,
            self.take,
            self._lost,
            clock.monotonic,
            heartbeat_seconds=heartbeat_seconds,
            limits=limits or Limits(),
        )
        self.orders = Orders(self.hall.now)
        self.attachments = AttachmentDesk(
            clock, file, outbox, self.tally, self.orders, self._members.get, hours=attachment_hours
        )  # fmt: skip
        self.passed = PassedDesk(file, outbox, clock)
        self.reports = Reports(clock, self._report, self.store.put, self.tally, self._attached)
        self.media = MediaDesk(clock, self.tally, keep_media)

    async def start(self, listening: socket.socket) -> None:
        """Go on from the own file, then listen."""
        self._begin()
        self.passed.start()
        await self.hall.open(listening)
        self._go_on()

    def _recall(self, row: TerminalRow) -> None:
        vehicle = self._members.get(row.phone)
        # Removed and added again while we were not running: what it was bound to is cleared by that.
        if vehicle is None or row.device not in ("", vehicle.device):
            self.store.drop(row.phone)
        else:
            vehicle.row = replace(row, device=vehicle.device)
            vehicle.silent_at = self.hall.now() + self._patience

    async def close(self) -> None:
        """Stop; terminals come again to whoever starts next, also those whose last words could not be written: they
        were not answered either."""
        await super().close()
        await self.media.close()
        await self.attachments.close()
        self.passed.close()
        await self.hall.close()

    def tick(self) -> None:
        """Tell sessions and connections the time, and say who is gone."""
        self.hall.tick()
        self.attachments.tick()
        super().tick()

    def configure(self, parts: Sequence[ApplySignal]) -> None:
        """The whole list of terminals. One that was taken out loses its code and its connection."""
        if not parts:
            return
        self._platform_code = parts[0].identity.code
        wanted = {one.phone: one for part in parts for one in part.terminals}
        known = {phone: vehicle.device for phone, vehicle in self._members.items()}
        gone = [phone for phone, device in known.items() if phone not in wanted or wanted[phone].device != device]
        for phone in gone:
            vehicle = self._members.pop(phone)
            self.store.drop(phone)
            self.passed.forget(phone)
            self._end(vehicle)
        for phone, config in wanted.items():
            vehicle = self._members.get(phone)
            if vehicle is None:
                self._members[phone] = Vehicle(config, TerminalRow(phone, device=config.device))
                self._strangers.pop(phone, None)
                continue
            vehicle.config = config
            if not config.enabled:
                self._end(vehicle)
                self._went_offline(vehicle, "offline")

    def _end(self, vehicle: Vehicle) -> None:
        if vehicle.link is not None:
            self.take(vehicle.link, vehicle.link.session.displaced())

    # --- what sessions ask ------------------------------------------------------------------------------------

    def _find(self, phone: str) -> Terminal | None:
        vehicle = self._members.get(phone)
        if vehicle is None:
            return None
        row = vehicle.row
        return Terminal(
            phone=phone, terminal_id=row.terminal_id, imei=row.imei, code_hash=row.code_hash,
            enabled=vehicle.config.enabled, version=Version(row.version) if row.version else None,
        )  # fmt: skip

    def _is_here(self, phone: str) -> bool:
        vehicle = self._members.get(phone)
        return vehicle is not None and vehicle.link is not None

    # --- what sessions say ------------------------------------------------------------------------------------

    def take(self, link: TerminalLink, outputs: list[Output]) -> None:
        """Carry out what a session decided. Nothing is said before what came until then is stored."""
        self._heard(link)
        for one in outputs:
            match one:
                case Send(data=data):
                    self._say(link, data)
                case Arrived(message=message, answer=answer):
                    if isinstance(message.body, MediaData):
                        self._bring(link, message, message.body, answer)
                    elif self._keep(message):
                        self._kept(link, message, answer)
                    else:
                        link.session.not_taken(message)
                case Answered() | Unanswered():
                    self.orders.settle(link, one)
                case Registered():
                    self._registered(one)
                case Authenticated():
                    self._authenticated(link, one)
                case Refused():
                    self._refused(link, one)
                case Dropped(reason=reason):
                    self.tally.note(reason, link.session.phone or link.peer)
                case Over(reason=reason):
                    logger.debug("terminal connection ends peer=%s why=%s", link.peer, reason)
                    self._over(link, reason)
                    self.store.afterwards(link.close, needed=True)

    def _keep(self, message: Message) -> bool:
        vehicle = self._members.get(message.phone)
        if self.store.full:
            self.tally.note("jt_no_room", message.phone)
            return False
        return vehicle is not None and self.reports.take(vehicle, message)

    def _attached(self, vehicle: Vehicle, alarm: SafetyAlarm, event: str, fact: dict[str, Any]) -> None:
        place = None if fact["longitude"] is None else (fact["longitude"], fact["latitude"])
        self.attachments.order(vehicle, alarm, event, fact["time_us"], place, self.store.afterwards)

    def _bring(self, link: TerminalLink, message: Message, body: MediaData, answer: bytes) -> None:
        vehicle = self._members.get(message.phone)
        if vehicle is not None:
            self.media.bring(vehicle, body, lambda: link.send(answer))

    def _kept(self, link: TerminalLink, message: Message, answer: bytes) -> None:
        vehicle, body = self._members.get(message.phone), message.body
        if vehicle is not None and isinstance(body, TransparentUp | TerminalKey):
            self.passed.take(vehicle, body)
        self._say(link, answer)

    def _say(self, link: TerminalLink, data: bytes) -> None:
        self.passed.afterwards(lambda: self.store.afterwards(lambda: link.send(data)))

    def _registered(self, one: Registered) -> None:
        vehicle = self._members[one.phone]
        vehicle.came_in()
        vehicle.row = replace(
            vehicle.row, terminal_id=one.register.terminal, code_hash=one.code_hash, version=int(one.version),
            plate=clean(one.register.plate, 40),
        )  # fmt: skip
        self.store.put(vehicle.row)
        self.tell("device.described", vehicle, described_fact(one.register))

    def _authenticated(self, link: TerminalLink, one: Authenticated) -> None:
        vehicle = self._members[one.phone]
        before = vehicle.link
        vehicle.link, vehicle.past = link, 0
        vehicle.came_in()
        if before is not None and before is not link:
            logger.info("terminal came over another connection phone=%s from=%s", one.phone, link.peer)
            self.take(before, before.session.displaced())
        was = vehicle.is_online
        vehicle.row = replace(
            vehicle.row, imei=vehicle.row.imei or one.imei, version=int(one.version), state="online",
            since=vehicle.row.since if was else self._clock.now_us(), address=link.peer,
            software=clean(one.software),
        )  # fmt: skip
        self.store.put(vehicle.row)
        if not was:
            self.tell("device.registered", vehicle, vehicle.facts())
            self.tell("device.went_online", vehicle, vehicle.facts())
        self.attachments.came(vehicle)
        self.came(vehicle)

    def _refused(self, link: TerminalLink, one: Refused) -> None:
        self.tally.note(one.reason, link.session.phone or link.peer)
        # Who came in as one and speaks as another tells of himself: that one has no part in it.
        is_liar = link.session.phone not in ("", one.phone)
        vehicle = self._members.get(link.session.phone if is_liar else one.phone)
        if vehicle is None:
            if one.reason in (UNKNOWN, UNREADABLE):
                self._note_unknown(link, one)
            return
        vehicle.refused(one.reason, self.hall.now())
        if not vehicle.is_online and self._refusals.take(one.phone, self.hall.now()):
            self.tell("device.refused", vehicle, {"address": link.peer, "reason": one.reason})

    def _note_unknown(self, link: TerminalLink, one: Refused) -> None:
        old = self._strangers.get(one.phone)
        words = [one.register.plate, one.register.model.strip("\0")] if one.register is not None else []
        self._keep_stranger(UnknownFigure(
            code=one.phone, address=link.peer, transport="tcp",
            user_agent=clean(" ".join(words)) or (old.user_agent if old else ""),
            last_seen=self._clock.now_us(), attempts=old.attempts + 1 if old else 1, kind="jt808",
        ))  # fmt: skip

    def _over(self, link: TerminalLink, reason: str) -> None:
        self.orders.lost(link)
        vehicle = self._members.get(link.session.phone)
        if vehicle is None or vehicle.link is not link:
            return
        vehicle.link = None
        if reason == "jt_unregistered":
            self._went_offline(vehicle, "unregistered")
        elif reason == "jt_silent":
            self._went_offline(vehicle, "keepalive")

    def _lost(self, link: TerminalLink) -> None:
        """The connection broke: three heartbeats long it may come back and was never offline."""
        self.orders.lost(link)
        vehicle = self._members.get(link.session.phone)
        if vehicle is not None and vehicle.link is link:
            vehicle.link = None

    def _heard(self, link: TerminalLink) -> None:
        vehicle, at = self._members.get(link.session.phone), link.session.heard_at
        if vehicle is not None and at > vehicle.heard_at:
            vehicle.heard_at, vehicle.silent_at = at, at + self._patience
            vehicle.heard_us = self._clock.now_us()

    # --- what people order ------------------------------------------------------------------------------------

    def vehicle(self, device: str) -> Vehicle | None:
        """The terminal of a device."""
        return next((one for one in self._members.values() if one.device == device), None)

    async def give(self, order: Order) -> TerminalDid:
        """Have a terminal do something; see `model.facts.vehicle_calls`."""
        found = self.vehicle(order.device)
        if found is None or found.link is None:
            raise ConflictError("the terminal is not connected", code="device_offline")
        return await self.orders.give(found.link, order)

    async def through(self, wish: AskPassed) -> TerminalPassed:
        """What came through a terminal last."""
        found = self.vehicle(wish.device)
        return TerminalPassed() if found is None else self.passed.told(found)

    async def say(self, wish: SayTerminal) -> TerminalSaid:
        """Have a terminal hear a message as people wrote it; see `saying`."""
        found = self.vehicle(wish.device)
        if found is None or found.link is None:
            raise ConflictError("the terminal is not connected", code="device_offline")
        link = found.link
        reply = await self.orders.ask(link, said(wish, link.session.version))
        return answered(reply.body)
