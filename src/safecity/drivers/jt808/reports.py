"""What terminals report, made into facts: positions with their doubts, alarms once when they begin."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Final

from msgspec.structs import replace

from safecity.drivers.jt808.roll import Vehicle
from safecity.drivers.jt808.store import TerminalRow
from safecity.drivers.jt808.translate import alarm_fact, begins, position_fact, priority, safety_fact, safety_key
from safecity.drivers.tally import Tally
from safecity.kit.clock import Clock
from safecity.model.facts.envelope import Mode
from safecity.protocols.gb28181.limits import Buckets
from safecity.protocols.jt808.alarms import levels, rising
from safecity.protocols.jt808.checks import judge
from safecity.protocols.jt808.items import SafetyAlarm, read_items
from safecity.protocols.jt808.messages import Message
from safecity.protocols.jt808.positions import Batch, BatchKind, Location, LocationAnswer
from safecity.protocols.jt808.records import DriverCard
from safecity.protocols.jt808.video import FileUploaded

MAX_TOLD: Final = 256
"""Alarms of one terminal that are remembered, so that one sent twice is raised once."""
POSITIONS_AT_ONCE: Final = 10_000.0
"""Of batches, after which 50 a second are taken: a catch-up may be long, but nobody else waits for it."""
ALARM_LIMIT: Final = "jt_alarm_limit"
_IN, _OUT = 1, 2
"""A driver's card, as it is put in and taken out."""


class Reports:
    """`publish(kind, vehicle, body, at=, mode=)` puts a fact into the outbox and says its id, `put` keeps a terminal's
    changed row, `attached(vehicle, alarm, event, fact)` hears of alarms of active safety that were raised."""

    def __init__(
        self,
        clock: Clock,
        publish: Callable[..., str],
        put: Callable[[TerminalRow], None],
        tally: Tally,
        attached: Callable[[Vehicle, SafetyAlarm, str, dict[str, Any]], None],
    ) -> None:
        self._clock = clock
        self._tally = tally
        self._publish = publish
        self._put = put
        self._attached = attached
        self._messages = Buckets(rate=20.0, burst=400.0, max_keys=100_000)
        self._positions = Buckets(rate=50.0, burst=POSITIONS_AT_ONCE, max_keys=100_000)
        self._alarms = Buckets(rate=1.0, burst=40.0, max_keys=100_000)

    def take(self, vehicle: Vehicle, message: Message) -> bool:
        """False when it is not taken: then it is not answered either, and comes again."""
        if not self._messages.take(message.phone, self._clock.monotonic()):
            self._tally.note("jt_flood", message.phone)
            return False
        match message.body:
            case Location():
                self._position(vehicle, message.body, catch_up=False)
            case LocationAnswer():
                self._position(vehicle, message.body.location, catch_up=False)
            case DriverCard():
                self._card(vehicle, message.body)
            case FileUploaded(serial=serial, result=result):  # not what makers write behind it: that has no end
                self._publish("video.uploaded", vehicle, {"fields": {"serial": serial, "result": result}})
            case Batch():
                return self._batch(vehicle, message.phone, message.body)
            case _:
                pass
        return True

    def _card(self, vehicle: Vehicle, card: DriverCard) -> None:
        """Somebody signed in or out; a card that could not be read signs nobody in."""
        driver = _IN if card.status == _IN and card.result == 0 else _OUT
        if driver != vehicle.row.driver:
            vehicle.row = replace(vehicle.row, driver=driver)
            self._put(vehicle.row)

    def _batch(self, vehicle: Vehicle, phone: str, batch: Batch) -> bool:
        locations, missing = batch.locations()
        if not self._positions.take(phone, self._clock.monotonic(), min(len(locations), POSITIONS_AT_ONCE)):
            self._tally.note("jt_flood", phone)
            return False
        if missing:
            self._tally.note("jt_cut_batch", phone, missing)
        for location in locations:
            self._position(vehicle, location, catch_up=batch.kind == BatchKind.CATCH_UP)
        return True

    def _position(self, vehicle: Vehicle, location: Location, *, catch_up: bool) -> None:
        judged = judge(location, self._clock.now_us(), catch_up=catch_up)
        details = read_items(location)
        newest = not catch_up or (judged.own_time and judged.at_us > vehicle.alarms_at)
        # A bit is a level. What is set now was told already, though a catch-up may tell when it began.
        before = vehicle.row.levels | (0 if newest else vehicle.past)
        alarms: list[tuple[dict[str, Any], SafetyAlarm | None]] = []
        silent = 0
        now = levels(location.alarm, details.values, vehicle.row.levels if newest else vehicle.past)
        for bit in rising(before, now):
            mark = (bit, judged.at_us)
            if catch_up and judged.own_time and mark in vehicle.told:
                continue  # the terminal did not hear our answer
            if self._may_raise(vehicle, priority(bit)):
                alarms.append((alarm_fact(vehicle.row.phone, bit, location, judged), None))
                self._remember(vehicle, mark)
            else:
                silent |= 1 << bit
        left_out = bool(silent)
        for one in details.safety:
            if not begins(one) or safety_key(one) in vehicle.told:
                continue
            fact = safety_fact(vehicle.row.phone, one, location, judged)
            if self._may_raise(vehicle, fact["priority"]):
                alarms.append((fact, one))
                self._remember(vehicle, safety_key(one))
            else:
                left_out = True
        driver = {_IN: True, _OUT: False}.get(vehicle.row.driver) if not catch_up else None
        body = position_fact(vehicle.row.phone, location, judged, details, driver=driver, catch_up=catch_up)
        if left_out:
            body["reasons"].append(ALARM_LIMIT)
            self._tally.note(ALARM_LIMIT, vehicle.row.phone)
        mode = Mode.BACKFILL if catch_up else Mode.LIVE
        self._publish("position.received", vehicle, body, at=judged.at_us, mode=mode)
        for fact, safety in alarms:
            # Those of a catch-up as well: that nobody could hear it is no reason to be silent about it.
            event = self._publish("alarm.received", vehicle, fact, at=fact["time_us"])
            if safety is not None:
                self._attached(vehicle, safety, event, fact)
        self._set(vehicle, now & ~silent, judged.at_us, newest=newest)

    def _set(self, vehicle: Vehicle, alarms: int, at_us: int, *, newest: bool) -> None:
        """What was left out is not set: it is raised by the next position that still has it."""
        if not newest:
            vehicle.past = alarms
            return
        vehicle.alarms_at = at_us
        if alarms != vehicle.row.levels:
            vehicle.row = vehicle.row.with_levels(alarms)
            self._put(vehicle.row)

    def _may_raise(self, vehicle: Vehicle, level: int) -> bool:
        """Urgent ones have a limit of their own: no flood of others keeps an SOS from being heard."""
        key = vehicle.row.phone, level <= 2
        return self._alarms.take(key, self._clock.monotonic())

    def _remember(self, vehicle: Vehicle, mark: tuple[Hashable, ...]) -> None:
        vehicle.told[mark] = None
        if len(vehicle.told) > MAX_TOLD:
            vehicle.told.popitem(last=False)
