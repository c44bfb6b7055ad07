"""From what ships say to facts of the platform: SI units, WGS-84, reasons instead of sentences. Pure."""

from __future__ import annotations

from typing import Any, Final

from safecity.protocols.ais.checks import Judged, course, speed_ms
from safecity.protocols.ais.messages import (
    AidToNavigation,
    AnyMessage,
    BaseStation,
    ClassAPosition,
    ClassBExtended,
    ClassBName,
    ClassBPosition,
    ClassBStatic,
    LongRange,
    Position,
    StaticAndVoyage,
)

AFLOAT: Final = "water"
"""In the field `travels` of a position: it is on no road, however near one it comes."""


def mmsi_text(mmsi: int) -> str:
    """Nine digits."""
    return f"{mmsi:09d}"


def position_fact(code: str, message: Position, judged: Judged, *, moves: bool, reasons: list[str]) -> dict[str, Any]:
    """Event data: m/s, degrees from north. Nothing where it cannot be believed; `reasons` says why."""
    return {
        "channel": "",
        "code": code,
        "time_us": judged.at_us,
        "longitude": message.longitude if moves else None,
        "latitude": message.latitude if moves else None,
        "speed": speed_ms(message),
        "direction": course(message),
        "altitude": None,
        "mileage": None,
        "driver": None,
        "catch_up": False,
        "travels": AFLOAT,
        "navigation": message.status if isinstance(message, ClassAPosition | LongRange) else None,
        "reasons": reasons,
    }


def said_of(message: AnyMessage) -> dict[str, str]:
    """What it says it is, as fields of a row: only those that it tells."""
    match message:
        case StaticAndVoyage():
            told = {"name": message.name, "call_sign": message.call_sign, "imo": str(message.imo or "")}
        case ClassBExtended() | ClassBName():
            told = {"name": message.name}
        case ClassBStatic():
            told = {"call_sign": message.call_sign}
        case AidToNavigation():
            told = {"name": message.whole_name}
        case _:
            told = {}
    return {field: text.strip()[:40] for field, text in told.items() if text.strip()}


def version_of(message: AnyMessage) -> str:
    """What kind of station it is."""
    match message:
        case BaseStation():
            return "AIS base station"
        case AidToNavigation():
            return "AIS aid to navigation"
        case ClassBPosition() | ClassBExtended() | ClassBName() | ClassBStatic():
            return "AIS class B"
        case ClassAPosition() | StaticAndVoyage() | LongRange():
            return "AIS class A"


def described_fact(name: str, call_sign: str, imo: str) -> dict[str, Any]:
    """What the ship says of itself."""
    model = " ".join(part for part in (f"IMO {imo}" if imo else "", call_sign) if part)
    return {"name": name, "manufacturer": "", "model": model, "firmware": ""}
