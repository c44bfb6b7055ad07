"""Live pictures of vehicles (JT/T 1078): the terminal is told to send a channel, and to stop (0x9101, 0x9102)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from safecity.drivers.jt808.channels import Directory
from safecity.drivers.jt808.orders import Orders
from safecity.drivers.jt808.roll import Vehicle
from safecity.drivers.slots import SLOT_SECONDS, prepare
from safecity.drivers.wanted import Session, Spawn, WantedStreams
from safecity.kit.clock import Clock
from safecity.kit.errors import SafecityError, UnavailableError
from safecity.model.facts.media_calls import ConfirmStream, PrepareStream
from safecity.model.facts.signal_calls import JtChannel
from safecity.model.values.media import Quality, StreamKey
from safecity.ports.calls import Calls
from safecity.protocols.jt808.video import LiveCommand, LiveControl, Medium, StartLive

logger = logging.getLogger(__name__)

JT1078: Final = "jt1078"
JT1078_UDP: Final = "jt1078_udp"
UDP: Final = "udp"
PROGRESS_SECONDS: Final = 25.0
ANSWER_SECONDS: Final = 10.0
"""A viewer waits no longer for a terminal to say yes."""
RESUME_SECONDS: Final = 1.0
"""So long a slot that is reachable again has to say what it still receives, before it is asked for anew."""
_SILENT: Final = frozenset(("jt_connection_closed", "slot_restarted"))
"""Nothing is sent any more: there is nothing to stop."""


class Live(WantedStreams):
    """All of them. `media_host` gives the address that a terminal is told, `publish(kind, vehicle, body, subject=)`
    tells a fact, `spawn` owns the tasks; `tick` is to be called about twice a second."""

    progress_seconds = PROGRESS_SECONDS
    never_came = "jt_no_connection"
    stopped = "jt_packets_stopped"
    patient_after = frozenset(("device_offline",))

    def __init__(
        self,
        directory: Directory,
        orders: Orders,
        calls: Calls,
        clock: Clock,
        media_host: Callable[[Vehicle], str],
        publish: Callable[..., None],
        spawn: Spawn,
    ) -> None:
        super().__init__(directory, calls, clock, spawn)
        self._directory = directory
        self._orders = orders
        self._media_host = media_host
        self._publish = publish

    async def _open(self, session: Session) -> None:
        channel, vehicle = self._directory.channel(session.key.channel)
        session.slot, session.since = channel.slot, self._clock.monotonic()
        prepared = False
        try:
            port = await expect(self._calls, session.key, channel, vehicle, self._directory)
            prepared = True
            await self._ask(session, channel, vehicle, port)
            session.asked, session.since = True, self._clock.monotonic()
            confirm = ConfirmStream(*session.key, 0)
            await self._calls.call(channel.slot, confirm, timeout=SLOT_SECONDS)
        except SafecityError as error:
            if session.asked:
                await self._stop(session)
            await self._failed(session, error.code, error.params, tell_slot=prepared)

    async def _ask(self, session: Session, channel: JtChannel, vehicle: Vehicle, port: int) -> None:
        link = vehicle.link
        if link is None:
            raise away(vehicle)
        tcp, udp = told_ports(vehicle, port)
        start = StartLive(
            host=self._media_host(vehicle), tcp_port=tcp, udp_port=udp, channel=channel.number, medium=Medium.BOTH,
            stream=int(session.key.quality is Quality.SUB),
        )  # fmt: skip
        await self._orders.ask(link, start, within=ANSWER_SECONDS)

    async def _stop(self, session: Session, why: str = "") -> None:
        session.asked = False
        if why in _SILENT:
            return
        channel = self._directory.find_channel(session.key.channel)
        vehicle = self._directory.find(channel.device) if channel is not None else None
        link = vehicle.link if vehicle is not None else None
        # The order names the channel alone: with its main stream the sub stream would end. The slot closes what it
        # does not want, and the terminal sees that.
        other = Quality.SUB if session.key.quality is Quality.MAIN else Quality.MAIN
        beside = self._sessions.get(StreamKey(session.key.channel, other))
        if channel is None or link is None or (beside is not None and beside.asked):
            return
        stop = LiveControl(channel=channel.number, command=LiveCommand.CLOSE)
        try:
            await self._orders.ask(link, stop, within=ANSWER_SECONDS)
        except SafecityError as error:
            logger.info("terminal did not stop channel=%s why=%s", session.key.channel, error.code)

    def _slot_is_back(self, session: Session) -> None:
        """Connections of terminals died with it, if it did."""
        session.asked, session.state, session.due_at = False, "idle", self._clock.monotonic() + RESUME_SECONDS
        session.backoff.succeeded()

    def _runs(self, session: Session, slot: str) -> None:
        session.asked, session.slot = True, slot  # also when we were started anew meanwhile
        super()._runs(session, slot)

    def _tell_failure(self, session: Session, body: dict[str, Any]) -> None:
        channel = self._directory.find_channel(session.key.channel)
        vehicle = self._directory.find(channel.device) if channel is not None else None
        if vehicle is not None:
            self._publish("stream.open_failed", vehicle, body, subject=session.key.channel)


async def expect(
    calls: Calls, key: StreamKey, channel: JtChannel, vehicle: Vehicle, directory: Directory
) -> int:  # fmt: skip
    """Have the slot of a channel expect it under that name; the port to tell the terminal. UnavailableError
    `device_offline` where that is not here."""
    link = vehicle.link
    if link is None:
        raise away(vehicle)
    transport = JT1078_UDP if vehicle.config.transport == UDP else JT1078
    wish = PrepareStream(
        *key, 0, transport, terminal=vehicle.config.phone, number=channel.number, remote_host=link.address,
        aal2=directory.packs_aal2(vehicle),
    )  # fmt: skip
    return await prepare(calls, channel.slot, wish)


def told_ports(vehicle: Vehicle, port: int) -> tuple[int, int]:
    """As an order names it, of TCP and of UDP: the one that is not meant is 0."""
    return (0, port) if vehicle.config.transport == UDP else (port, 0)


def away(vehicle: Vehicle) -> UnavailableError:
    """It has no connection now."""
    return UnavailableError(f"{vehicle.config.phone}: not connected", code="device_offline")
