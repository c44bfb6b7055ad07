"""Commands and queries about tollgates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from safecity.core.ground.access.api import ROOT, Action, Actor, Thing, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.channels import api as channels
from safecity.core.ground.devices.api import Device
from safecity.core.ground.devices.api import find as find_reporter
from safecity.core.ground.devices.api import thing_of as thing_of_device
from safecity.core.ground.places.api import check_name, find_area, find_organisation
from safecity.core.ground.settings.api import touch_desired
from safecity.core.ground.tollgates import store
from safecity.core.ground.tollgates.decide import Lane, Tollgate
from safecity.kit.errors import ConflictError, NotFoundError
from safecity.kit.ids import fresh
from safecity.ports.database import Database, Tx


def thing_of(gate: Tollgate) -> Thing:
    """What decisions about it need."""
    return Thing("tollgate", gate.area_path, id=gate.id, organisation=gate.organisation_path)


def find_tollgate(tx: Tx, who: Actor, action: Action, gate: str) -> Tollgate:
    """The tollgate, if `who` may do `action` to it; what one may not see does not exist."""
    found = store.find(tx, gate)
    if found is None or not scope(who, Action.TOLLGATE_SEE).allows(thing_of(found)):
        raise NotFoundError("no such tollgate", code="not_found", params={"kind": "tollgate"})
    authorize(who, action, thing_of(found))
    return found


def reported_by(device: Device, code: str, gates: Sequence[Tollgate]) -> Tollgate | None:
    """The tollgate that a device means: by the code it names, as far as that lies where the device may speak for, else
    the one it is a reporter of."""
    if code:
        named = next((gate for gate in gates if gate.code == code and gate.enabled), None)
        if named is not None and (device.id in named.reporters or _covers(device, named)):
            return named
    return next((gate for gate in gates if device.id in gate.reporters and gate.enabled), None)


def _covers(device: Device, gate: Tollgate) -> bool:
    return gate.area_path.startswith(device.area_path) and gate.organisation_path.startswith(device.organisation_path)


class Tollgates:
    """Where they are, whom they belong to, and how long what they see is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, who: Actor, *, after: tuple[str, str] | None, limit: int, area: str = "", q: str = ""
    ) -> tuple[list[Tollgate], tuple[str, str] | None]:
        """By name, and where the next part begins."""
        allowed = scope(who, Action.TOLLGATE_SEE)

        def work(tx: Tx) -> list[tuple[str, Tollgate]]:
            path = find_area(tx, area).path if area else ""
            return store.page(tx, allowed, after=after, limit=limit + 1, area=path, q=q)

        rows = await self._database.read(work)
        more = len(rows) > limit
        rows = rows[:limit]
        return [gate for _, gate in rows], (rows[-1][0], rows[-1][1].id) if more else None

    async def see(self, who: Actor, gate: str, action: Action = Action.TOLLGATE_SEE) -> Tollgate:
        return await self._database.read(lambda tx: find_tollgate(tx, who, action, gate))

    async def names(self, ids: list[str]) -> dict[str, str]:
        """By id, for passages that are shown already."""
        found = await self._database.read(lambda tx: store.find_many(tx, ids))
        return {gate: one.name for gate, one in found.items()}

    async def add(self, who: Actor, values: dict[str, Any], *, demo: bool = False) -> Tollgate:
        """InvalidError `tollgate_invalid` or `lane_zone_invalid`, ConflictError `tollgate_code_taken`."""

        def work(tx: Tx) -> Tollgate:
            gate = Tollgate(id=fresh("tg"), demo=demo, **self._placed(tx, who, values))
            authorize(who, Action.TOLLGATE_CHANGE, thing_of(gate))
            self._check(tx, who, gate, None)
            store.add(tx, gate)
            _tell_readers(tx, gate)
            note(tx, who, Action.TOLLGATE_CHANGE, thing_of(gate), gate.name, added=True, code=gate.code)
            return gate

        return await self._database.write(work)

    async def change(self, who: Actor, gate: str, revision: int | None, values: dict[str, Any]) -> Tollgate:
        """Passages that are there keep the retention and purposes they were born with."""

        def work(tx: Tx) -> Tollgate:
            old = find_tollgate(tx, who, Action.TOLLGATE_CHANGE, gate)
            if revision is not None and revision != old.revision:
                raise ConflictError("changed meanwhile", code="changed_meanwhile")
            new = replace(old, **self._placed(tx, who, values), revision=old.revision + 1)
            authorize(who, Action.TOLLGATE_CHANGE, thing_of(new))
            self._check(tx, who, new, old)
            store.save(tx, new)
            _tell_readers(tx, old, new)
            note(tx, who, Action.TOLLGATE_CHANGE, thing_of(new), new.name, changed=", ".join(sorted(values)))
            return new

        return await self._database.write(work)

    async def remove(self, who: Actor, gate: str) -> None:
        """Its passages stay until their time is over."""

        def work(tx: Tx) -> None:
            old = find_tollgate(tx, who, Action.TOLLGATE_CHANGE, gate)
            store.remove(tx, gate)
            _tell_readers(tx, old)
            note(tx, who, Action.TOLLGATE_CHANGE, thing_of(old), old.name, removed=True)

        await self._database.write(work)

    async def remove_demo(self, who: Actor) -> int:
        """Remove those that the demo city added; their passages go when their time is over. How many."""
        authorize(who, Action.TOLLGATE_CHANGE, Thing("platform"))

        def work(tx: Tx) -> int:
            gone = store.demo_ids(tx)
            for gate in gone:
                old = store.find(tx, gate)
                assert old is not None
                store.remove(tx, gate)
                _tell_readers(tx, old)
                note(tx, who, Action.TOLLGATE_CHANGE, thing_of(old), old.name, removed=True)
            return len(gone)

        return await self._database.write(work)

    @staticmethod
    def _placed(tx: Tx, who: Actor, values: dict[str, Any]) -> dict[str, Any]:
        placed = dict(values)
        if "name" in placed:
            placed["name"] = check_name(placed["name"])
        if "lanes" in placed:
            placed["lanes"] = tuple(sorted((Lane.of(lane) for lane in placed["lanes"]), key=lambda lane: lane.number))
        if "purposes" in placed:
            placed["purposes"] = frozenset(placed["purposes"])
        if "reporters" in placed:
            placed["reporters"] = tuple(dict.fromkeys(placed["reporters"]))
        if "area" in placed:
            placed["area_path"] = find_area(tx, placed["area"]).path if placed["area"] else ROOT
        if "organisation" in placed:
            named = placed["organisation"]
            placed["organisation_path"] = find_organisation(tx, named).path if named else ROOT
        return placed

    @staticmethod
    def _check(tx: Tx, who: Actor, gate: Tollgate, old: Tollgate | None) -> None:
        """The code is free, and who joins devices or channels to it may see them."""
        if gate.code:
            other = store.find_by_code(tx, gate.code)
            if other is not None and other.id != gate.id:
                raise ConflictError("code taken", code="tollgate_code_taken", params={"code": gate.code})
        known = frozenset(old.reporters if old else ())
        for device in gate.reporters:
            found = None if device in known else find_reporter(tx, device)
            if device not in known and (
                found is None or not scope(who, Action.DEVICE_SEE).allows(thing_of_device(found))
            ):
                raise NotFoundError("no such device", code="not_found", params={"kind": "device"})
        seen = frozenset(lane.channel for lane in old.lanes) if old else frozenset[str | None]()
        for channel in {lane.channel for lane in gate.lanes} - seen - {None}:
            assert channel is not None
            one = channels.find(tx, channel)
            if one is None or not scope(who, Action.CHANNEL_SEE).allows(channels.thing_of(one)):
                raise NotFoundError("no such channel", code="not_found", params={"kind": "channel"})


def _tell_readers(tx: Tx, *gates: Tollgate) -> None:
    """Vision slots hear of it where plates are or were to be read."""
    if any(lane.read_plates for gate in gates for lane in gate.lanes):
        touch_desired(tx)
