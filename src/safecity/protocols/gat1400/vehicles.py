"""What a motor vehicle object says, in words and SI units instead of the standard's numbers; and the way back."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from safecity.protocols.gat1400.codes import clean_id
from safecity.protocols.gat1400.objects import ViidObject, check_required
from safecity.protocols.gat1400.resources import BY_NAME
from safecity.protocols.gat1400.times import local_text

COLOURS: Final = {
    1: "black", 2: "white", 3: "grey", 4: "red", 5: "blue", 6: "yellow", 7: "orange", 8: "brown", 9: "green",
    10: "purple", 11: "cyan", 12: "pink", 13: "transparent", 99: "other",
}  # fmt: skip
DIRECTIONS: Final = {
    1: "west_east", 2: "east_west", 3: "north_south", 4: "south_north", 5: "southwest_northeast",
    6: "northeast_southwest", 7: "northwest_southeast", 8: "southeast_northwest", 9: "other",
}  # fmt: skip
MAX_PLATE: Final = 15
_NO_PLATE = frozenset(
    {"", "无车牌", "无牌", "车牌", "未知", "未识别", "无", "NOPLATE", "UNKNOWN", "NONE", "NULL", "-", "--"}
)
_COLOUR_NUMBERS = {word: number for number, word in COLOURS.items()}
_DIRECTION_NUMBERS = {word: number for number, word in DIRECTIONS.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Vehicle:
    """One sight of a vehicle. Empty texts and None stand for what was not said.

    at          microseconds UTC by the device's clock
    plate       capitals without blanks and dots; `?` stands for a character that could not be read
    confidence  of the plate, 0 to 1
    speed_kmh, lane   as measured; lanes count from the left
    """

    id: str
    device: str
    tollgate: str
    lane: int | None
    at: int | None
    plate: str
    plate_colour: str
    plate_class: str
    confidence: float | None
    speed_kmh: float | None
    direction: str
    vehicle_class: str
    colour: str
    brand: str


def clean_plate(text: str) -> str:
    """`皖A·12B-5` -> `皖A12B?5`; empty for the many ways to say that there is none."""
    plain = unicodedata.normalize("NFKC", text).upper()
    if "".join(plain.split()) in _NO_PLATE:
        return ""
    letters = ("?" if letter in "-*?#_" else letter for letter in plain if letter.isalnum() or letter in "-*?#_")
    plate = "".join(letters)[:MAX_PLATE]
    return plate if plate.strip("?") else ""


def read_vehicle(of: ViidObject) -> Vehicle:
    """Never fails: what makes no sense was not said."""
    lane = of.number("LaneNo", 1, 99)
    confidence = of.number("PlateReliability", 0, 100)
    plate = "" if of.text("HasPlate").lower() in ("0", "false") else clean_plate(of.text("PlateNo", 40))
    return Vehicle(
        id=of.id,
        device=of.device(),
        tollgate=clean_id(of.fields.get("TollgateID")),
        lane=None if lane is None else int(lane),
        at=of.time(),
        plate=plate,
        plate_colour=COLOURS.get(int(of.number("PlateColor", 0, 99) or 0), ""),
        plate_class=of.text("PlateClass", 10),
        confidence=None if confidence is None else confidence / 100,
        speed_kmh=of.number("Speed", 0, 400),
        direction=DIRECTIONS.get(int(of.number("Direction", 0, 9) or 0), ""),
        vehicle_class=of.text("VehicleClass", 10),
        colour=COLOURS.get(int(of.number("VehicleColor", 0, 99) or 0), ""),
        brand=of.text("VehicleBrand", 40),
    )


def write_vehicle(vehicle: Vehicle, *, source: str, box: tuple[int, int, int, int], **more: Any) -> dict[str, Any]:
    """A MotorVehicle with everything that the trial paper asks for; `more` are fields of the standard."""
    fields: dict[str, Any] = {
        "MotorVehicleID": vehicle.id,
        "InfoKind": 1,
        "SourceID": source,
        "TollgateID": vehicle.tollgate,
        "DeviceID": vehicle.device,
        "PassTime": local_text(vehicle.at or 0),
        "StorageUrl1": "-",
        **dict(zip(("LeftTopX", "LeftTopY", "RightBtmX", "RightBtmY"), box, strict=True)),
        "LaneNo": vehicle.lane or 1,
        "HasPlate": "1" if vehicle.plate else "0",
        "PlateClass": vehicle.plate_class or "99",
        "PlateColor": str(_COLOUR_NUMBERS.get(vehicle.plate_colour, 99)),
        "PlateNo": vehicle.plate.replace("?", "-") or "无车牌",
        "VehicleColor": str(_COLOUR_NUMBERS.get(vehicle.colour, 99)),
    }
    optional = {
        "PlateReliability": None if vehicle.confidence is None else str(round(vehicle.confidence * 100)),
        "Speed": vehicle.speed_kmh,
        "Direction": str(_DIRECTION_NUMBERS[vehicle.direction]) if vehicle.direction else None,
        "VehicleClass": vehicle.vehicle_class or None,
        "VehicleBrand": vehicle.brand or None,
    }
    fields |= {name: value for name, value in optional.items() if value is not None} | more
    check_required(BY_NAME["MotorVehicle"], fields)
    return fields


def write_tollgate(
    *, code: str, name: str, longitude: float, latitude: float, place: str, lanes: int, enabled: bool, usage: str
) -> dict[str, Any]:
    """A Tollgate; `usage` 80 security, 81 traffic, 82 other."""
    fields: dict[str, Any] = {
        "TollgateID": code, "Name": name, "Longitude": longitude, "Latitude": latitude, "PlaceCode": place[:6],
        "Status": "1" if enabled else "2", "TollgateCat": "99", "TollgateUsage": usage, "LaneNum": lanes,
    }  # fmt: skip
    check_required(BY_NAME["Tollgate"], fields)
    return fields


def write_lane(*, tollgate: str, number: int, name: str, direction: str, max_speed: int | None) -> dict[str, Any]:
    """A Lane of ours."""
    fields: dict[str, Any] = {
        "TollgateID": tollgate, "LaneId": number, "LaneNo": number, "Name": name,
        "Direction": str(_DIRECTION_NUMBERS.get(direction, 9)),
    }  # fmt: skip
    if max_speed is not None:
        fields["MaxSpeed"] = max_speed
    check_required(BY_NAME["Lane"], fields)
    return fields


def write_ape(values: Mapping[str, Any]) -> dict[str, Any]:
    """An APE from what is known of a device; what is not known is said to be so, and a password never."""
    fields: dict[str, Any] = {
        "Model": "-", "IPAddr": "0.0.0.0", "Port": 0, "Longitude": 0.0, "Latitude": 0.0, "PlaceCode": "000000",  # noqa: S104
        "FunctionType": "99", "IsOnline": "9", **values,
    }  # fmt: skip
    check_required(BY_NAME["APE"], fields)
    return fields
