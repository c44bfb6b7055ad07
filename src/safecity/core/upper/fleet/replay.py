"""Looking at where a vehicle was: for a purpose, by who may, and written down."""

from __future__ import annotations

import asyncio
from typing import Final

from safecity.core.ground.access.api import Action, Actor, Thing, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.devices.api import Device, find_device, thing_of
from safecity.core.ground.passages.api import check_purpose
from safecity.core.upper.fleet.following import read_fix
from safecity.core.upper.fleet.journeys import Journey, Step, journey
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError
from safecity.model.facts.envelope import Event, Mode
from safecity.ports.database import Database, Tx
from safecity.ports.history import History

LONGEST_US: Final = 31 * 86_400 * SECOND_US
MOST_STEPS: Final = 20_000
PART: Final = 2_000


class Replay:
    """Rights are those of where the vehicle lay when it told the position: who was given a district today does not see
    what was driven in another one before."""

    def __init__(self, database: Database, history: History) -> None:
        self._database = database
        self._history = history

    async def see(
        self, who: Actor, device: str, start: int, end: int, *, purpose: str, reason: str = "", what: str = "map"
    ) -> tuple[Device, Journey]:
        """The vehicle, and its newest `MOST_STEPS` positions in [start, end). `what` is made of it, for the log.

        InvalidError `vehicle_span` for a time that is none or too long, `purpose_needed`.
        """
        check_purpose(purpose)
        if not 0 <= start < end or end - start > LONGEST_US:
            days = LONGEST_US // (86_400 * SECOND_US)
            raise InvalidError("not a time", code="vehicle_span", params={"days": days})

        def ask(tx: Tx) -> Device:
            found = find_device(tx, who, Action.VEHICLE_REPLAY, device)
            note(
                tx, who, Action.VEHICLE_REPLAY, thing_of(found), found.name, reason=reason, purpose=purpose, what=what,
                from_us=start, until_us=end,
            )  # fmt: skip
            return found

        found = await self._database.write(ask)
        may = scope(who, Action.VEHICLE_REPLAY)
        steps: list[Step] = []
        before: tuple[int, str] | None = None
        while len(steps) <= MOST_STEPS:
            part = await self._history.find(
                start, end, kinds=("position.received",), subject=device, before=before, limit=PART
            )
            steps += [step for event in part if may.allows(_lay(found, event)) and (step := _step(event)) is not None]
            if len(part) < PART:
                break
            before = part[-1].at, part[-1].id
        way = await asyncio.to_thread(journey, steps[:MOST_STEPS], more=len(steps) > MOST_STEPS)
        return found, way


def _lay(device: Device, event: Event) -> Thing:
    return Thing(
        "device", event.area or device.area_path, id=device.id,
        organisation=event.organisation or device.organisation_path,
    )  # fmt: skip


def _step(event: Event) -> Step | None:
    fix, direction = read_fix(event), event.body.get("direction")
    if fix is None:
        return None
    return Step(
        at=fix.at, longitude=fix.longitude, latitude=fix.latitude, speed_kmh=fix.speed_kmh,
        direction=float(direction) if isinstance(direction, int | float) else None, late=event.mode is Mode.BACKFILL,
    )  # fmt: skip
