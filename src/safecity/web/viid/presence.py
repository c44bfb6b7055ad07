"""Who is at the door: logins, sessions, and what the rest of the platform is told of them."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Any

from safecity.core.ground.access.api import Vault
from safecity.core.ground.devices.api import Device, DeviceKind, DeviceState, everything, find_by_code, of_account
from safecity.core.ground.settings.api import Settings
from safecity.kit.clock import Clock
from safecity.kit.errors import SafecityError
from safecity.kit.ids import fresh
from safecity.model.facts.envelope import Event
from safecity.ports.bus import Bus
from safecity.ports.database import Database
from safecity.protocols.gat1400.attendance import Attendance, Standing
from safecity.protocols.gat1400.login import Account, Doorkeeper, Verdict
from safecity.protocols.sip.digest import parse_digest

logger = logging.getLogger(__name__)
KEEPALIVE_SECONDS = 90.0
MISSES = 3
TURN_SECONDS = 5.0
REALM = "viid"
_FIRST: tuple[str, ...] = ("MD5",)


class Presence:
    """One for the process: sessions live in memory, and after a restart everybody registers anew, as the standard's
    clients do when they are answered 401."""

    def __init__(self, database: Database, vault: Vault, settings: Settings, bus: Bus, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._settings = settings
        self._bus = bus
        self._clock = clock
        self.hall = Attendance(KEEPALIVE_SECONDS * MISSES)
        self._door = Doorkeeper(REALM, lambda: secrets.token_urlsafe(18))
        self._run = fresh("rn")
        self._number = 0
        self._awaited: dict[str, float] = {}
        """Who is told to be online and is not here, and until when it may come."""

    async def login(
        self, identity: str, authorization: str, method: str, target: str, peer: tuple[str, int]
    ) -> tuple[Verdict, Device | None]:
        """Whether the password of the account that may speak as `identity` was proved. GOOD comes with the device."""
        name = _username(authorization)
        found = await self._database.read(lambda tx: of_account(tx, DeviceKind.GAT1400, name)) if name else []
        mine = next(((one, secret) for one, secret in found if one.code == identity and one.enabled), None)

        def account(given: str) -> Account | None:
            if mine is None or given != name:
                return None
            device, sealed = mine
            password = self._vault.open(sealed, device.id)
            return Account(name, password, tuple(device.digests) or _FIRST) if password else None

        now = self._clock.monotonic()
        verdict, _ = self._door.judge(now, authorization, method, target, account, peer[0])
        device = mine[0] if mine is not None else None
        if verdict is Verdict.WRONG and device is not None:
            await self._publish("device.refused", device, {"reason": "wrong_password", "address": _shown(peer)})
        if verdict is not Verdict.GOOD or device is None:
            return verdict, None
        if self.hall.registered(identity, name, peer, now):
            facts = {"code": device.code, "address": _shown(peer), "transport": "tcp", "version": "GA/T 1400"}
            try:
                await self._publish("device.went_online", device, facts)
            except BaseException:
                # Nobody heard of it: it is answered so, and registers anew.
                self.hall.left(identity)
                raise
        self._awaited.pop(identity, None)
        return verdict, device

    async def challenge(self, identity: str, *, stale: bool = False) -> list[str]:
        """What to answer 401 with; a stranger is asked like an acquaintance."""
        device = await self._device(identity)
        algorithms = tuple(device.digests) if device is not None and device.digests else _FIRST
        return self._door.challenge(self._clock.monotonic(), algorithms, stale=stale)

    async def standing(self, identity: str, peer: tuple[str, int]) -> tuple[Standing, Device | None]:
        """Whether a request from there is of that one; PROVEN comes with the device as it is set up now."""
        standing = self.hall.standing(identity, peer, self._clock.monotonic())
        if standing is not Standing.PROVEN:
            return standing, None
        device = await self._device(identity)
        if device is None or not device.enabled:  # removed or locked out meanwhile
            if self.hall.left(identity):
                self._awaited[identity] = self._clock.monotonic()
            return Standing.UNKNOWN, None
        return standing, device

    async def left(self, device: Device) -> None:
        """It signed off."""
        if self.hall.host_of(device.code):
            await self._publish("device.went_offline", device, {"why": "unregistered"})
            self.hall.left(device.code)

    async def run(self) -> None:
        """Until cancelled: who is silent is offline, also one that was here before this process was."""
        now = self._clock.monotonic()
        known = await self._database.read(lambda tx: everything(tx, DeviceKind.GAT1400))
        self._awaited = {
            device.code: now + KEEPALIVE_SECONDS * MISSES
            for device, _ in known
            if device.state is DeviceState.ONLINE and not self.hall.host_of(device.code)
        }
        while True:
            try:
                await self.expire()
            except SafecityError as error:
                logger.warning("presence not told code=%s why=%s", error.code, error)
            await asyncio.sleep(TURN_SECONDS)

    async def expire(self) -> None:
        """Tell of those whose time is over."""
        now = self._clock.monotonic()
        self._door.expire(now)
        # They are awaited until it is told: what the bus cannot take now is told at the next turn.
        self._awaited |= dict.fromkeys(self.hall.expire(now), now)
        for code in [code for code, until in self._awaited.items() if until <= now]:
            device = await self._device(code)
            if device is not None and not self.hall.host_of(code):  # else it came back meanwhile
                await self._publish("device.went_offline", device, {"why": "keepalive"})
            self._awaited.pop(code, None)

    async def _device(self, identity: str) -> Device | None:
        return await self._database.read(lambda tx: find_by_code(tx, identity, DeviceKind.GAT1400))

    async def _publish(self, kind: str, device: Device, facts: dict[str, Any]) -> None:
        platform = await self._settings.read()
        now = self._clock.now_us()
        self._number += 1
        event = Event(
            kind=kind, subject=device.id, at=now, seen=now, origin=f"{platform.code}/viid", area=device.area_path,
            organisation=device.organisation_path, incarnation=self._run, number=self._number,
            body={"device": device.id, **facts},
        )  # fmt: skip
        await self._bus.publish([event])


def _shown(peer: tuple[str, int]) -> str:
    return f"{peer[0]}:{peer[1]}"


def _username(authorization: str) -> str:
    try:
        return parse_digest(authorization).get("username", "")[:200]
    except ValueError:
        return ""
