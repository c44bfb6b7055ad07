"""What a watch met, as the vehicle that the library is told that asked for it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from safecity.core.ground.devices.api import find as find_device
from safecity.core.ground.images.api import Kept, answering, known_objects
from safecity.core.ground.passages.api import KeptPicture, Passage, Sighting, seeking, sightings_of
from safecity.core.ground.tollgates.api import find as find_gate
from safecity.core.upper.watches import store
from safecity.core.upper.watches.decide import EXACT, Hit, HitState, Watch
from safecity.ports.database import Tx
from safecity.protocols.gat1400.codes import basic_id, semantic_id
from safecity.protocols.gat1400.pictures import MAX_PICTURES
from safecity.protocols.gat1400.times import local_text
from safecity.protocols.gat1400.vehicles import Vehicle, write_vehicle

_PASSING: Final = 4
"""`EventSort` of what drove past."""
_NOBODY: Final = "0" * 20


def tell(tx: Tx, watch: Watch, hit: Hit, passage: Passage, now: int, *, anew: bool) -> None:
    """Queue a hit for the library that asked for the watch. A near miss is not told, nor what became one: somebody must
    look at it first, and here is where they do. `anew`: it was one before, and something else; that is taken back."""
    if watch.origin is None:
        return
    if anew:
        answering.untell(tx, hit.id, now)
    if hit.kind == EXACT:
        answering.tell(tx, watch.id, _met(tx, hit, passage), now)


def met(tx: Tx, hits: Sequence[str], now: int) -> list[Kept]:
    """Of these hits, those that still are some, as long as their passage is kept."""
    found: list[Kept] = []
    for name in hits:
        hit = store.find_hit(tx, name)
        if hit is None or hit.state is not HitState.LIVE or hit.kind != EXACT:
            continue
        found += [_met(tx, hit, one) for one in seeking.whole(tx, [hit.passage]) if one.keep_until > now]
    return found


def _met(tx: Tx, hit: Hit, passage: Passage) -> Kept:
    """In the words of the camera that said the plate, where it speaks GA/T 1400; else in ours."""
    sightings = sightings_of(tx, [passage.id])[passage.id]
    said = _said(tx, sightings, passage) or _written(tx, sightings, passage)
    origins = {_sender(one) for one in sightings}
    return replace(
        said, id=hit.id, device=origins.pop() if len(origins) == 1 else "", seen=hit.raised_at,
        purposes=frozenset() if passage.restricted else passage.purposes, area_path=passage.area_path,
        organisation_path=passage.organisation_path,
    )  # fmt: skip


def _said(tx: Tx, sightings: Sequence[Sighting], passage: Passage) -> Kept | None:
    for one in sightings:
        if one.plate == passage.plate and (sender := _sender(one)).startswith("dv_"):
            kept = known_objects(tx, sender, "MotorVehicle", [one.reference]).get(one.reference)
            if kept is not None:
                return kept
    return None


def _written(tx: Tx, sightings: Sequence[Sighting], passage: Passage) -> Kept:
    device = find_device(tx, passage.device) if passage.device else None
    gate = find_gate(tx, passage.tollgate) if passage.tollgate else None
    tollgate = gate.code if gate is not None else ""
    code = (device.code if device is not None else "") or tollgate or _NOBODY
    serial = zlib.crc32(passage.id.encode()) % 100_000  # the same whenever it is told
    vehicle = Vehicle(
        id=semantic_id(code, "motor_vehicle", passage.at, serial), device=code, tollgate=tollgate, lane=passage.lane,
        at=passage.at, plate=passage.plate, plate_colour=passage.plate_colour, plate_class=passage.plate_class,
        confidence=passage.confidence, speed_kmh=passage.speed_kmh, direction=passage.direction,
        vehicle_class=passage.vehicle_class, colour=passage.colour, brand=passage.brand,
    )  # fmt: skip
    shown = {picture.key: picture for one in sightings for picture in one.pictures}
    pictures = list(shown.values())[:MAX_PICTURES]
    entries = [_entry(picture, code, passage.at, serial + place) for place, picture in enumerate(pictures)]
    more = {"SubImageList": {"SubImageInfoObject": entries}} if entries else {}
    return Kept(
        id="", device="", kind="MotorVehicle", object_id=vehicle.id, about=code, tollgate=tollgate,
        plate=passage.plate, at=passage.at, seen=passage.seen, keep_until=passage.keep_until,
        purposes=passage.purposes, area_path=passage.area_path, organisation_path=passage.organisation_path, digest="",
        body=write_vehicle(vehicle, source=basic_id(code, "image", passage.at, serial), box=(0, 0, 0, 0), **more),
        pictures=[
            {"key": one.key, "place": place, "kind": one.kind, "format": one.format}
            for place, one in enumerate(pictures)
        ],
    )  # fmt: skip


def _entry(picture: KeptPicture, code: str, at: int, serial: int) -> dict[str, Any]:
    return {
        "ImageID": basic_id(code, "image", at, serial), "EventSort": _PASSING, "DeviceID": code, "StoragePath": "",
        "Type": picture.kind, "FileFormat": picture.format.capitalize(), "ShotTime": local_text(at),
        "Width": picture.width, "Height": picture.height,
    }  # fmt: skip


def _sender(one: Sighting) -> str:
    return one.origin.partition("/")[0]
