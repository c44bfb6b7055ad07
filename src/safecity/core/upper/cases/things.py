"""What becomes of a thing that is put into a case: as it was then, with what decides for whom it is."""

from __future__ import annotations

from safecity.core.ground.alarms.api import Alarm
from safecity.core.ground.exports.api import Hold
from safecity.core.ground.passages.api import Passage
from safecity.core.ground.tollgates.api import Tollgate
from safecity.core.upper.cases.decide import Entry, Result, ResultKind
from safecity.core.upper.violations.api import Violation
from safecity.kit.ids import fresh


def of_hold(hold: Hold, entry: Entry, longitude: float | None, latitude: float | None) -> Result:
    """A stretch of footage that is held."""
    return Result(
        id=fresh("cr"), case=entry.case, entry=entry.id, kind=ResultKind.STRETCH, at=hold.start, until=hold.end,
        place_name=hold.channel_name, channel=hold.channel, longitude=longitude, latitude=latitude, hold=hold.id,
        area_path=hold.area_path, organisation_path=hold.organisation_path, tags=hold.tags,
    )  # fmt: skip


def of_passage(one: Passage, gate: Tollgate | None, entry: Entry) -> Result:
    """Its pictures are copied by whoever puts it in."""
    said = (
        "lane", "confidence", "plate_colour", "plate_class", "colour", "vehicle_class", "brand", "speed_kmh",
        "direction", "clock_doubtful",
    )  # fmt: skip
    return Result(
        id=fresh("cr"), case=entry.case, entry=entry.id, kind=ResultKind.PASSAGE, source=one.id, at=one.at,
        plate=one.plate, place_name=gate.name if gate else "", tollgate=one.tollgate,
        longitude=gate.longitude if gate else None, latitude=gate.latitude if gate else None,
        area_path=one.area_path, organisation_path=one.organisation_path, restricted=one.restricted,
        details={name: value for name in said if (value := getattr(one, name)) not in ("", None)},
    )  # fmt: skip


def of_violation(one: Violation, entry: Entry) -> Result:
    """Likewise."""
    said = ("code", "state", "lane", "direction", "speed_kmh", "limit_kmh", "clock_error_ms", "light")
    kind = {"offence": str(one.kind)}
    return Result(
        id=fresh("cr"), case=entry.case, entry=entry.id, kind=ResultKind.VIOLATION, source=one.id, at=one.at,
        plate=one.plate, place_name=one.place_name, tollgate=one.tollgate, area_path=one.area_path,
        organisation_path=one.organisation_path, restricted=one.restricted,
        details={**kind, **{name: str(value) if name == "state" else value for name in said
                            if (value := getattr(one, name)) not in ("", None)}},
    )  # fmt: skip


def of_alarm(one: Alarm, entry: Entry) -> Result:
    """How it stood, and what was said of it."""
    said = ("priority", "method", "type", "description", "acknowledged_by", "note", "reported_by", "result", "report")
    return Result(
        id=fresh("cr"), case=entry.case, entry=entry.id, kind=ResultKind.ALARM, source=one.id, at=one.at,
        place_name=one.name, channel=one.channel, longitude=one.longitude, latitude=one.latitude,
        area_path=one.area_path, organisation_path=one.organisation_path, tags=one.tags, audience=one.audience,
        details={"state": str(one.state),
                 **{name: value for name in said if (value := getattr(one, name)) not in ("", None)}},
    )  # fmt: skip
