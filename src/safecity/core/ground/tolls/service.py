"""Commands and queries about tolls, and what the duty `traffic` is told of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from safecity.core.ground.access.api import ROOT, Action, Actor, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.places.api import claimed_by, find_area
from safecity.core.ground.settings.api import Platform, Settings
from safecity.core.ground.tolls import store
from safecity.core.ground.tolls.decide import MAX_PLACES, MAX_TOLLS, Toll, VehicleClass, amounts, check_toll, thing_of
from safecity.kit.daykinds import DAY_KINDS
from safecity.kit.errors import ConflictError, ExhaustedError, NotFoundError
from safecity.kit.ids import fresh
from safecity.kit.money import minor_units
from safecity.model.facts.traffic_calls import ApplyTolls, FindTolled, RoadsFound, RoadToll, TollTable
from safecity.ports.calls import Calls
from safecity.ports.database import Database, Tx

ADDRESS: Final = "traffic"
TIMEOUT: Final = 10.0


class TollBook:
    """All tolls that people set. Supplies the port `Tolls`."""

    def __init__(self, database: Database, calls: Calls, settings: Settings) -> None:
        self._database = database
        self._calls = calls
        self._settings = settings
        settings.guards.append(_keep_prices)

    async def page(self, who: Actor, *, after: tuple[str, str] | None, limit: int) -> list[Toll]:
        """By name."""
        allowed = scope(who, Action.TRAFFIC_SEE)
        return await self._database.read(lambda tx: store.page(tx, allowed, after=after, limit=limit))

    async def see(self, who: Actor, toll: str) -> Toll:
        """NotFoundError for one that is not there, or not for `who`."""
        return await self._database.read(lambda tx: _visible(tx, who, toll))

    async def add(self, who: Actor, values: dict[str, Any]) -> tuple[Toll, RoadsFound]:
        """The toll, and the roads that pay it. Without an `area` it belongs to the one that it lies in.

        InvalidError as `check_toll`; ForbiddenError where it lies in an area of others; NotFoundError `no_road_near`
        where no road pays; UnavailableError where the duty cannot say.
        """

        def made(tx: Tx, name: str) -> Toll:
            toll = Toll(id=name, created_by=who.name, created_at=who.at, **values)
            return _placed(tx, who, check_toll(toll))

        toll = await self._database.read(lambda tx: made(tx, fresh("tl")))
        roads = await self._roads(toll)

        def work(tx: Tx) -> Toll:
            kept = made(tx, toll.id)  # borders may have moved while the duty was asked
            if len(_roomy(tx, kept)) >= MAX_TOLLS:
                raise ExhaustedError("too many tolls", code="too_many", params={"limit": MAX_TOLLS})
            store.add(tx, kept)
            note(tx, who, Action.TOLL_CHANGE, thing_of(kept), kept.name, added=True, metres=round(roads.metres))
            return kept

        return await self._database.write(work), roads

    async def change(
        self, who: Actor, toll: str, values: dict[str, Any], revision: int | None
    ) -> tuple[Toll, RoadsFound | None]:
        """As `add`; the roads only where another place was named. ConflictError `changed_meanwhile`."""

        def changed(tx: Tx) -> tuple[Toll, Toll]:
            old = _visible(tx, who, toll)
            authorize(who, Action.TOLL_CHANGE, thing_of(old))
            if revision is not None and revision != old.revision:
                raise ConflictError("changed meanwhile", code="changed_meanwhile")
            new = check_toll(replace(old, **values))
            moved = new.places != old.places or new.area != old.area
            return old, _placed(tx, who, new) if moved else new

        old, new = await self._database.read(changed)
        where = ("gantries", "border", "crossing")
        roads = await self._roads(new) if any(getattr(new, one) != getattr(old, one) for one in where) else None

        def work(tx: Tx) -> Toll:
            now, wanted = changed(tx)
            if now.revision != old.revision:  # another did the same while the duty was asked
                raise ConflictError("changed meanwhile", code="changed_meanwhile")
            if wanted == now:
                return now
            _roomy(tx, wanted)
            kept = replace(wanted, revision=now.revision + 1)
            store.save(tx, kept)
            names = sorted(name for name in values if getattr(kept, name) != getattr(now, name))
            note(tx, who, Action.TOLL_CHANGE, thing_of(kept), kept.name, changed=" ".join(names))
            return kept

        return await self._database.write(work), roads

    async def remove(self, who: Actor, toll: str) -> None:
        """Nobody pays it any more."""

        def work(tx: Tx) -> None:
            found = _visible(tx, who, toll)
            authorize(who, Action.TOLL_CHANGE, thing_of(found))
            store.remove(tx, toll)
            note(tx, who, Action.TOLL_CHANGE, thing_of(found), found.name, removed=True)

        await self._database.write(work)

    async def tolls(self) -> ApplyTolls:
        """What the duty is told: see `ports.tolls`."""

        def work(tx: Tx) -> ApplyTolls:
            platform = self._settings.platform(tx)
            return told_of(store.every(tx), platform.hour_worth, platform.currency)

        return await self._database.read(work)

    async def _roads(self, toll: Toll) -> RoadsFound:
        roads = await self._calls.call(ADDRESS, FindTolled(_told(toll)), timeout=TIMEOUT)
        return roads if isinstance(roads, RoadsFound) else RoadsFound((), 0.0)


def _keep_prices(tx: Tx, old: Platform, new: Platform) -> None:
    """Prices are kept in minor units: in a currency that divides otherwise each would be another one."""
    if minor_units(old.currency) != minor_units(new.currency) and store.any_at_all(tx):
        params = {"old": old.currency, "new": new.currency}
        raise ConflictError("there are tolls in that currency", code="toll_currency", params=params)


def told_of(tolls: Iterable[Toll], hour_worth: int, currency: str) -> ApplyTolls:
    """As the duty has those that are switched on."""
    paid = [one for one in tolls if one.enabled]
    places = tuple(place for toll in paid for place in _told(toll))
    return ApplyTolls(places, hour_worth, currency, tuple(table for toll in paid for table in _tables(toll)))


def _visible(tx: Tx, who: Actor, toll: str) -> Toll:
    found = store.find(tx, toll)
    if found is None or not scope(who, Action.TRAFFIC_SEE).allows(thing_of(found)):
        raise NotFoundError("no such toll", code="not_found", params={"kind": "toll"})
    return found


def _roomy(tx: Tx, toll: Toll) -> list[Toll]:
    """The others, if there is room for its places beside theirs."""
    others = [one for one in store.every(tx) if one.id != toll.id]
    if sum(len(one.places) for one in others) + len(toll.places) > MAX_PLACES:
        raise ExhaustedError("too many gantries and corners", code="too_many", params={"limit": MAX_PLACES})
    return others


def _placed(tx: Tx, who: Actor, toll: Toll) -> Toll:
    """In the area that was named, else in the one that it lies in: nobody charges on the roads of their neighbours."""
    lines = [toll.places] if toll.border else [[place] for place in toll.places]
    lies_in = claimed_by(tx, who, Action.TOLL_CHANGE, "toll", *lines)
    area = find_area(tx, toll.area) if toll.area else lies_in
    placed = replace(toll, area=area.id if area else None, area_path=area.path if area else ROOT)
    authorize(who, Action.TOLL_CHANGE, thing_of(placed))
    return placed


def _told(toll: Toll) -> tuple[RoadToll, ...]:
    """Its places; the prices of all of them stand in the tables of its name."""
    if toll.border:
        way = str(toll.crossing)
        return (RoadToll(toll.border[0], None, (), toll.id, toll.border, way, toll.begins, toll.ends),)
    return tuple(
        RoadToll((one.longitude, one.latitude), one.bearing, (), toll.id, begins=toll.begins, ends=toll.ends)
        for one in toll.gantries
    )


def _tables(toll: Toll) -> list[TollTable]:
    """One for all days on which the same vehicles pay the same."""
    days: defaultdict[tuple[tuple[str, ...], tuple[int, ...]], list[str]] = defaultdict(list)
    for day in DAY_KINDS:
        alike: defaultdict[tuple[int, ...], list[str]] = defaultdict(list)
        for vehicle in VehicleClass:
            alike[amounts(toll, vehicle, day)].append(vehicle)
        for table, vehicles in alike.items():
            days[tuple(vehicles), table].append(day)
    return [
        TollTable(toll.id, vehicles, tuple(kinds), table) for (vehicles, table), kinds in days.items() if any(table)
    ]
