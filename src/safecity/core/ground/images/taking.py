"""Objects come in: kept once, their pictures beside them, vehicles filed as passages, subscribers told. All or nothing
for each part of a batch."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from safecity.core.ground.devices.api import Device
from safecity.core.ground.images import outbox, store, subscribers
from safecity.core.ground.images.decide import UPLOADED, Unpacked, days_of, unpack
from safecity.core.ground.images.store import Kept
from safecity.core.ground.images.wishes import within
from safecity.core.ground.loose.api import Loose, named, unnamed
from safecity.core.ground.passages import api as passages
from safecity.core.ground.tollgates.api import Purpose, Tollgate, reported_by
from safecity.core.ground.tollgates.api import meant as tollgates_meant
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import ConflictError
from safecity.kit.ids import fresh
from safecity.ports.database import Database, Tx
from safecity.protocols.gat1400.codes import clean_id
from safecity.protocols.gat1400.envelope import Refused, StatusCode
from safecity.protocols.gat1400.objects import ViidObject, read_object
from safecity.protocols.gat1400.resources import BY_NAME
from safecity.protocols.gat1400.subscriptions import read_subscription
from safecity.protocols.gat1400.vehicles import read_vehicle

DAY_US = 86_400 * SECOND_US
AT_ONCE = 200
"""Objects in one transaction: others who write wait for it."""
FOLDER = "images"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one object; `text` says more where there is more to say."""

    id: str
    code: StatusCode = StatusCode.OK
    text: str = "OK"


@dataclass(frozen=True, slots=True)
class _Ready:
    """A new or changed object; `brought` are its new pictures, key and bytes."""

    kept: Kept
    unpacked: Unpacked
    old: Kept | None
    gate: Tollgate | None
    brought: tuple[tuple[str, bytes], ...] = ()

    @property
    def new(self) -> bool:
        return self.old is None


