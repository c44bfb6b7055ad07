"""Who tells where it is over HTTP: an officer's phone, a system of somebody else. GeoJSON in, positions like any other
out; one that cannot be believed is refused with its reason, and the others are taken. The reading is pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from safecity.kit.clock import SECOND_US, parse_rfc3339
from safecity.kit.errors import InvalidError

MAX_FEATURES: Final = 500
AHEAD_US: Final = 300 * SECOND_US
OLD_DAYS: Final = 7
OLD_US: Final = OLD_DAYS * 86_400 * SECOND_US
FASTEST_KMH: Final = 1_000.0


@dataclass(frozen=True, slots=True)
class Told:
    """A position; km/h, degrees from north, metres."""

    at: int
    longitude: float
    latitude: float
    altitude: float | None = None
    speed_kmh: float | None = None
    direction: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The position with that number in what was sent, and why it was not taken."""

    index: int
    code: str
    params: dict[str, Any]


def features_of(document: Any) -> list[Any]:
    """Of a Feature or a FeatureCollection. InvalidError `position_shape`, `position_many`."""
    known: dict[str, Any] = document if isinstance(document, dict) else {}  # pyright: ignore[reportUnknownVariableType]
    if known.get("type") == "Feature":
        return [known]
    features = known.get("features")
    if known.get("type") != "FeatureCollection" or not isinstance(features, list):
        raise InvalidError("no GeoJSON", code="position_shape")
    found: list[Any] = features  # pyright: ignore[reportUnknownVariableType]
    if len(found) > MAX_FEATURES:
        raise InvalidError("too many", code="position_many", params={"limit": MAX_FEATURES})
    return found


def read_all(features: Sequence[Any], now: int) -> tuple[list[Told], list[Refused]]:
    """Those that can be believed, oldest first, and the others with their reasons."""
    good: dict[int, Told] = {}
    bad: list[Refused] = []
    for index, feature in enumerate(features):
        try:
            told = read_feature(feature, now)
        except InvalidError as error:
            bad.append(Refused(index, error.code, dict(error.params)))
        else:
            good[told.at] = told
    return [good[at] for at in sorted(good)], bad


def read_feature(feature: Any, now: int) -> Told:
    """One position. InvalidError with the reason."""
    known: dict[str, Any] = _object(feature)
    geometry, properties = _object(known.get("geometry")), _object(known.get("properties") or {})
    place: Any = geometry.get("coordinates")
    if known.get("type") != "Feature" or geometry.get("type") != "Point" or not isinstance(place, list):
        raise InvalidError("no point", code="position_shape")
    numbers = [_number(one) for one in place]  # pyright: ignore[reportUnknownVariableType]
    if len(numbers) < 2 or numbers[0] is None or numbers[1] is None:
        raise InvalidError("no place", code="position_place")
    longitude, latitude = numbers[0], numbers[1]
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90) or (longitude == 0 and latitude == 0):
        raise InvalidError("no such place", code="position_place")
    return Told(
        at=_time(properties.get("time"), now), longitude=longitude, latitude=latitude,
        altitude=numbers[2] if len(numbers) > 2 else None,
        speed_kmh=_within(properties, "speed_kmh", 0, FASTEST_KMH),
        direction=_within(properties, "direction", 0, 360),
    )  # fmt: skip


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidError("no object", code="position_shape")
    return value  # pyright: ignore[reportUnknownVariableType]


def _time(value: Any, now: int) -> int:
    try:
        at = parse_rfc3339(value) if isinstance(value, str) and len(value) <= 40 else None
    except (InvalidError, ValueError):
        at = None
    if at is None:
        raise InvalidError("no time", code="position_time")
    if at > now + AHEAD_US:
        raise InvalidError("ahead", code="position_ahead")
    if at < now - OLD_US:
        raise InvalidError("old", code="position_old", params={"days": OLD_DAYS})
    return at


def _within(properties: dict[str, Any], name: str, low: float, high: float) -> float | None:
    value = properties.get(name)
    if value is None:
        return None
    number = _number(value)
    if number is None or not low <= number <= high:
        raise InvalidError(f"{name}: {value!r}"[:80], code="position_value", params={"field": name})
    return number


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e9 or not math.isfinite(value):
        return None
    return float(value)
