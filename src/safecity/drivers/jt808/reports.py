"""What terminals report, made into facts: positions with their doubts, alarms once when they begin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from safecity.drivers.jt808.roll import Vehicle
from safecity.drivers.jt808.store import TerminalRow
from safecity.drivers.jt808.translate import alarm_fact, begins, position_fact, safety_fact, safety_key
from safecity.kit.clock import Clock
from safecity.model.facts.envelope import Mode
from safecity.protocols.gb28181.limits import Buckets
from safecity.protocols.jt808.alarms import rising
from safecity.protocols.jt808.checks import judge
from safecity.protocols.jt808.items import read_items
from safecity.protocols.jt808.messages import Message
from safecity.protocols.jt808.positions import Batch, BatchKind, Location, LocationAnswer

MAX_SAFETY: Final = 64
"""Alarms of active safety of one terminal that are remembered, so that one sent twice is raised once."""


class Reports:
    """`publish(kind, vehicle, body, at=, mode=)` puts a fact into the outbox, `put` keeps a terminal's changed row."""

    def __init__(self, clock: Clock, publish: Callable[..., None], put: Callable[[TerminalRow], None]) -> None:
        self._clock = clock
        self._publish = publish
        self._put = put
        self._messages = Buckets(rate=20.0, burst=400.0, max_keys=100_000)
        self._alarms = Buckets(rate=1.0, burst=40.0, max_keys=100_000)
        self.dropped = 0

    def take(self, vehicle: Vehicle, message: Message) -> bool:
        """False when it is not taken: then it is not answered either, and comes again."""
        if not self._messages.take(message.phone, self._clock.monotonic()):
            self.dropped += 1
            return False
        match message.body:
            case Location():
                self._positions(vehicle, [message.body], catch_up=False)
            case LocationAnswer():
                self._positions(vehicle, [message.body.location], catch_up=False)
            case Batch():
                locations, missing = message.body.locations()
                self.dropped += missing
                self._positions(vehicle, locations, catch_up=message.body.kind == BatchKind.CATCH_UP)
            case _:
                pass
        return True

    def _positions(self, vehicle: Vehicle, locations: list[Location], *, catch_up: bool) -> None:
        now_us = self._clock.now_us()
        mode = Mode.BACKFILL if catch_up else Mode.LIVE
        before = vehicle.row.alarms
        for location in locations:
            judged, details = judge(location, now_us, catch_up=catch_up), read_items(location)
            body = position_fact(vehicle.row.phone, location, judged, details, catch_up=catch_up)
            self._publish("position.received", vehicle, body, at=judged.at_us, mode=mode)
            # What is set now was told already, though a catch-up may tell when it began.
            for bit in rising(before | (vehicle.row.alarms if catch_up else 0), location.alarm):
                self._alarm(vehicle, alarm_fact(vehicle.row.phone, bit, location, judged))
            before = location.alarm
            for one in details.safety:
                if safety_key(one) not in vehicle.safety and begins(one):
                    self._alarm(vehicle, safety_fact(vehicle.row.phone, one, location, judged))
                vehicle.safety[safety_key(one)] = None
                if len(vehicle.safety) > MAX_SAFETY:
                    vehicle.safety.popitem(last=False)
        if locations and not catch_up and before != vehicle.row.alarms:
            vehicle.row = replace(vehicle.row, alarms=before)
            self._put(vehicle.row)

    def _alarm(self, vehicle: Vehicle, fact: dict[str, Any]) -> None:
        """Alarms of a catch-up are raised as well: that nobody could hear it is no reason to be silent about it."""
        if self._alarms.take(vehicle.row.phone, self._clock.monotonic()):
            self._publish("alarm.received", vehicle, fact, at=fact["time_us"])
        else:
            self.dropped += 1
