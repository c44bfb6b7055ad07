"""What vehicles took by themselves or when asked (JT/T 808, 0x0801), and what they recorded of alarms of active safety
(T/JSATL 12-2017): kept for so many days, looked at for a purpose."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, Final

from safecity.core.ground.access.api import Action, Actor, Thing, scope
from safecity.core.ground.alarms.api import Alarm, hearing, of_events
from safecity.core.ground.alarms.api import thing_of as thing_of_alarm
from safecity.core.ground.audit.api import note
from safecity.core.ground.devices.api import Device, find_device, find_many, thing_of
from safecity.core.ground.devices.api import find as find_by_id
from safecity.core.ground.loose.api import Loose, named
from safecity.core.ground.passages.api import check_purpose
from safecity.core.upper.fleet import mediatable as table
from safecity.core.upper.fleet.cameras import closed, opened
from safecity.core.upper.fleet.mediatable import VehicleMedium
from safecity.core.upper.fleet.orders import ADDRESS, TIMEOUT
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import ExhaustedError, InvalidError, NotFoundError
from safecity.kit.ids import fresh
from safecity.model.facts.vehicle_calls import AttachmentBytes, KeepAttachment, KeepMedia, ReadAttachment
from safecity.ports.blobs import BlobInfo, Blobs
from safecity.ports.calls import Calls
from safecity.ports.database import Database, Tx
from safecity.protocols.gat1400.pictures import check_picture

DAY_US: Final = 86_400 * SECOND_US
MAX_PER_DAY: Final = 1000
"""Kept of one vehicle within a day, by when they came; what was taken with an alarm, or because somebody here asked for
it, has as much room again."""
MAX_ATTACHED_PER_DAY: Final = 4 << 30
"""Bytes of attachments kept of one vehicle within a day."""
HEAD_BYTES: Final = 65_536
"""Within so many a JPEG has told its size."""
FOLDER: Final = "vehicle-media"
SWEEP: Final = 500
NAME_LETTERS: Final = 100
ATTACHED: Final = "alarm"
"""Why an attachment was taken."""
_WAITED_FOR: Final = frozenset(("robbery", "collision", "ordered", ATTACHED))


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

    async def attach(self, fact: KeepAttachment, pieces: AsyncIterator[bytes]) -> bool:
        """The same for a file of an alarm, whose bytes are read as they are put; also ExhaustedError
        `vehicle_attachments_full`. InvalidError `attachment_differs` where they are others than was said: then nothing
        is kept."""
        if not self._days:
            return False
        if not await self._database.read(lambda tx: _is_wanted(tx, fact, fact.digest)):
            return False
        blob = f"{FOLDER}/{fact.seen // DAY_US}/{fresh('pc')}"
        seen = _Seen(fact)

        def work(tx: Tx) -> bool:
            if not _is_wanted(tx, fact, fact.digest):
                return False
            table.add(tx, _attachment(fact, _vehicle(tx, fact.device), bytes(seen.head), blob))
            named(tx, [blob])
            return True

        async with self._loose.bringing([(blob, seen.through(pieces))]):
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
            without, known = closed(tx, who, device), opened(tx, who, device)
            media = table.page(
                tx, may, device, oldest=oldest, without=without, known=known, before=before, limit=limit + 1
            )
            _note(tx, who, found, purpose, reason, what="media", shown=len(media[:limit]))
            return media

        return await self._database.write(work)

    async def see(
        self, who: Actor, device: str, medium: str, *, purpose: str, reason: str = ""
    ) -> tuple[VehicleMedium, BlobInfo]:
        """One, and where its bytes are; NotFoundError for what is not there, or not for `who`. It is written down."""
        check_purpose(purpose)
        may, oldest = scope(who, Action.VEHICLE_REPLAY), self._oldest()

        def work(tx: Tx) -> VehicleMedium:
            found = find_device(tx, who, Action.VEHICLE_REPLAY, device)
            one = table.find(tx, medium)
            is_there = one is not None and one.device == device and one.seen > oldest
            if one is None or not is_there or not may.allows(_lay(one)) or _is_hidden(tx, who, one):
                raise NotFoundError("no such medium", code="not_found", params={"kind": "medium"})
            _note(tx, who, found, purpose, reason, what="medium", medium=one.id, sha256=one.digest.hex())
            return one

        one = await self._database.write(work)
        return one, await self._blobs.info(one.blob)

    async def alarms_of(self, who: Actor, media: Sequence[VehicleMedium]) -> dict[str, Alarm]:
        """Those that attachments belong to and `who` may see, by the fact that raised them."""
        events = sorted({one.event for one in media if one.event})

        def work(tx: Tx) -> dict[str, Alarm]:
            hears = hearing(tx, who).hears
            found = of_events(tx, events)
            return {event: one for event, one in found.items() if hears(one.audience, thing_of_alarm(one))}

        return await self._database.read(work) if events else {}

    async def sweep(self) -> int:
        """Forget what is past its days, and what vehicles took that are not there any more; how many. Their bytes go
        with what is loose."""
        gone, oldest, now = 0, self._oldest(), self._clock.now_us()
        # Looked for where nobody has to wait for it: whose vehicle goes meanwhile is found the next time.
        absent = await self._database.read(lambda tx: _absent(tx, table.owners(tx)))
        for part in (absent[start : start + SWEEP] for start in range(0, max(1, len(absent)), SWEEP)):

            def work(tx: Tx, part: list[str] = part) -> int:
                return table.forget(tx, oldest, part, now, SWEEP)

            while some := await self._database.write(work):
                gone += some
        return gone

    def _oldest(self) -> int:
        return self._clock.now_us() - self._days * DAY_US


async def attachment(calls: Calls, spool: str) -> AsyncGenerator[bytes]:
    """Bytes of a file that signalling has, from its beginning to its end."""
    at = 0
    while True:
        piece = await calls.call(ADDRESS, ReadAttachment(spool, at), timeout=TIMEOUT)
        if not isinstance(piece, AttachmentBytes) or not piece.data:
            return
        at += len(piece.data)
        yield piece.data


class _Seen:
    """Bytes on their way: the first of them, and whether they are what was said."""

    def __init__(self, fact: KeepAttachment) -> None:
        self._fact = fact
        self.head = bytearray()

    async def through(self, pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        """The same bytes. InvalidError where they are others."""
        digest, size = hashlib.sha256(), 0
        async for piece in pieces:
            size += len(piece)
            if size > self._fact.size:
                break
            digest.update(piece)
            self.head += piece[: HEAD_BYTES - len(self.head)]
            yield piece
        if size != self._fact.size or digest.digest() != self._fact.digest:
            raise InvalidError("not the bytes that were said", code="attachment_differs")


def _is_wanted(tx: Tx, fact: KeepMedia | KeepAttachment, digest: bytes) -> bool:
    _vehicle(tx, fact.device)
    of = {} if isinstance(fact, KeepMedia) else {"event": fact.event, "name": fact.name[:NAME_LETTERS]}
    if table.is_known(tx, fact.device, fact.number, digest, at=fact.at, seen=fact.seen, **of):
        return False
    cause = fact.cause if isinstance(fact, KeepMedia) else ATTACHED
    room, since = MAX_PER_DAY * (2 if cause in _WAITED_FOR else 1), fact.seen - DAY_US
    if table.came_since(tx, fact.device, since) >= room:
        raise ExhaustedError("too many in a day", code="vehicle_media_full", params={"limit": MAX_PER_DAY})
    size = fact.size if isinstance(fact, KeepAttachment) else 0
    if size and table.bytes_since(tx, fact.device, since) + size > MAX_ATTACHED_PER_DAY:
        params = {"limit": MAX_ATTACHED_PER_DAY >> 20}
        raise ExhaustedError("too much in a day", code="vehicle_attachments_full", params=params)
    return True


def _is_hidden(tx: Tx, who: Actor, one: VehicleMedium) -> bool:
    """Whether its camera is one of which `who` sees nothing. An attachment may be of any that it does not name."""
    without = closed(tx, who, one.device)
    is_attached = bool(without and one.event)
    return one.channel in without or (is_attached and one.channel not in opened(tx, who, one.device))


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


def _attachment(fact: KeepAttachment, device: Device, head: bytes, blob: str) -> VehicleMedium:
    said = (
        "device",
        "number",
        "channel",
        "kind",
        "format",
        "at",
        "seen",
        "size",
        "digest",
        "longitude",
        "latitude",
        "event",
    )
    return VehicleMedium(
        id=fresh("vm"), cause=ATTACHED, name=fact.name[:NAME_LETTERS], blob=blob, proven=_is_jpeg(head),
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
