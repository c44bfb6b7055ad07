"""What vehicles took by themselves or when asked (JT/T 808, 0x0801): kept for so many days, looked at for a purpose."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from safecity.core.ground.access.api import Action, Actor, Thing, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.devices.api import Device, find_device, find_many, thing_of
from safecity.core.ground.devices.api import find as find_by_id
from safecity.core.ground.loose.api import Loose, named
from safecity.core.ground.passages.api import check_purpose
from safecity.core.upper.fleet import mediatable as table
from safecity.core.upper.fleet.cameras import closed
from safecity.core.upper.fleet.mediatable import VehicleMedium
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import ExhaustedError, InvalidError, NotFoundError
from safecity.kit.ids import fresh
from safecity.model.facts.vehicle_calls import KeepMedia
from safecity.ports.blobs import Blobs
from safecity.ports.database import Database, Tx
from safecity.protocols.gat1400.pictures import check_picture

DAY_US: Final = 86_400 * SECOND_US
MAX_PER_DAY: Final = 1000
"""Kept of one vehicle within a day, by when they came; what was taken with an alarm, or because somebody here asked for
it, has as much room again."""
FOLDER: Final = "vehicle-media"
SWEEP: Final = 500
_WAITED_FOR: Final = frozenset(("robbery", "collision", "ordered"))


class VehicleMedia:
    """Rights are those of where the vehicle lay when the medium came, as of its way, and those of the camera that took
    it. `days` 0: nothing is kept."""

    def __init__(self, database: Database, blobs: Blobs, loose: Loose, clock: Clock, days: int) -> None:
        self._database = database
        self._blobs = blobs
        self._loose = loose
        self._clock = clock
        self._days = days

    async def keep(self, fact: KeepMedia) -> bool:
        """Durable on return; False where it is known already, or nothing is kept at all.

        NotFoundError for a vehicle that is not there, ExhaustedError `vehicle_media_full`.
        """
        if not self._days:
            return False
        digest = hashlib.sha256(fact.data).digest()
        if not await self._database.read(lambda tx: _is_wanted(tx, fact, digest)):
            return False
        blob = f"{FOLDER}/{fact.seen // DAY_US}/{fresh('pc')}"

        def work(tx: Tx) -> bool:
            if not _is_wanted(tx, fact, digest):  # it came twice at once: these bytes are swept away
                return False
            table.add(tx, _medium(fact, _vehicle(tx, fact.device), digest, blob))
            named(tx, [blob])
            return True

        async with self._loose.bringing([(blob, fact.data)]):
            return await self._database.write(work)

    async def page(
        self, who: Actor, device: str, *, purpose: str, reason: str = "", before: tuple[int, str] | None = None,
        limit: int,
    ) -> list[VehicleMedium]:  # fmt: skip
        """Taken last first, and one beyond `limit` where there are more; `before`: (at, id). The look is written down.
        InvalidError `purpose_needed`."""
        check_purpose(purpose)
        may, oldest = scope(who, Action.VEHICLE_REPLAY), self._oldest()

        def work(tx: Tx) -> list[VehicleMedium]:
            found = find_device(tx, who, Action.VEHICLE_REPLAY, device)
            without = closed(tx, who, device)
            media = table.page(tx, may, device, oldest=oldest, without=without, before=before, limit=limit + 1)
            _note(tx, who, found, purpose, reason, what="media", shown=len(media[:limit]))
            return media

        return await self._database.write(work)

    async def see(
        self, who: Actor, device: str, medium: str, *, purpose: str, reason: str = ""
    ) -> tuple[VehicleMedium, bytes]:
        """One with its bytes; NotFoundError for what is not there, or not for `who`. The look is written down."""
        check_purpose(purpose)
        may, oldest = scope(who, Action.VEHICLE_REPLAY), self._oldest()

        def work(tx: Tx) -> VehicleMedium:
            found = find_device(tx, who, Action.VEHICLE_REPLAY, device)
            one = table.find(tx, medium)
            is_there = one is not None and one.device == device and one.seen > oldest
            if one is None or not is_there or not may.allows(_lay(one)) or one.channel in closed(tx, who, device):
                raise NotFoundError("no such medium", code="not_found", params={"kind": "medium"})
            _note(tx, who, found, purpose, reason, what="medium", medium=one.id, sha256=one.digest.hex())
            return one

        one = await self._database.write(work)
        return one, b"".join([piece async for piece in self._blobs.read(one.blob)])

    async def sweep(self) -> int:
        """Forget what is past its days, and what vehicles took that are not there any more; how many. Their bytes go
        with what is loose."""
        gone, oldest, now = 0, self._oldest(), self._clock.now_us()

        def work(tx: Tx) -> int:
            return table.forget(tx, oldest, _absent(tx, table.owners(tx))[:SWEEP], now, SWEEP)

        while some := await self._database.write(work):
            gone += some
        return gone

    def _oldest(self) -> int:
        return self._clock.now_us() - self._days * DAY_US


def _is_wanted(tx: Tx, fact: KeepMedia, digest: bytes) -> bool:
    _vehicle(tx, fact.device)
    if table.is_known(tx, fact.device, fact.number, digest):
        return False
    room = MAX_PER_DAY * (2 if fact.cause in _WAITED_FOR else 1)
    if table.came_since(tx, fact.device, fact.seen - DAY_US) >= room:
        raise ExhaustedError("too many in a day", code="vehicle_media_full", params={"limit": MAX_PER_DAY})
    return True


def _absent(tx: Tx, vehicles: Sequence[str]) -> list[str]:
    """Those of these that were taken out of the list."""
    parts = [list(vehicles[start : start + SWEEP]) for start in range(0, len(vehicles), SWEEP)]
    return [one for part in parts for one in sorted(set(part) - find_many(tx, part).keys())]


def _vehicle(tx: Tx, device: str) -> Device:
    found = find_by_id(tx, device)
    if found is None:
        raise NotFoundError("no such device", code="not_found", params={"kind": "device"})
    return found


def _medium(fact: KeepMedia, device: Device, digest: bytes, blob: str) -> VehicleMedium:
    said = ("device", "number", "channel", "kind", "format", "cause", "at", "seen", "longitude", "latitude")
    return VehicleMedium(
        id=fresh("vm"), size=len(fact.data), digest=digest, blob=blob, proven=_is_jpeg(fact.data),
        area_path=device.area_path, organisation_path=device.organisation_path,
        **{name: getattr(fact, name) for name in said},
    )  # fmt: skip


def _is_jpeg(data: bytes) -> bool:
    try:
        return check_picture(data).format == "jpeg"
    except InvalidError:
        return False


def _lay(one: VehicleMedium) -> Thing:
    return Thing("device", one.area_path, id=one.device, organisation=one.organisation_path)


def _note(tx: Tx, who: Actor, device: Device, purpose: str, reason: str, **what: Any) -> None:
    note(
        tx, who, Action.VEHICLE_REPLAY, thing_of(device), device.name, reason=reason, purpose=purpose, **what
    )  # fmt: skip
