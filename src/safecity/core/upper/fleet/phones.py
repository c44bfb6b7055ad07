"""Officers on duty with a phone: who carries which, for how long, and their call for help.

A phone is a device that tells positions over HTTP like any other. What is its own is that it belongs to one person, who
lends it for a shift and takes it back: nobody else switches it on, and with the shift its token ends. A person has one;
who begins a shift with another phone ends it on the one before, which may be lost.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from sqlalchemy import Table, delete, insert, select, update

from safecity.core.ground.access.api import ROOT, Action, Actor, Thing, Vault, authorize, find_user, scope
from safecity.core.ground.access.api import Under as Reached
from safecity.core.ground.audit.api import note
from safecity.core.ground.devices import api as devices
from safecity.core.ground.devices.api import Device, DeviceKind
from safecity.core.ground.places.api import Area, areas_by_path, find_area
from safecity.core.ground.settings.api import touch_desired
from safecity.core.ground.sql import key, metadata, moment, ref
from safecity.core.upper.fleet.beaconing import Beacons
from safecity.core.upper.fleet.beacons import OLD_DAYS, OLD_US
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import InvalidError, SafecityError
from safecity.kit.ids import fresh, show
from safecity.model.facts.envelope import Event
from safecity.ports.database import Database, Tx

logger = logging.getLogger(__name__)
LONGEST_HOURS: Final = 16
LOOK_SECONDS: Final = 15.0
PURPOSE: Final = "duty"
"""Why positions of people are taken at all; written down with each shift."""
METHOD, SOS = "phone", "sos"
HOUR_US: Final = 3_600 * SECOND_US

phones = Table(
    "phones",
    metadata,
    key("us", "user"),
    ref("device", "dv"),
    moment("since"),
    moment("until", nullable=True),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shift:
    """A phone that is on duty; `token` is said once, to the phone alone."""

    device: str
    name: str
    token: str
    since: int
    until: int
    area: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """For help. `key`: the phone's own word for it, so that one that is sent again is the same."""

    key: str
    at: int
    longitude: float | None = None
    latitude: float | None = None


class Phones:
    """Shifts begin with a session and end with the token, so that a phone can always end its own."""

    def __init__(self, database: Database, vault: Vault, beacons: Beacons, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._beacons = beacons
        self._clock = clock

    async def begin(self, who: Actor, *, hours: int, area: str | None = None) -> Shift:
        """From now on `who` is seen by those who see devices in that area (without one: in that of their right).

        InvalidError `phone_hours`; ForbiddenError where `who` has no duty there."""
        if not 1 <= hours <= LONGEST_HOURS:
            raise InvalidError("not a shift", code="phone_hours", params={"most": LONGEST_HOURS})
        now, secret = self._clock.now_us(), secrets.token_urlsafe(24)

        def work(tx: Tx) -> Shift:
            user = find_user(tx, who.user)
            lies_in = find_area(tx, area) if area else _own_area(tx, who)
            belongs, path = (user.organisation if user else None), user.organisation_path if user else ROOT
            old = _device_of(tx, who.user)
            device = replace(
                old or _new(who, now), area=lies_in.id if lies_in else None,
                area_path=lies_in.path if lies_in else ROOT, organisation=belongs, organisation_path=path, enabled=True,
                revision=old.revision + 1 if old else 1,
            )  # fmt: skip
            thing = Thing("phone", device.area_path, owner=who.user, id=device.id, organisation=path)
            authorize(who, Action.PHONE_CARRY, thing)
            sealed, until = self._vault.seal(secret, device.id), now + hours * HOUR_US
            if old is None:
                devices.add(tx, device, sealed)
            else:
                devices.save(tx, device, sealed)
            tx.run(delete(phones).where(phones.c.user == who.user))
            tx.run(insert(phones).values(user=who.user, device=device.id, since=now, until=until))
            touch_desired(tx)
            note(tx, who, Action.PHONE_CARRY, thing, device.name, purpose=PURPOSE, began=True, hours=hours)
            return Shift(
                device=device.id, name=device.name, token=f"{device.code}.{secret}", since=now, until=until,
                area=device.area,
            )  # fmt: skip

        return await self._database.write(work)

    async def end(self, token: str, address: str) -> None:
        """With the token of the phone: it is worth nothing any more. UnauthenticatedError `beacon_token`."""
        device = await self._beacons.identify(token, address)
        await self._database.write(lambda tx: _end(tx, device.id, self._clock.now_us()))

    async def call(self, token: str, address: str, call: Call) -> None:
        """Raise an alarm, once for each key; durable when it is answered. UnauthenticatedError `beacon_token`,
        InvalidError `position_old`."""
        device = await self._beacons.identify(token, address)
        now = self._clock.now_us()
        if call.at < now - OLD_US:
            raise InvalidError("old", code="position_old", params={"days": OLD_DAYS})
        name = hashlib.blake2b(f"{device.id}/{SOS}/{call.key}".encode(), digest_size=16).digest()
        event = Event(
            kind="alarm.received", subject=device.id, at=min(call.at, now), seen=now,
            id=show("ev", UUID(bytes=name)), area=device.area_path, organisation=device.organisation_path,
            body={
                "device": device.id, "code": device.code, "priority": "1", "method": METHOD, "type": SOS,
                "longitude": call.longitude, "latitude": call.latitude,
            },
        )  # fmt: skip
        await self._beacons.publish(device, event)

    async def run(self) -> None:
        """Until cancelled: shifts end by the clock, also of phones that nobody hears of."""
        while True:
            try:
                await self.expire()
            except SafecityError as error:
                logger.warning("shifts not ended code=%s why=%s", error.code, error)
            await asyncio.sleep(LOOK_SECONDS)

    async def expire(self) -> int:
        """End shifts whose time is over; how many."""
        now = self._clock.now_us()

        def work(tx: Tx) -> int:
            over = [row["device"] for row in tx.rows(select(phones.c.device).where(phones.c.until <= now))]
            for device in over:
                _end(tx, device, now)
            return len(over)

        return await self._database.write(work)


def _new(who: Actor, now: int) -> Device:
    return Device(
        id=fresh("dv"), kind=DeviceKind.HTTP, name=who.name[:100], code=f"phone-{secrets.token_hex(6)}",
        transport="tcp", created_at=now,
    )  # fmt: skip


def _device_of(tx: Tx, user: str) -> Device | None:
    row = tx.row(select(phones.c.device).where(phones.c.user == user))
    return None if row is None else devices.find(tx, row["device"])


def _own_area(tx: Tx, who: Actor) -> Area | None:
    """That of the right by which `who` is on duty: the first one, where there are several."""
    terms = [term for term in scope(who, Action.PHONE_CARRY).allow if isinstance(term, Reached)]
    return areas_by_path(tx, [terms[0].area]).get(terms[0].area) if terms else None


def _end(tx: Tx, device: str, now: int) -> None:
    found = devices.find(tx, device)
    row = tx.row(select(phones.c.user).where(phones.c.device == device, phones.c.until.is_not(None)))
    if found is None or row is None:
        return
    devices.save(tx, replace(found, enabled=False, revision=found.revision + 1))
    tx.run(update(phones).where(phones.c.device == device).values(until=None))
    touch_desired(tx)
    user = find_user(tx, row["user"])
    who = Actor(row["user"], user.username if user else found.name, "", (), now)
    note(tx, who, Action.PHONE_CARRY, devices.thing_of(found), found.name, purpose=PURPOSE, ended=True)
