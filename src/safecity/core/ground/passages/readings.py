"""What our own reader saw on video becomes a sighting like any other."""

from __future__ import annotations

from typing import Any, Final

from safecity.core.ground.passages.decide import Sighting, Source, dated
from safecity.core.ground.passages.filing import place_of
from safecity.core.ground.passages.plateclass import plate_class
from safecity.core.ground.passages.service import Passages
from safecity.core.ground.tollgates.api import Lane, Tollgate
from safecity.core.ground.tollgates.api import find as find_gate
from safecity.kit.clock import Clock
from safecity.kit.errors import InvalidError
from safecity.kit.ids import fresh
from safecity.model.facts.vision_calls import VehicleRead
from safecity.ports.database import Database
from safecity.protocols.gat1400.pictures import Picture, check_picture
from safecity.protocols.gat1400.vehicles import clean_plate

_COLOURS: Final = {"yellow-green": "green"}
"""GA/T 1400 has no number for the plate of large new-energy vehicles; its kind says it exactly."""


def reading_details(reading: VehicleRead) -> dict[str, Any]:
    """What it rests on, for whoever doubts it later: networks by digest, threshold, each sign's confidence."""
    details: dict[str, Any] = {
        "doubtful": reading.doubtful,
        "threshold": reading.threshold,
        "signs": list(reading.signs),
        "others": list(reading.others),
        "country": reading.country,
        "plate_kind": reading.plate_kind,
        "corners": [list(point) for point in reading.corners],
        "sights": reading.sights,
        "first": reading.first,
        "last": reading.last,
        "networks": [{"name": one.name, "digest": one.digest} for one in reading.networks],
    }
    if reading.vehicle_label:
        box = list(reading.vehicle_box)
        details["vehicle"] = {"label": reading.vehicle_label, "score": reading.vehicle_score, "box": box}
    if reading.body:
        details["body"] = {
            "box": list(reading.body), "found_by": reading.body_from, "colour": reading.colour,
            "colour_confidence": reading.colour_confidence, "colour_doubt": reading.colour_doubt,
        }  # fmt: skip
    if reading.speed is not None:
        one = reading.speed
        details["speed"] = {
            "estimated": True, "kmh": one.kmh, "uncertainty_kmh": one.uncertainty_kmh, "looks": one.looks,
            "metres": one.metres,
        }  # fmt: skip
    if reading.restored:
        details["restored"] = {
            "plate": reading.restored, "confidence": reading.restored_confidence, "blur": reading.restored_blur,
            "angle": reading.restored_angle,
        }  # fmt: skip
    return details


def sighting_of(reading: VehicleRead, gate: Tollgate, seen: int) -> Sighting:
    """`seen`: when we heard of it. The direction is the lane's: a camera looks at it."""
    at, doubtful = dated(reading.at, seen)
    lane: Lane | None = gate.lane(reading.lane)
    return Sighting(
        id=fresh("sg"),
        source=Source.READER,
        origin=reading.channel,
        reference=reading.id,
        at=at,
        seen=seen,
        lane=reading.lane,
        plate=clean_plate(reading.plate),
        plate_colour=_COLOURS.get(reading.plate_colour, reading.plate_colour),
        plate_class=plate_class(reading.plate_kind, clean_plate(reading.plate)),
        vehicle_class=reading.vehicle_class,
        colour=reading.colour,
        confidence=reading.confidence if reading.plate else None,
        direction=lane.direction if lane is not None and lane.direction != "other" else "",
        clock_doubtful=doubtful,
        details=reading_details(reading),
    )


class Readings:
    """Files what vision slots read; the same reading again changes nothing."""

    def __init__(self, database: Database, clock: Clock, passages: Passages) -> None:
        self._database = database
        self._clock = clock
        self._passages = passages

    async def take(self, reading: VehicleRead) -> None:
        """InvalidError `reading_refused` where the tollgate is gone or records no more: nobody asked for it."""
        gate = await self._database.read(lambda tx: find_gate(tx, reading.tollgate))
        if gate is None or not gate.enabled:
            raise InvalidError("no such tollgate", code="reading_refused")
        one = sighting_of(reading, gate, self._clock.now_us())
        await self._passages.take(place_of(gate), one, _pictures(reading))


def _pictures(reading: VehicleRead) -> list[Picture]:
    found: list[Picture] = []
    for one in reading.pictures:
        try:
            found.append(check_picture(one.data, kind=one.kind))
        except InvalidError:  # the words count without it
            continue
    return found
