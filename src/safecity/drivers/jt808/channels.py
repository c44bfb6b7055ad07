"""Which cameras terminals have: what we were told of them, and what a terminal says itself when it comes (JT/T 1078).

A terminal that knows this protocol tells how many there are (0x9003), and most tell which logical numbers they have
(parameter 0x0076); of the others the first numbers of the standard are taken. It says what there is, never what there
is no more: recordings and rights hang on a channel.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from safecity.drivers.jt808.orders import Orders
from safecity.drivers.jt808.roll import Vehicle
from safecity.kit.errors import NotFoundError, SafecityError
from safecity.model.facts.signal_calls import ApplySignal, JtChannel
from safecity.protocols.jt808.channels import CHANNEL_LIST, ChannelUse, camera_name, read_channel_list
from safecity.protocols.jt808.commands import AskParameters, ParametersAnswer
from safecity.protocols.jt808.video import AskVideoProperties, VideoProperties

logger = logging.getLogger(__name__)

MAX_CHANNELS: Final = 32
"""Of one terminal: the standard has numbers for fewer."""


@dataclass(slots=True)
class Directory:
    """The channels that control told us of; `find` gives the terminal of a device. `aal2`: phone numbers of terminals
    that pack G.726 so, or `*`."""

    find: Callable[[str], Vehicle | None]
    aal2: frozenset[str] = frozenset()
    _channels: dict[str, JtChannel] = field(default_factory=dict[str, JtChannel])

    def apply(self, parts: Iterable[ApplySignal]) -> None:
        """The whole truth."""
        self._channels = {one.channel: one for part in parts for one in part.terminal_channels}

    def find_channel(self, channel: str) -> JtChannel | None:
        return self._channels.get(channel)

    def channel(self, channel: str) -> tuple[JtChannel, Vehicle]:
        """A channel and its terminal; NotFoundError."""
        found = self._channels.get(channel)
        vehicle = self.find(found.device) if found is not None else None
        if found is None or vehicle is None:
            raise NotFoundError(f"no such channel: {channel[:64]}", code="gb_unknown_channel")
        return found, vehicle

    def packs_aal2(self, vehicle: Vehicle) -> bool:
        """Whether its sound is packed the other way round."""
        return not self.aal2.isdisjoint(("*", vehicle.config.phone))

    def slots(self) -> set[str]:
        """Addresses of all media slots that channels are placed on."""
        return {one.slot for one in self._channels.values() if one.slot}


async def ask_channels(orders: Orders, vehicle: Vehicle, language: str) -> list[dict[str, Any]]:
    """The terminal's cameras as items of a catalogue; none where it knows nothing of pictures."""
    link = vehicle.link
    if link is None:
        return []
    try:
        answered = await orders.ask(link, AskVideoProperties())
    except SafecityError as error:
        logger.debug("terminal tells no cameras phone=%s why=%s", vehicle.row.phone, error.code)
        return []
    properties = answered.body
    if not isinstance(properties, VideoProperties) or not properties.video_channels:
        return []
    return items(vehicle, await _numbers(orders, vehicle) or range(1, properties.video_channels + 1), language)


async def _numbers(orders: Orders, vehicle: Vehicle) -> list[int]:
    """Logical numbers of those with pictures, empty where the terminal does not say."""
    link = vehicle.link
    if link is None:
        return []
    try:
        answered = await orders.ask(link, AskParameters(ids=(CHANNEL_LIST,)))
    except SafecityError:
        return []
    body = answered.body
    parameters = body.parameters if isinstance(body, ParametersAnswer) else ()
    told = next((one.value for one in parameters if one.id == CHANNEL_LIST), b"")
    return sorted({one.number for one in read_channel_list(told) if one.use is not ChannelUse.SOUND})


def items(vehicle: Vehicle, numbers: Iterable[int], language: str) -> list[dict[str, Any]]:
    """Event data. A channel is called by its vehicle and where in it the standard has it look from."""
    who = vehicle.row.plate or vehicle.row.phone
    return [
        {
            "code": str(number),
            "number": number,
            "name": camera_name(who, number, language),
            "status": "ON",
            "stream_number": 2,
        }
        for number in list(numbers)[:MAX_CHANNELS]
    ]


def catalogue(batch: str, told: list[dict[str, Any]]) -> dict[str, Any]:
    """Event data of `catalog.received`: never complete, since what a terminal leaves out stays."""
    return {
        "batch": batch, "items": told, "last": True, "complete": False, "received": len(told), "total": len(told),
    }  # fmt: skip
