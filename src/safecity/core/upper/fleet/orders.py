"""What people have vehicles do: words for the driver, closer reports, doors, a terminal started anew."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from safecity.core.ground.access.api import Action, Actor, authorize
from safecity.core.ground.alarms.api import Alarm, is_raised_after
from safecity.core.ground.audit.api import note
from safecity.core.ground.devices.api import Device, DeviceKind, Position, find_device, of_devices, thing_of
from safecity.core.ground.passages.api import check_purpose
from safecity.core.upper.fleet.cameras import ALL, check_camera
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import ConflictError, InvalidError, SafecityError
from safecity.model.facts.vehicle_calls import (
    AskPassed,
    ConfirmAlarms,
    LocateVehicle,
    LockVehicle,
    PhotographFrom,
    RestartTerminal,
    SayTerminal,
    TellDriver,
    TerminalDid,
    TerminalPassed,
    TerminalSaid,
    TrackVehicle,
)
from safecity.ports.calls import Calls
from safecity.ports.database import Database, Tx
from safecity.protocols.jt808.alarms import CONFIRMABLE

logger = logging.getLogger(__name__)
ADDRESS: Final = "signal"
TIMEOUT: Final = 20.0
"""Longer than a terminal is waited for, so that the answer says why."""
Given = TellDriver | TrackVehicle | LocateVehicle | RestartTerminal | LockVehicle | PhotographFrom
"""What people give themselves; fences are written down for them."""
STANDS_KMH: Final = 5.0
FRESH_US: Final = 120 * SECOND_US
"""An older position says nothing about whether a vehicle moves now."""

ATTACHMENTS: Final = 0x9208
UPLOADS: Final = frozenset((0x9206, ATTACHMENTS))
"""Messages by which a terminal sends what it recorded to a server that they name."""
LOOKS: Final = frozenset((0x8801,))
"""Messages by which it looks around: they need what `PhotographFrom` needs, or that would be a way around it."""
_CAMERAS: Final[dict[int, Action]] = {
    0x8801: Action.LIVE_WATCH,
    0x9205: Action.PLAYBACK_WATCH,
    0x9206: Action.EXPORT_MAKE,
    ATTACHMENTS: Action.EXPORT_MAKE,
}
"""What whoever says such a message must be allowed to do to the camera that it names, or to all where it names none."""
_CONFIRMABLE: Final = frozenset(str(int(bit)) for bit in CONFIRMABLE)
_DESTINATION: Final = ("host", "port", "tcp_port", "udp_port", "path")
_NEEDS: Final[dict[type[Given | SayTerminal], Action]] = {
    TellDriver: Action.VEHICLE_MESSAGE,
    TrackVehicle: Action.VEHICLE_TRACK,
    LocateVehicle: Action.VEHICLE_TRACK,
    RestartTerminal: Action.VEHICLE_CONTROL,
    LockVehicle: Action.VEHICLE_CONTROL,
    SayTerminal: Action.VEHICLE_CONTROL,
    PhotographFrom: Action.VEHICLE_REPLAY,
}
_WORDS: Final[dict[type[Given | SayTerminal], str]] = {
    TellDriver: "text",
    TrackVehicle: "track",
    LocateVehicle: "locate",
    RestartTerminal: "restart",
    LockVehicle: "doors",
    SayTerminal: "say",
    PhotographFrom: "picture",
}


class VehicleOrders:
    """Each is in the audit twice: that it was asked, before the vehicle hears of it, and what came of it."""

    def __init__(self, database: Database, calls: Calls) -> None:
        self._database = database
        self._calls = calls
        self._confirming: set[asyncio.Task[None]] = set()

    async def give(
        self, who: Actor, order: Given, *, confirm: str = "", reason: str = "", purpose: str = ""
    ) -> TerminalDid:
        """What the terminal answered. `confirm`: the vehicle's name, typed by whoever wants what moves or stops it;
        `purpose`: what for, of what looks into it.

        InvalidError `not_a_vehicle`, `confirm_wrong`, `purpose_needed`; ConflictError `vehicle_moves` where doors would
        open while it drives; else the errors of `model.facts.vehicle_calls`.
        """
        action = _NEEDS[type(order)]
        looks = {"purpose": check_purpose(purpose)} if isinstance(order, PhotographFrom) else {}

        def ask(tx: Tx) -> Device:
            details: dict[str, Any] = said(order) | looks
            device = find_device(tx, who, action, order.device)
            check_order(device, order, confirm, _last(tx, device), who.at)
            if isinstance(order, PhotographFrom):
                check_camera(tx, who, Action.LIVE_WATCH, device.id, order.channel)
            note(tx, who, action, thing_of(device), device.name, reason=reason, stage="asked", **details)
            return device

        device = await self._database.write(ask)
        try:
            answer = await self._calls.call(ADDRESS, order, timeout=TIMEOUT)
        except SafecityError as error:
            await self._answered(who, action, device, order, error.code)
            raise
        await self._answered(who, action, device, order)
        return answer if isinstance(answer, TerminalDid) else TerminalDid()

    async def say(
        self, who: Actor, order: SayTerminal, *, confirm: str, reason: str = "", purpose: str = ""
    ) -> TerminalSaid:
        """A message of the standard; `confirm` as of `give`, `purpose` of what looks around. What sends recordings
        anywhere needs the right to export them too. The audit has the names of the fields alone, since passwords may
        stand in them, and where recordings are sent."""
        looks = {"purpose": check_purpose(purpose)} if order.message in LOOKS else {}

        def ask(tx: Tx) -> Device:
            device = find_device(tx, who, Action.VEHICLE_CONTROL, order.device)
            check_order(device, order, confirm, None, who.at)
            thing, details = thing_of(device), spoken(order) | looks
            if order.message in LOOKS:
                authorize(who, Action.VEHICLE_REPLAY, thing)
            if order.message in UPLOADS:
                authorize(who, Action.EXPORT_MAKE, thing)
            if order.message in _CAMERAS:
                check_camera(tx, who, _CAMERAS[order.message], device.id, _camera(order))
            note(tx, who, Action.VEHICLE_CONTROL, thing, device.name, reason=reason, stage="asked", **details)
            return device

        device = await self._database.write(ask)
        try:
            answer = await self._calls.call(ADDRESS, order, timeout=TIMEOUT)
        except SafecityError as error:
            await self._answered(who, Action.VEHICLE_CONTROL, device, order, error.code)
            raise
        await self._answered(who, Action.VEHICLE_CONTROL, device, order)
        return answer if isinstance(answer, TerminalSaid) else TerminalSaid()

    async def through(self, who: Actor, device: str, *, reason: str = "") -> TerminalPassed:
        """What came through its terminal last, as it came. The look is written down: cards and other people's devices
        may stand behind it. InvalidError `not_a_vehicle`; UnavailableError while signalling is away."""

        def work(tx: Tx) -> None:
            found = find_device(tx, who, Action.VEHICLE_CONTROL, device)
            if found.kind is not DeviceKind.JT808:
                raise InvalidError("not a vehicle terminal", code="not_a_vehicle", params={"name": found.name})
            note(tx, who, Action.VEHICLE_CONTROL, thing_of(found), found.name, reason=reason, order="transparent")

        await self._database.write(work)
        answer = await self._calls.call(ADDRESS, AskPassed(device), timeout=TIMEOUT)
        return answer if isinstance(answer, TerminalPassed) else TerminalPassed()

    def confirm(self, alarm: Alarm) -> None:
        """Somebody took notice of it: where it is one that terminals report until it is confirmed, the terminal hears
        of it. Not while it has raised another of that kind which nobody has looked at: it would be silenced with this
        one. Nobody waits for that, and a terminal that is away reports it again."""
        kind, _, bit = alarm.type.partition("-")
        device = alarm.device
        if device is None or kind != "jt808" or bit not in _CONFIRMABLE:
            return

        async def tell() -> None:
            try:
                if await self._database.read(lambda tx: is_raised_after(tx, alarm)):
                    return
                await self._calls.call(ADDRESS, ConfirmAlarms(device, 1 << int(bit)), timeout=TIMEOUT)
            except SafecityError as error:
                logger.info("alarm not confirmed at the terminal device=%s why=%s", device, error.code)

        task = asyncio.get_running_loop().create_task(tell())
        self._confirming.add(task)
        task.add_done_callback(self._confirming.discard)

    async def _answered(
        self, who: Actor, action: Action, device: Device, order: Given | SayTerminal, failed: str = ""
    ) -> None:
        outcome, what = "failed" if failed else "done", _WORDS[type(order)]

        def work(tx: Tx) -> None:
            thing = thing_of(device)
            note(tx, who, action, thing, device.name, reason=failed, outcome=outcome, stage="answered", order=what)

        try:
            await self._database.write(work)
        except SafecityError as error:  # that it was asked is written down, and it cannot be undone
            logger.error("answer of a vehicle not written down order=%s why=%s", what, error)


def check_order(device: Device, order: Given | SayTerminal, confirm: str, last: Position | None, now: int) -> None:
    """Whether it may be given at all; see `VehicleOrders.give`."""
    if device.kind is not DeviceKind.JT808:
        raise InvalidError("not a vehicle terminal", code="not_a_vehicle", params={"name": device.name})
    if _NEEDS[type(order)] is Action.VEHICLE_CONTROL and confirm.strip() != device.name:
        raise InvalidError("not confirmed", code="confirm_wrong", params={"name": device.name})
    if isinstance(order, LockVehicle) and not order.locked and last is not None and now - last.at < FRESH_US:
        speed = last.speed or 0.0
        if speed > STANDS_KMH:
            params = {"name": device.name, "speed": round(speed)}
            raise ConflictError("it drives", code="vehicle_moves", params=params)


def said(order: Given) -> dict[str, str | int | bool]:
    """For the audit: what exactly was asked."""
    what: dict[str, str | int | bool] = {"order": _WORDS[type(order)]}
    match order:
        case TellDriver():
            return what | {"text": order.text, "urgent": order.urgent}
        case TrackVehicle():
            return what | {"every_seconds": order.every_seconds, "seconds": order.seconds}
        case LockVehicle():
            return what | {"locked": order.locked}
        case PhotographFrom():
            return what | {"channel": order.channel}
        case _:
            return what


def spoken(order: SayTerminal) -> dict[str, str]:
    """The same of a message of the standard."""
    what = {
        "order": _WORDS[SayTerminal], "message": f"{order.message:04x}",
        "fields": " ".join(sorted(order.fields))[:200],
    }  # fmt: skip
    if order.message in UPLOADS:
        told = [f"{name}={order.fields[name]}" for name in _DESTINATION if name in order.fields]
        what["to"] = " ".join(told)[:400]
    return what


def _camera(order: SayTerminal) -> int:
    """Attachments of an alarm name none, and may be of any."""
    number = order.fields.get("channel") if order.message != ATTACHMENTS else ALL
    return number if isinstance(number, int) else ALL


def _last(tx: Tx, device: Device) -> Position | None:
    return of_devices(tx, [device.id]).get((device.id, device.code))
