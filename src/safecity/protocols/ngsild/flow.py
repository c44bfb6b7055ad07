"""`TrafficFlowObserved` of the Smart Data Models (dataModel.Transportation), in the normalised form of NGSI-LD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from safecity.kit.clock import rfc3339

MEDIA_TYPE: Final = "application/ld+json"
CONTEXT: Final = (
    "https://raw.githubusercontent.com/smart-data-models/dataModel.Transportation/master/context.jsonld",
    "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld",
)
_KINDS: Final = {"truck": "lorry", "other": "other"}
"""Where the model has another word than we have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """What was observed at a place in [since, until), microseconds UTC.

    place           longitude and latitude, WGS-84
    vehicle_type    in our words (`car`, `truck`); empty: of all kinds
    occupancy       0 to 1
    """

    point: str
    name: str
    source: str
    since: int
    until: int
    intensity: int
    place: tuple[float, float] | None = None
    lane: int | None = None
    vehicle_type: str = ""
    speed_kmh: float | None = None
    occupancy: float | None = None


def flow_observed(flow: Flow) -> dict[str, Any]:
    """As an entity. Its id is that of the place, of the time, and of the kind of vehicles."""
    since, until = rfc3339(flow.since), rfc3339(flow.until)
    kind = _KINDS.get(flow.vehicle_type, flow.vehicle_type)
    name = ":".join(part for part in (flow.point, str(flow.since // 1_000_000), kind) if part)
    entity: dict[str, Any] = {
        "id": f"urn:ngsi-ld:TrafficFlowObserved:{name}",
        "type": "TrafficFlowObserved",
        "name": _property(flow.name),
        "source": _property(flow.source),
        "dateObserved": _property(f"{since}/{until}"),
        "dateObservedFrom": _property({"@type": "DateTime", "@value": since}),
        "dateObservedTo": _property({"@type": "DateTime", "@value": until}),
        "intensity": _property(flow.intensity),
    }
    if flow.place is not None:
        entity["location"] = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [*flow.place]}}
    for key, value, unit in (
        ("laneId", flow.lane, ""), ("vehicleType", kind or None, ""), ("averageVehicleSpeed", flow.speed_kmh, "KMH"),
        ("occupancy", flow.occupancy, ""),
    ):  # fmt: skip
        if value is not None:
            entity[key] = _property(value) | ({"unitCode": unit} if unit else {})
    return entity | {"@context": [*CONTEXT]}


def _property(value: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value}