class Taking:
    """Used by `Images`; told apart because it is the busy half."""

    def __init__(self, database: Database, loose: Loose, clock: Clock, told: Callable[[], None] = lambda: None) -> None:
        """`told`: something lies in the outbox."""
        self._database = database
        self._loose = loose
        self._clock = clock
        self._told = told
        self.left_out = 0
        """Pictures that were none."""

    async def take(self, sender: Device, objects: Sequence[ViidObject | Refused]) -> list[Outcome]:
        """One outcome per object, in their order. What was sent before with the same words changes nothing."""
        outcomes: list[Outcome] = []
        for start in range(0, len(objects), AT_ONCE):
            part = objects[start : start + AT_ONCE]
            try:
                outcomes += await self._part(sender, part)
            except ConflictError:
                # Another message brought one of these meanwhile, as a vehicle comes with its hit: now that is known.
                outcomes += await self._part(sender, part)
        return outcomes

    async def _part(self, sender: Device, objects: Sequence[ViidObject | Refused]) -> list[Outcome]:
        good = [one for one in objects if isinstance(one, ViidObject)]
        seen = self._clock.now_us()
        # The last of several with one identifier is what counts; a camera that stutters sends them alike.
        latest = {(one.resource.name, one.id): one for one in good}
        unpacked = await asyncio.to_thread(lambda: {name: unpack(one) for name, one in latest.items()})
        codes = sorted({code for one in good if (code := clean_id(one.fields.get("TollgateID")))})
        gates = await self._database.read(lambda tx: tollgates_meant(tx, sender.id, codes))
        before = await self._database.read(lambda tx: self._before(tx, sender, latest))
        ready = [
            self._ready(sender, one, before.get(name), gates, seen)
            for name, one in unpacked.items()
            if name not in before or before[name].digest != one.digest
        ]
        if ready:
            async with self._loose.bringing([thing for one in ready for thing in one.brought]):
                replaced = await self._database.write(lambda tx: self._write(tx, sender, ready, seen))
            self._told()
            if replaced:
                await self._loose.sweep()
        self.left_out += sum(len(one.unpacked.left_out) for one in ready)
        return [self._outcome(one, unpacked) for one in objects]

    @staticmethod
    def _outcome(one: ViidObject | Refused, unpacked: dict[tuple[str, str], Unpacked]) -> Outcome:
        if isinstance(one, Refused):
            return Outcome(one.id, StatusCode.JSON_CONTENT, f"{one.field} is missing or wrong")
        left_out = unpacked[one.resource.name, one.id].left_out
        return Outcome(one.id, text=f"OK, pictures left out: {','.join(left_out)}" if left_out else "OK")

    @staticmethod
    def _before(tx: Tx, sender: Device, latest: dict[tuple[str, str], ViidObject]) -> dict[tuple[str, str], Kept]:
        by_kind: dict[str, list[str]] = {}
        for kind, identity in latest:
            by_kind.setdefault(kind, []).append(identity)
        return {
            (kind, identity): kept
            for kind, ids in by_kind.items()
            for identity, kept in store.known(tx, sender.id, kind, ids).items()
        }

    @staticmethod
    def _ready(sender: Device, one: Unpacked, old: Kept | None, gates: list[Tollgate], seen: int) -> _Ready:
        of = one.of
        code = clean_id(of.fields.get("TollgateID"))
        vehicle = of.resource.name == "MotorVehicle"
        gate = reported_by(sender, code, gates) if vehicle or code else None
        at, _ = passages.dated(of.time(), seen)
        days = days_of(of.resource)
        if vehicle:  # as long as the passage that it becomes
            days = gate.retention_days if gate is not None else passages.UNPLACED_DAYS
        identity = old.id if old is not None else fresh("vo")
        folder = "passages" if vehicle else FOLDER
        # What came without pictures keeps those it had; what was uploaded in a second step stays until it comes anew.
        had = old.pictures if old is not None and UPLOADED not in one.places else []
        pictures = [each for each in had if each["place"] == UPLOADED or not one.pictures]
        brought: list[tuple[str, bytes]] = []
        for picture, place in zip(one.pictures, one.places, strict=True):
            key = passages.picture_key(folder, seen, picture.format)
            brought.append((key, picture.data))
            pictures.append({
                "key": key, "place": place, "kind": picture.kind, "format": picture.format, "width": picture.width,
                "height": picture.height,
            })  # fmt: skip
        kept = Kept(
            id=identity, device=sender.id, kind=of.resource.name, object_id=of.id, about=of.device(), tollgate=code,
            plate=read_vehicle(of).plate if vehicle else "",
            at=at, seen=seen, keep_until=seen + days * DAY_US,
            purposes=_purposes(gate),
            area_path=gate.area_path if gate is not None else sender.area_path,
            organisation_path=gate.organisation_path if gate is not None else sender.organisation_path,
            digest=one.digest, body=one.fields, pictures=pictures,
        )  # fmt: skip
        return _Ready(kept, one, old, gate, tuple(brought))

    def _write(self, tx: Tx, sender: Device, ready: Sequence[_Ready], seen: int) -> int:
        """How many pictures nothing shows any more. ConflictError `changed_meanwhile` when another message changed one
        of these since it was read: then none of it is kept, and whoever sent it sends it again."""
        for one in ready:
            if one.old is not None:
                now = store.known(tx, sender.id, one.kept.kind, [one.kept.object_id]).get(one.kept.object_id)
                if now is None or now.digest != one.old.digest:
                    raise ConflictError("changed meanwhile", code="changed_meanwhile")
        store.put_new(tx, [one.kept for one in ready if one.new])
        for one in ready:
            if not one.new:
                store.put(tx, one.kept, new=False)
        self._file(tx, sender, [one for one in ready if one.kept.kind == "MotorVehicle"], seen)
        _tell(tx, sender, [one.kept for one in ready], seen)
        named(tx, [key for one in ready for key, _ in one.brought])
        replaced = [key for one in ready for key in _replaced(tx, sender, one)]
        unnamed(tx, replaced, seen)
        return len(replaced)

    @staticmethod
    def _file(tx: Tx, sender: Device, vehicles: Sequence[_Ready], seen: int) -> None:
        by_place: dict[str, tuple[passages.Place, list[passages.Sighting]]] = {}
        shown_later: list[passages.Sighting] = []
        for one in vehicles:
            place = passages.place_of(
                one.gate, device=sender.id, area_path=sender.area_path, organisation_path=sender.organisation_path
            )
            sighting = _sighting(sender, one, seen)
            if one.old is not None and (before := origin_of(sender.code, one.old)) != sighting.origin:
                # Another device is said to have seen it: what the first one said is not said any more.
                passages.forget(tx, before, [one.kept.object_id], seen)
            if one.old is not None and one.brought:
                shown_later.append(sighting)
            by_place.setdefault(place.id, (place, []))[1].append(sighting)
        for place, sightings in by_place.values():
            passages.file(tx, place, sightings)
        for sighting in shown_later:
            passages.show(tx, sighting.origin, sighting.reference, sighting.pictures)


