"""Where a vehicle was, on a map or as a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal
from xml.sax.saxutils import escape

from fastapi import Query
from fastapi.responses import Response

from safecity.core.ground.access.api import Action
from safecity.core.upper.fleet.api import Journey
from safecity.kit.clock import rfc3339
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.passages import Purposed
from safecity.web.shapes import Answer, Moment, Words

routes = Routes("fleet")
Start = Annotated[Moment, Query()]
End = Annotated[Moment, Query()]
Reason = Annotated[Words, Query()]
Format = Literal["gpx", "csv", "geojson"]
_KINDS: dict[str, str] = {"gpx": "application/gpx+xml", "csv": "text/csv", "geojson": "application/geo+json"}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The way as a file.",
        "content": {kind: {"schema": {"type": "string"}} for kind in _KINDS.values()},
    }
}


class WayStep(Answer):
    """A position. `gap`: how the vehicle came here from the one before is not known. `late`: it was kept by the
    terminal and came afterwards."""

    at: Moment
    longitude: float
    latitude: float
    speed_kmh: float | None
    direction: float | None
    late: bool
    gap: bool


class WayStand(Answer):
    """It stood there for two minutes or more, within 60 m."""

    start: Moment
    end: Moment
    seconds: float
    longitude: float
    latitude: float


class WayOut(Answer):
    """Oldest first. `metres`: as far as it was seen to drive, without gaps. `more`: there are older positions in that
    time than these 20,000."""

    device: str
    name: str
    steps: list[WayStep]
    stands: list[WayStand]
    metres: float
    gaps: int
    more: bool


@routes.get("/devices/{device}/way", Action.VEHICLE_REPLAY, fails=(404,))
async def see_way(
    device: str, who: Who, here: Here, start: Start, end: End, purpose: Purposed, reason: Reason = ""
) -> WayOut:
    """Where a vehicle was, at most 31 days of it. Each look is written down with its purpose."""
    found, way = await here.replay.see(who, device, start, end, purpose=purpose, reason=reason)
    return WayOut(
        device=found.id, name=found.name, metres=round(way.metres), gaps=way.gaps, more=way.more,
        steps=[WayStep.model_validate(step) for step in way.steps],
        stands=[
            WayStand(
                start=one.start, end=one.end, seconds=(one.end - one.start) / 1e6, longitude=one.longitude,
                latitude=one.latitude,
            )
            for one in way.stands
        ],
    )  # fmt: skip


@routes.get(
    "/devices/{device}/way/file", Action.VEHICLE_REPLAY, fails=(404,), response_class=Response, responses=_FILE
)  # fmt: skip
async def save_way(
    device: str, who: Who, here: Here, start: Start, end: End, purpose: Purposed, reason: Reason = "",
    kind: Annotated[Format, Query(alias="format")] = "gpx",
) -> Response:  # fmt: skip
    """The same as a file: GPX 1.1, CSV, or GeoJSON. Gaps part the tracks of it."""
    found, way = await here.replay.see(who, device, start, end, purpose=purpose, reason=reason, what=kind)
    heads = {"Content-Disposition": f'attachment; filename="way.{kind}"', "Cache-Control": "no-store"}
    return Response(_WRITERS[kind](found.name, way), media_type=_KINDS[kind], headers=heads)


def _gpx(name: str, way: Journey) -> str:
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<gpx version="1.1" creator="Safecity" xmlns="http://www.topografix.com/GPX/1/1">',
        f"<trk><name>{escape(_plain(name))}</name>",
    ]
    for part in _parts(way):
        lines.append("<trkseg>")
        lines += [
            f'<trkpt lat="{step.latitude:.6f}" lon="{step.longitude:.6f}"><time>{rfc3339(step.at)}</time></trkpt>'
            for step in part
        ]
        lines.append("</trkseg>")
    return "\n".join([*lines, "</trk></gpx>", ""])


def _csv(_: str, way: Journey) -> str:
    rows = ["at,longitude,latitude,speed_kmh,direction,late,gap"]
    for step in way.steps:
        speed = "" if step.speed_kmh is None else f"{step.speed_kmh:.1f}"
        direction = "" if step.direction is None else f"{step.direction:.0f}"
        flags = f"{int(step.late)},{int(step.gap)}"
        rows.append(f"{rfc3339(step.at)},{step.longitude:.6f},{step.latitude:.6f},{speed},{direction},{flags}")
    return "\ufeff" + "\r\n".join([*rows, ""])


def _geojson(name: str, way: Journey) -> str:
    parts = [part for part in _parts(way) if len(part) > 1]
    properties = {
        "name": name, "metres": round(way.metres), "times": [[rfc3339(step.at) for step in part] for part in parts],
    }  # fmt: skip
    lines = [[[step.longitude, step.latitude] for step in part] for part in parts]
    feature = {
        "type": "Feature",
        "geometry": {"type": "MultiLineString", "coordinates": lines},
        "properties": properties,
    }
    return json.dumps({"type": "FeatureCollection", "features": [feature]}, ensure_ascii=False)


def _parts(way: Journey) -> list[list[Any]]:
    """What hangs together."""
    parts: list[list[Any]] = []
    for step in way.steps:
        if step.gap or not parts:
            parts.append([])
        parts[-1].append(step)
    return parts


def _plain(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(letter for letter in text if ord(letter) >= 32 and not 0xD800 <= ord(letter) < 0xE000)


_WRITERS: dict[str, Callable[[str, Journey], str]] = {"gpx": _gpx, "csv": _csv, "geojson": _geojson}
