"""What our own analysis caught becomes a candidate like any other."""

from __future__ import annotations

from typing import Any

from safecity.core.ground.passages.api import dated
from safecity.core.ground.tollgates.api import Tollgate
from safecity.core.ground.tollgates.api import find as find_gate
from safecity.core.upper.violations.decide import Kind, Violation
from safecity.core.upper.violations.proposing import Proposing, Shown
from safecity.kit.clock import Clock
from safecity.kit.errors import InvalidError
from safecity.kit.ids import fresh
from safecity.model.facts.vision_calls import MomentShown, OffenceSeen
from safecity.ports.database import Database
from safecity.protocols.gat1400.pictures import check_picture
from safecity.protocols.gat1400.vehicles import clean_plate


class Caught:
    """Files what vision slots saw; the same again changes nothing."""

    def __init__(self, database: Database, clock: Clock, proposing: Proposing) -> None:
        self._database = database
        self._clock = clock
        self._proposing = proposing

    async def take(self, seen: OffenceSeen) -> bool:
        """Whether it is new. InvalidError `reading_refused` where the checkpoint is gone, or the kind is none."""
        gate = await self._database.read(lambda tx: find_gate(tx, seen.tollgate))
        if gate is None or not gate.enabled or seen.kind not in set(Kind):
            raise InvalidError("no such tollgate", code="reading_refused")
        _, new = await self._proposing.propose(candidate(seen, gate, self._clock.now_us()), shown(seen))
        return new


def candidate(seen: OffenceSeen, gate: Tollgate, now: int) -> Violation:
    """Without its pictures. A time that makes no sense has no error that anybody could state."""
    at, doubtful = dated(seen.at, now)
    plate, lane = clean_plate(seen.plate), gate.lane(seen.lane)
    return Violation(
        id=fresh("vi"), kind=Kind(seen.kind), words=seen.words[:200], plate=plate, plate_read=plate,
        confidence=seen.confidence, plate_colour=seen.plate_colour if seen.plate_colour != "yellow-green" else "green",
        tollgate=gate.id, channel=seen.channel, lane=lane.number if lane is not None else None, place_name=gate.name,
        direction=lane.direction if lane is not None and lane.direction != "other" else "", at=at, seen=now,
        clock_error_ms=None if doubtful else seen.clock_error_ms, light=seen.light, light_source=seen.light_source,
        details=_rests_on(seen), origin=f"vision/{seen.channel}", reference=seen.id,
        area_path=gate.area_path, organisation_path=gate.organisation_path, restricted=gate.restricted, keep_until=now,
    )  # fmt: skip


def _rests_on(seen: OffenceSeen) -> dict[str, Any]:
    """For whoever doubts it later: the signal, the networks with the digests of their files, and the threshold; about
    how fast it was."""
    found: dict[str, Any] = {"signal": seen.signal} if seen.signal else {}
    if seen.speed is not None:
        # Beside the measurements, never among them: nothing is judged by it (`Violation.speed_kmh` stays empty).
        found |= {
            "estimated_speed_kmh": seen.speed.kmh, "estimated_speed_uncertainty_kmh": seen.speed.uncertainty_kmh,
        }  # fmt: skip
    if seen.networks:
        networks = ", ".join(f"{one.name} sha256:{one.digest}" for one in seen.networks)
        found |= {"networks": networks, "threshold": seen.threshold}
    return found


def shown(seen: OffenceSeen) -> list[Shown]:
    """Its pictures; one that is none is left out, and its lack judged like any other."""
    found: list[Shown] = []
    for one in seen.pictures:
        try:
            found.append(Shown(check_picture(one.data, kind=one.kind), one.at, _box(one), one.light))
        except InvalidError:
            continue
    return found


def _box(one: MomentShown) -> tuple[float, float, float, float] | None:
    if len(one.box) != 4:
        return None
    left, top, right, bottom = one.box
    return (left, top, right, bottom) if 0 <= left < right <= 1 and 0 <= top < bottom <= 1 else None
