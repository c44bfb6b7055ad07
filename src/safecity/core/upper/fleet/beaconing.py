"""The door for positions over HTTP and MQTT: who it is, how much it may tell, and whether it is still here."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from safecity.core.ground.access.api import OF_NAME_THERE, OF_NETWORK, Buckets, Vault, network_of, refuse_for
from safecity.core.ground.devices.api import Device, DeviceKind, DeviceState, everything, find_with_secret
from safecity.core.ground.settings.api import Settings
from safecity.core.upper.fleet.beacons import Refused, Told, read_all
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import ExhaustedError, SafecityError, UnauthenticatedError
from safecity.kit.ids import fresh, show
from safecity.model.facts.envelope import Event, Mode
from safecity.ports.bus import Bus
from safecity.ports.database import Database, Tx
from safecity.protocols.gb28181.limits import Buckets as Rates

logger = logging.getLogger(__name__)
LIVE_US: Final = 600 * SECOND_US
"""What is older was kept by the device: history, not where it is."""
SILENT_SECONDS: Final = 600.0
LOOK_SECONDS: Final = 15.0
A_SECOND: Final = 20.0
AT_ONCE: Final = 2_000.0
AS_MANY: Final = 100
"""Positions, as which anything else counts that a device tells."""
MAX_TOKEN: Final = 300
MAX_CODE: Final = 40
FLOOD: Final = "position_flood"
Known = tuple[Device, bytes | None]
"""A device with its sealed secret."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a device sent at once. `transport`: `tcp` (HTTP), `mqtt`; `address`: where it came from."""

    device: Device
    features: Sequence[Any]
    address: str
    transport: str = "tcp"


@dataclass(frozen=True, slots=True)
class Taken:
    """`times` of the positions that were taken, and those that were not; `code` where all of it was refused."""

    times: tuple[int, ...] = ()
    refused: tuple[Refused, ...] = ()
    code: str = ""
    params: dict[str, Any] = field(default_factory=dict[str, Any])


