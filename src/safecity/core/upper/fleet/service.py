"""Fences for people: made, changed, taken away; each step is in the audit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from safecity.core.ground.access.api import ROOT, Action, Actor, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.devices.api import find_device
from safecity.core.ground.places.api import find_area, find_organisation
from safecity.core.upper.fleet import store
from safecity.core.upper.fleet.fences import MAX_FENCES, Fence, check_fence, thing_of
from safecity.kit.clock import Clock
from safecity.kit.errors import ConflictError, ExhaustedError, NotFoundError
from safecity.kit.ids import fresh
from safecity.ports.database import Database, Tx

_WHAT = (
    "kind", "points", "metres", "on_enter", "on_leave", "speed_kmh", "speed_seconds", "days", "from_minute",
    "until_minute", "valid_from", "valid_until", "vehicles", "area", "organisation", "enabled",
)  # fmt: skip
"""Who changes one of these makes another fence of it: what was known of vehicles says nothing about it."""


class Fences:
    """A vehicle is held against a new or changed one from its next position on."""

    def __init__(self, database: Database, clock: Clock, changed: Callable[[], None] = lambda: None) -> None:
        self._database = database
        self._clock = clock
        self._changed = changed

    async def page(self, who: Actor, *, before: str = "", limit: int = 100, area: str = "") -> list[Fence]:
        """Newest first."""
        may = scope(who, Action.FENCE_SEE)

        def work(tx: Tx) -> list[Fence]:
            path = find_area(tx, area).path if area else ""
            return store.page(tx, may, before=before, limit=limit, area=path)

        return await self._database.read(work)

    async def see(self, who: Actor, fence: str) -> Fence:
        return await self._database.read(lambda tx: find_fence(tx, who, Action.FENCE_SEE, fence))

    async def add(self, who: Actor, values: dict[str, Any]) -> Fence:
        """InvalidError as `check_fence`; NotFoundError for an area, organisation or vehicle that is not there."""

        def work(tx: Tx) -> Fence:
            fence = _placed(tx, Fence(
                id=fresh("fe"), since=self._clock.now_us(), created_by=who.name, created_at=who.at,
                number=store.next_number(tx), **values,
            ))  # fmt: skip
            authorize(who, Action.FENCE_CHANGE, thing_of(fence))
            _check(tx, who, fence, ())
            if store.count(tx) >= MAX_FENCES:
                raise ExhaustedError("too many fences", code="too_many", params={"limit": MAX_FENCES})
            store.add(tx, fence)
            note(tx, who, Action.FENCE_CHANGE, thing_of(fence), fence.name, reason=fence.reason, **_said(fence))
            return fence

        fence = await self._database.write(work)
        self._changed()
        return fence

    async def change(self, who: Actor, fence: str, revision: int | None, values: dict[str, Any]) -> Fence:
        """ConflictError `changed_meanwhile`; else as `add`."""

        def work(tx: Tx) -> Fence:
            old = find_fence(tx, who, Action.FENCE_CHANGE, fence)
            if revision is not None and revision != old.revision:
                raise ConflictError("changed meanwhile", code="changed_meanwhile")
            new = _placed(tx, replace(old, **values))
            if new == old:
                return old
            if any(getattr(new, name) != getattr(old, name) for name in _WHAT):
                new = replace(new, since=self._clock.now_us())
            new = replace(new, revision=old.revision + 1)
            authorize(who, Action.FENCE_CHANGE, thing_of(new))
            _check(tx, who, new, old.vehicles)
            store.save(tx, new)
            note(tx, who, Action.FENCE_CHANGE, thing_of(new), new.name, reason=new.reason, **_said(new))
            return new

        changed = await self._database.write(work)
        self._changed()
        return changed

    async def remove(self, who: Actor, fence: str) -> None:
        """It counts no more; what it raised stays."""

        def work(tx: Tx) -> None:
            found = find_fence(tx, who, Action.FENCE_CHANGE, fence)
            store.remove(tx, fence)
            note(tx, who, Action.FENCE_CHANGE, thing_of(found), found.name, removed=True)

        await self._database.write(work)
        self._changed()


def find_fence(tx: Tx, who: Actor, action: Action, fence: str) -> Fence:
    """The fence, if `who` may do `action` to it; what one may not see does not exist."""
    found = store.find(tx, fence)
    if found is None or not scope(who, Action.FENCE_SEE).allows(thing_of(found)):
        raise NotFoundError("no such fence", code="not_found", params={"kind": "fence"})
    authorize(who, action, thing_of(found))
    return found


def _placed(tx: Tx, fence: Fence) -> Fence:
    return replace(
        fence,
        area_path=find_area(tx, fence.area).path if fence.area else ROOT,
        organisation_path=find_organisation(tx, fence.organisation).path if fence.organisation else ROOT,
    )


def _check(tx: Tx, who: Actor, fence: Fence, before: Sequence[str]) -> None:
    """Whoever names a vehicle may see it; one that was named before and is gone keeps nobody from changing the rest."""
    check_fence(fence)
    for vehicle in sorted(set(fence.vehicles) - set(before)):
        find_device(tx, who, Action.DEVICE_SEE, vehicle)


def _said(fence: Fence) -> dict[str, Any]:
    """For the audit: what exactly counts from now on."""
    rules = [name for name in ("on_enter", "on_leave") if getattr(fence, name)]
    rules += [f"speed {fence.speed_kmh} km/h"] if fence.speed_kmh else []
    return {
        "kind": str(fence.kind), "rules": " ".join(rules), "metres": fence.metres, "vehicles": len(fence.vehicles),
        "points": " ".join(f"{x:.5f},{y:.5f}" for x, y in fence.points[:20]), "enabled": fence.enabled,
    }  # fmt: skip
