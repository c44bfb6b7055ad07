"""Heads and lenses of cameras in vehicles (JT/T 1078-2016, 5.7): from what people steer to 0x9301 to 0x9306.

A head turns in four directions until it is told to stop. Lens, wiper and lamp know no stop: each order is a step, or a
switch.
"""

from __future__ import annotations

from typing import Final

from safecity.drivers.jt808.channels import Directory
from safecity.drivers.jt808.live import ANSWER_SECONDS, away
from safecity.drivers.jt808.orders import Orders
from safecity.kit.errors import InvalidError
from safecity.model.facts.signal_calls import Steer
from safecity.protocols.jt808.messages import AnyBody
from safecity.protocols.jt808.video import Focus, Infrared, Iris, Turn, Wiper, Zoom

FASTEST: Final = 255
_STILL, _UP, _DOWN, _LEFT, _RIGHT = range(5)
_SWITCHES: Final = {1: Wiper, 2: Infrared}
"""By the numbers that the platform has for wiper and light."""


class Heads:
    """All of them; they keep nothing."""

    def __init__(self, directory: Directory, orders: Orders) -> None:
        self._directory = directory
        self._orders = orders

    async def steer(self, message: Steer) -> None:
        """Until the terminal said yes. InvalidError as `bodies`, else the errors of `model.facts.vehicle_calls`."""
        channel, vehicle = self._directory.channel(message.channel)
        for body in bodies(message, channel.number):
            if vehicle.link is None:
                raise away(vehicle)
            await self._orders.ask(vehicle.link, body, within=ANSWER_SECONDS)


def bodies(steer: Steer, number: int) -> list[AnyBody]:
    """What is said for one act; InvalidError `ptz_unknown_action` for what no such head can."""
    match steer.action:
        case "move" if steer.pan or steer.tilt:
            return [*_turned(steer, number), *_stepped(Zoom, number, steer.zoom)]
        case "move" if steer.zoom:
            return _stepped(Zoom, number, steer.zoom)
        case "move" | "stop":
            return [Turn(channel=number, direction=_STILL, speed=0)]
        case "iris" | "focus" | "lens":
            return [*_stepped(Focus, number, steer.focus), *_stepped(Iris, number, steer.iris)]
        case "aux_on" | "aux_off" if steer.number in _SWITCHES:
            return [_SWITCHES[steer.number](channel=number, value=int(steer.action == "aux_on"))]
        case _:
            raise InvalidError(f"no such act: {steer.action[:40]!r}", code="ptz_unknown_action")


def _turned(steer: Steer, number: int) -> list[AnyBody]:
    """Nothing goes askew: the way in which it is to turn more."""
    if abs(steer.pan) >= abs(steer.tilt):
        direction, part = (_RIGHT if steer.pan > 0 else _LEFT), abs(steer.pan)
    else:
        direction, part = (_UP if steer.tilt > 0 else _DOWN), abs(steer.tilt)
    return [Turn(channel=number, direction=direction, speed=max(1, round(min(part, 1.0) * FASTEST)))]


def _stepped(kind: type[Zoom | Focus | Iris], number: int, part: float) -> list[AnyBody]:
    """In, far and open are 0 on the wire."""
    return [kind(channel=number, value=int(part < 0))] if part else []