class Beacons:
    """One for the process. A position is durable when it is answered; the same one sent again is not told twice."""

    def __init__(self, database: Database, vault: Vault, settings: Settings, bus: Bus, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._settings = settings
        self._bus = bus
        self._clock = clock
        self._told = Rates(rate=A_SECOND, burst=AT_ONCE)
        self._wrong = Buckets(*OF_NETWORK)
        # A phone that was given another token goes on sending the old one: it holds up itself, not its whole station.
        self._wrong_there = Buckets(*OF_NAME_THERE)
        self._heard: dict[str, float] = {}
        self._newest: dict[str, int] = {}
        self._run = fresh("rn")
        self._number = 0

    async def identify(self, token: str, address: str) -> Device:
        """Whose token it is. UnauthenticatedError `beacon_token`; ExhaustedError `too_many_tries` where too many were
        guessed, before anything is looked up. Right ones are not counted: hundreds of phones have one address."""
        code, secret = split_token(token)
        network, now = network_of(address), self._clock.monotonic()
        there = f"{code}@{network}"
        refuse_for(max(self._wrong_there.wait(there, now), self._wrong.wait(network, now)))
        known = (await self.look_up([code])).get(code)
        is_right = known is not None and self.proves(known, secret)
        if not is_right:
            self._wrong_there.take(there, now)
            self._wrong.take(network, now)
        if known is None or not is_right or not known[0].enabled:
            raise UnauthenticatedError("no such token", code="beacon_token")
        return known[0]

    async def look_up(self, codes: Iterable[str]) -> dict[str, Known]:
        """By code, those that exist."""
        # Codes are plain letters and digits; what a database would stumble over asks for nobody.
        wanted = {code for code in codes if code and code.isascii() and code.isprintable()}

        def work(tx: Tx) -> dict[str, Known | None]:
            return {code: find_with_secret(tx, code, DeviceKind.HTTP) for code in wanted}

        found = await self._database.read(work) if wanted else {}
        return {code: known for code, known in found.items() if known is not None}

    def proves(self, known: Known, secret: str) -> bool:
        """Whether it is the device's own secret. UnavailableError `secret_unreadable`."""
        kept = self._vault.open(known[1], known[0].id)
        return bool(kept) and hmac.compare_digest(kept.encode(), secret.encode("utf-8", "replace"))

    async def take(self, device: Device, features: Sequence[Any], address: str) -> tuple[int, list[Refused]]:
        """(how many positions were taken, those that were not). ExhaustedError `position_flood`."""
        ((taken,), _) = await self.take_all([Sent(device, features, address)])
        if taken.code:
            raise ExhaustedError("too many", code=taken.code, params=taken.params)
        return len(taken.times), list(taken.refused)

    async def take_all(self, sent: Sequence[Sent]) -> tuple[list[Taken], int]:
        """What became of each, and how many of the positions were known already. All of it is durable on return."""
        now, clock = self._clock.now_us(), self._clock.monotonic()
        answers: list[Taken] = []
        events: list[Event] = []
        came: dict[str, Event] = {}
        newest: dict[str, int] = {}
        spent: list[tuple[str, int]] = []
        for one in sent:
            device, count = one.device, max(1, len(one.features))
            if not self._told.take(device.id, clock, count):
                answers.append(Taken(code=FLOOD, params={"seconds": max(1, round(count / A_SECOND))}))
                continue
            spent.append((device.id, count))
            good, bad = read_all(one.features, now)
            answers.append(Taken(tuple(told.at for told in good), tuple(bad)))
            if device.state is not DeviceState.ONLINE and device.id not in came:
                facts = {"address": one.address, "transport": one.transport}
                came[device.id] = self._presence(device, "device.went_online", facts)
            before = newest.get(device.id, self._newest.get(device.id, 0))
            events += [self._position(device, told, now, before) for told in good]
            newest[device.id] = max([before, *(told.at for told in good if now - told.at <= LIVE_US)])
        doubled = 0
        if events or came:
            try:
                origin = await self._origin()
                new = await self._bus.publish([_from(event, origin) for event in (*came.values(), *events)])
            except BaseException:
                # It will be sent again, and must not be a flood by that.
                for device_id, count in spent:
                    self._told.take(device_id, clock, -count)
                raise
            doubled = len(events) + len(came) - new
        self._newest |= newest
        self._heard |= dict.fromkeys(newest, clock)
        return answers, doubled

    async def publish(self, device: Device, event: Event) -> None:
        """What a device tells beside positions; durable on return. ExhaustedError `position_flood`."""
        if not self._told.take(device.id, self._clock.monotonic(), AS_MANY):
            raise ExhaustedError("too many", code=FLOOD, params={"seconds": round(AS_MANY / A_SECOND)})
        await self._bus.publish([_from(event, await self._origin())])

    async def run(self) -> None:
        """Until cancelled: who told nothing for ten minutes is offline, also one that was here before we were."""
        begun = self._clock.monotonic()
        while True:
            try:
                await self.expire(begun)
            except SafecityError as error:
                logger.warning("presence not told code=%s why=%s", error.code, error)
            await asyncio.sleep(LOOK_SECONDS)

    async def expire(self, begun: float) -> None:
        """Tell of those whose time is over. `begun`: when we began to listen."""
        now = self._clock.monotonic()
        known = await self._database.read(lambda tx: everything(tx, DeviceKind.HTTP))
        silent = [
            device
            for device, _ in known
            if device.state is DeviceState.ONLINE and now - self._heard.get(device.id, begun) > SILENT_SECONDS
        ]
        if silent:
            origin = await self._origin()
            events = [self._presence(device, "device.went_offline", {"why": "keepalive"}) for device in silent]
            await self._bus.publish([_from(event, origin) for event in events])

    def _position(self, device: Device, told: Told, now: int, newest: int) -> Event:
        late = now - told.at > LIVE_US or told.at < newest
        speed = None if told.speed_kmh is None else round(told.speed_kmh / 3.6, 3)
        return Event(
            kind="position.received", subject=device.id, at=told.at, seen=now, id=_id(device.id, told.at),
            area=device.area_path, organisation=device.organisation_path, mode=Mode.BACKFILL if late else Mode.LIVE,
            body={
                "device": device.id, "channel": "", "code": device.code, "time_us": told.at,
                "longitude": told.longitude, "latitude": told.latitude, "speed": speed, "direction": told.direction,
                "altitude": told.altitude,
            },
        )  # fmt: skip

    def _presence(self, device: Device, kind: str, facts: dict[str, Any]) -> Event:
        now = self._clock.now_us()
        self._number += 1
        return Event(
            kind=kind, subject=device.id, at=now, seen=now, area=device.area_path,
            organisation=device.organisation_path, incarnation=self._run, number=self._number,
            body={"device": device.id, "code": device.code, **facts},
        )  # fmt: skip

    async def _origin(self) -> str:
        return f"{(await self._settings.read()).code}/http"


def split_token(token: str) -> tuple[str, str]:
    """(code of a device, its secret); longer ones than we make are cut."""
    code, _, secret = token[:MAX_TOKEN].rpartition(".")
    return code[:MAX_CODE], secret


def _from(event: Event, origin: str) -> Event:
    return replace(event, origin=origin)


def _id(device: str, at: int) -> str:
    """The same for the same position, so that the bus drops what is sent again."""
    return show("ev", UUID(bytes=hashlib.blake2b(f"{device}/{at}".encode(), digest_size=16).digest()))
