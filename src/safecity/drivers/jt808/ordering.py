"""From what people want of a terminal to its messages, and from its answers to what came of it. Pure."""

from __future__ import annotations

from typing import Final

from safecity.drivers.jt808.fencing import erasing, written
from safecity.kit.errors import InvalidError, RefusedError
from safecity.model.facts.vehicle_calls import (
    ConfirmAlarms,
    EraseFence,
    LocateVehicle,
    LockVehicle,
    Order,
    PhotographFrom,
    RestartTerminal,
    TellDriver,
    TerminalDid,
    TrackVehicle,
    WriteFence,
)
from safecity.protocols.jt808.alarms import Status, has
from safecity.protocols.jt808.commands import Control, TextMessage, VehicleControlAnswer, lock_doors
from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.messages import AnyBody
from safecity.protocols.jt808.positions import AskLocation, ConfirmAlarm, Location, LocationAnswer, Track
from safecity.protocols.jt808.records import PictureAnswer, TakePicture
from safecity.protocols.jt808.wire import encode_text

MAX_TEXT_BYTES: Final = 1000
"""Of GBK: with its head it still fits into one packet, and terminals show no more."""
RESTART: Final = 4
_NO_CAMERA: Final = 2
_URGENT, _DISPLAY, _SPOKEN, _SCREEN = 1 << 0, 1 << 2, 1 << 3, 1 << 4


def body_of(order: Order, version: Version) -> AnyBody:
    """The message. InvalidError `too_long` for a text that is."""
    match order:
        case TellDriver():
            if len(encode_text(order.text)) > MAX_TEXT_BYTES:
                raise InvalidError("too long", code="too_long", params={"field": "text", "limit": MAX_TEXT_BYTES // 2})
            wanted = (
                (_URGENT, order.urgent), (_DISPLAY, order.display), (_SPOKEN, order.spoken), (_SCREEN, order.screen)
            )  # fmt: skip
            return TextMessage(flag=sum(bit for bit, on in wanted if on), text=order.text)
        case TrackVehicle():
            return Track(interval_seconds=order.every_seconds, seconds=order.seconds if order.every_seconds else 0)
        case LocateVehicle():
            return AskLocation()
        case RestartTerminal():
            return Control(command=RESTART)
        case LockVehicle():
            return lock_doors(order.locked, version)
        case ConfirmAlarms():
            return ConfirmAlarm(serial=0, alarms=order.alarms)
        case WriteFence():
            return written(order)
        case EraseFence():
            return erasing(order)
        case PhotographFrom():
            return TakePicture(channel=order.channel, command=1)


def answer_of(order: Order, body: AnyBody | None) -> TerminalDid:
    """What it says it did. RefusedError `terminal_doors` where it answers and the doors are as before,
    `terminal_no_camera` or `terminal_failed` where it took no picture."""
    match body:
        case PictureAnswer():
            if body.result:
                code = "terminal_no_camera" if body.result == _NO_CAMERA else "terminal_failed"
                raise RefusedError(f"no picture was taken: {body.result}", code=code)
            return TerminalDid(media=body.media_ids)
        case VehicleControlAnswer():
            locked = has(body.location.status, Status.DOORS_LOCKED)
            if isinstance(order, LockVehicle) and locked != order.locked:
                raise RefusedError("the doors are not as was asked", code="terminal_doors")
            return TerminalDid(locked, _place(body.location))
        case LocationAnswer():
            return TerminalDid(has(body.location.status, Status.DOORS_LOCKED), _place(body.location))
        case _:
            return TerminalDid()


def _place(location: Location) -> tuple[float, float] | None:
    """Nothing where it has no fix: 0/0 is in the sea."""
    is_known = has(location.status, Status.FIXED) and (location.latitude_micro or location.longitude_micro)
    return (location.longitude, location.latitude) if is_known else None