def origin_of(code: str, kept: Kept) -> str:
    """Whose sighting a vehicle is: the device's that saw it, or the sender's where none is named; `code`: of the
    sender."""
    return f"{kept.device}/{kept.about or code}"


def shown_by_passages(tx: Tx, kept: Sequence[Kept], codes: Mapping[str, str]) -> set[str]:
    """Keys of pictures that stay although these objects do not show them, or are not there, any more. `codes`: of their
    senders."""
    by_origin: dict[str, list[str]] = defaultdict(list)
    for one in kept:
        if one.kind == "MotorVehicle":
            by_origin[origin_of(codes.get(one.device, ""), one)].append(one.object_id)
    return {key for origin, ids in by_origin.items() for key in passages.shown(tx, origin, ids)}


def _replaced(tx: Tx, sender: Device, one: _Ready) -> set[str]:
    """Pictures that nothing shows any more."""
    if one.old is None:
        return set()
    before, now = ({each["key"] for each in kept.pictures} for kept in (one.old, one.kept))
    return before - now - shown_by_passages(tx, [one.kept], {sender.id: sender.code})


def _purposes(gate: Tollgate | None) -> frozenset[str]:
    """What another library may have it for; of a restricted tollgate nothing is for others."""
    if gate is None:
        return frozenset({Purpose.SECURITY})
    return frozenset() if gate.restricted else gate.purposes


def _sighting(sender: Device, one: _Ready, seen: int) -> passages.Sighting:
    vehicle = read_vehicle(one.unpacked.of)
    at, doubtful = passages.dated(vehicle.at, seen)
    return passages.Sighting(
        id=fresh("sg"), source=passages.Source.CAMERA, origin=origin_of(sender.code, one.kept),
        reference=one.kept.object_id, at=at, seen=seen, lane=vehicle.lane, plate=vehicle.plate,
        plate_colour=vehicle.plate_colour, plate_class=vehicle.plate_class, confidence=vehicle.confidence,
        colour=vehicle.colour, vehicle_class=vehicle.vehicle_class, brand=vehicle.brand,
        speed_kmh=vehicle.speed_kmh, direction=vehicle.direction, clock_doubtful=doubtful,
        pictures=tuple(
            passages.KeptPicture(each["key"], each["kind"], each["format"], each["width"], each["height"])
            for each in one.kept.pictures
        ),
    )  # fmt: skip


def _tell(tx: Tx, sender: Device, kept: Sequence[Kept], now: int) -> None:
    """Queue for whoever subscribed: never for who sent it, nor outside the areas they were given."""
    rows: list[dict[str, Any]] = []
    for one in subscribers.in_force(tx):
        if one.device == sender.id:
            continue
        wanted = read_subscription(read_object(BY_NAME["Subscribe"], one.body))
        due_at = now + wanted.interval_seconds * SECOND_US
        rows += [
            {"id": fresh("no"), "subscription": one.id, "object": each.id, "hit": None, "kind": each.kind,
             "notification": "", "due_at": due_at, "tries": 0}
            for each in kept
            if within(one, each) and wanted.wants(each.kind, device=each.about, tollgate=each.tollgate, now=now)
        ]  # fmt: skip
    outbox.enqueue(tx, rows)


def taken_back(tx: Tx, sender: Device, kind: str, ids: Sequence[str], now: int) -> list[Kept]:
    """Forget what a sender takes back, and what it showed; what there was."""
    found = list(store.known(tx, sender.id, kind, ids).values())
    store.remove(tx, [one.id for one in found])
    unnamed(tx, [picture["key"] for one in found for picture in one.pictures], now)
    if kind == "MotorVehicle":
        for one in found:
            passages.forget(tx, origin_of(sender.code, one), [one.object_id], now)
    return found
