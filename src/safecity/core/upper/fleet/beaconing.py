"""The door for positions over HTTP: who it is, how much it may tell, and whether it is still here."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Sequence
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
from safecity.ports.database import Database
from safecity.protocols.gb28181.limits import Buckets as Rates

logger = logging.getLogger(__name__)
LIVE_US: Final = 600 * SECOND_US
"""What is older was kept by the device: history, not where it is."""
SILENT_SECONDS: Final = 600.0
LOOK_SECONDS: Final = 15.0
A_SECOND: Final = 20.0
AT_ONCE: Final = 2_000.0
MAX_TOKEN: Final = 300
MAX_CODE: Final = 40


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
        code, _, secret = token[:MAX_TOKEN].rpartition(".")
        network, now = network_of(address), self._clock.monotonic()
        there = f"{code[:MAX_CODE]}@{network}"
        refuse_for(max(self._wrong_there.wait(there, now), self._wrong.wait(network, now)))
        found = await self._database.read(lambda tx: find_with_secret(tx, code, DeviceKind.HTTP)) if code else None
        kept = self._vault.open(found[1], found[0].id) if found is not None else ""
        is_right = bool(kept) and hmac.compare_digest(kept.encode(), secret.encode("utf-8", "replace"))
        if found is None or not is_right:
            self._wrong_there.take(there, now)
            self._wrong.take(network, now)
        if found is None or not is_right or not found[0].enabled:
            raise UnauthenticatedError("no such token", code="beacon_token")
        return found[0]

    async def take(self, device: Device, features: Sequence[Any], address: str) -> tuple[int, list[Refused]]:
        """(how many positions were taken, those that were not). ExhaustedError `position_flood`."""
        now = self._clock.now_us()
        if not self._told.take(device.id, self._clock.monotonic(), max(1, len(features))):
            seconds = max(1, round(len(features) / A_SECOND))
            raise ExhaustedError("too many", code="position_flood", params={"seconds": seconds})
        good, bad = read_all(features, now)
        events = [self._position(device, told, now) for told in good]
        if device.state is not DeviceState.ONLINE:
            events.insert(0, self._presence(device, "device.went_online", {"address": address, "transport": "tcp"}))
        origin = await self._origin()
        if events:
            await self._bus.publish([_from(event, origin) for event in events])
        self._heard[device.id] = self._clock.monotonic()
        live = [told.at for told in good if now - told.at <= LIVE_US]
        self._newest[device.id] = max([self._newest.get(device.id, 0), *live])
        return len(good), bad

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

    def _position(self, device: Device, told: Told, now: int) -> Event:
        late = now - told.at > LIVE_US or told.at < self._newest.get(device.id, 0)
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


def _from(event: Event, origin: str) -> Event:
    return replace(event, origin=origin)


def _id(device: str, at: int) -> str:
    """The same for the same position, so that the bus drops what is sent again."""
    return show("ev", UUID(bytes=hashlib.blake2b(f"{device}/{at}".encode(), digest_size=16).digest()))
