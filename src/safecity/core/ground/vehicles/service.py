"""Looking for vehicles. Whoever looks says what for; what was looked at is told to them and written down."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from safecity.core.ground.access.api import Action, Actor, Predicate, Thing, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.passages.api import NEAR, Passage, check_purpose, may_see_restricted, seeking
from safecity.core.ground.places.api import find_area
from safecity.core.ground.tollgates.api import find_many as find_gates
from safecity.core.ground.vehicles.decide import Clone, Companion, Leg, Stay, Stop, clones, companions, route, stays
from safecity.core.ground.vehicles.index import PlateIndex
from safecity.core.ground.vehicles.newest import newest
from safecity.core.ground.vehicles.pattern import Pattern, read_pattern
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError
from safecity.ports.database import Database, Tx

FEW_PLATES: Final = 448
MOST_PLATES: Final = 2000
"""Plates that a search goes through, the last seen first; where more fit and these do not fill a part, it goes through
time instead. Mostly few of them do, and texts are made of no more than that."""
WALK: Final = 20_000
"""Passages that one part of a search looks through; the cursor leads on from there."""
WALK_PART: Final = 2_000
MOST_STOPS: Final = 1_000
MOST_OWN: Final = 200
MOST_OTHERS: Final = 20_000
MOST_CLONES: Final = 50_000
FASTEST_KMH: Final = 220.0
MOST_REMEMBERED: Final = 5_000
"""Searches of which it is known that they were written down."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What somebody looks for, as they say it. `plate` may hold `?` and `*`; `near`: also what can be a misreading."""

    purpose: str
    reason: str = ""
    plate: str = ""
    near: bool = False
    area: str = ""
    tollgate: str = ""
    plate_colour: str = ""
    plate_class: str = ""
    colour: str = ""
    vehicle_class: str = ""
    direction: str = ""
    lane: int | None = None
    since: int | None = None
    until: int | None = None

    def said(self) -> dict[str, Any]:
        """For the audit, without what was not asked for."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("purpose", "reason")}
        return {name: value for name, value in values.items() if value not in ("", None, False)}


@dataclass(frozen=True, slots=True)
class Looked:
    """What a search looked at: plates of the city that its pattern was held against (never how many of them fitted:
    that would tell of passages that are not for who asks), and passages that were looked through. `oldest`: how far
    back, where it did not come to the end of this part; `cut`: it went through some of the places only."""

    plates: int = 0
    passages: int = 0
    oldest: int | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A part of what was found, newest first, with what each plate costs (0: to the letter)."""

    passages: list[Passage]
    costs: dict[str, float]
    after: tuple[int, str] | None
    looked: Looked


@dataclass(frozen=True, slots=True)
class Movement:
    """Where one vehicle was. `first_seen`: the oldest passage of it that is still kept; `more`: there are older
    ones."""

    passages: list[Passage]
    costs: dict[str, float]
    legs: list[Leg]
    stays: list[Stay]
    clones: list[Clone]
    first_seen: int | None
    more: bool
    places: dict[str, Stop]
    """By passage."""


class Vehicles:
    """Every question is scoped by the areas of who asks, and filtered by purpose, restriction and time."""

    def __init__(self, database: Database, index: PlateIndex) -> None:
        self._database = database
        self._index = index
        self._written: OrderedDict[tuple[str, str, Wish], None] = OrderedDict()

    async def find(
        self, who: Actor, wish: Wish, *, before: tuple[int, str] | None = None, limit: int = 100, what: str = "search"
    ) -> Found:
        """InvalidError `purpose_needed`, `plate_pattern`. A part may hold fewer than `limit` and still lead on."""
        check_purpose(wish.purpose)
        pattern = read_pattern(wish.plate, near=wish.near)
        may = scope(who, Action.PASSAGE_SEE)

        def asked(tx: Tx) -> seeking.Asked:
            return replace(asked_of(tx, who, wish), before=before, limit=limit + 1)

        def work(tx: Tx) -> Found:
            if pattern is None:
                return _part(seeking.page(tx, may, asked(tx)), limit, lambda _: 0.0, Looked())
            if pattern.exact:
                one = replace(asked(tx), plates=(pattern.text,))
                return _part(seeking.page(tx, may, one), limit, pattern.distance, Looked(len(self._index)))
            return _walked(tx, may, asked(tx), pattern, limit)

        found = None
        if pattern is not None and not pattern.exact and await self._index.current(who.at):
            found = await self._listed(may, asked, pattern, limit)
        if found is None:
            found = await self._database.read(work)
        # Turning the page is the same search. Whether there was one, the place in the list does not tell: anybody can
        # write that down who has seen one.
        question = who.user, who.session, replace(wish, reason="")
        if before is None or question not in self._written:
            await self._note(who, wish, what, found=len(found.passages), looked=found.looked)
        self._remember(question)
        return found

    async def _listed(
        self, may: Predicate, asked: Callable[[Tx], seeking.Asked], pattern: Pattern, limit: int
    ) -> Found | None:
        """By the plates that fit; None where they do not fill the part, and others may."""
        for most in sorted({min(FEW_PLATES, MOST_PLATES), MOST_PLATES}):
            listed = await self._index.find(pattern, most)
            if listed is None:
                return None
            part = await self._database.read(lambda tx, listed=listed: newest(tx, may, asked(tx), listed))
            if part is not None:
                return _part(part, limit, pattern.distance, Looked(len(self._index)))
        return None

    async def movement(
        self, who: Actor, wish: Wish, *, stay_seconds: float = 3600.0, what: str = "route"
    ) -> Movement:  # fmt: skip
        """The route of one plate; with `near` also what can be misreadings of it. InvalidError `plate_whole`. `what`:
        the question as it is written down."""
        plates = await self._plates(wish)

        def work(tx: Tx) -> Movement:
            may, asked = scope(who, Action.PASSAGE_SEE), replace(asked_of(tx, who, wish), plates=tuple(plates))
            found = seeking.page(tx, may, replace(asked, limit=MOST_STOPS + 1))
            kept = found[:MOST_STOPS][::-1]
            first = seeking.first_seen(tx, may, asked, list(plates))
            stops = _stops(tx, [_glimpse(one) for one in kept])
            return Movement(
                kept, plates, route(stops), stays(stops, stay_seconds), clones(stops, FASTEST_KMH),
                min(first.values(), default=None), len(found) > MOST_STOPS, {stop.passage: stop for stop in stops},
            )  # fmt: skip

        moved = await self._database.read(work)
        await self._note(who, wish, what, found=len(moved.passages))
        return moved

    async def companions(
        self, who: Actor, wish: Wish, *, within_seconds: float, least: int, places: int, what: str = "companions"
    ) -> tuple[list[Companion], Looked]:
        """Who was there with it again and again; of its newest passages."""
        plates = await self._plates(wish)

        def work(tx: Tx) -> tuple[list[Companion], Looked]:
            may, asked = scope(who, Action.PASSAGE_SEE), asked_of(tx, who, wish)
            own = _stops(tx, seeking.glimpses(tx, may, replace(asked, plates=tuple(plates), limit=MOST_OWN)))
            others: dict[str, list[Stop]] = {}
            left, reach = MOST_OTHERS, round(within_seconds * SECOND_US)
            for place in sorted({stop.place for stop in own}):
                spans = [(stop.at - reach, stop.at + reach) for stop in own if stop.place == place]
                at_place = replace(asked, tollgate=place, since=None, until=None, limit=left)
                seen = seeking.around(tx, may, at_place, spans) if left else []
                left -= len(seen)
                others[place] = _stops(tx, seen)
            found = companions(own, others, within_seconds=within_seconds, least=least, places=places)
            oldest = own[-1].at if len(own) >= MOST_OWN else None
            looked = Looked(passages=len(own) + MOST_OTHERS - left, oldest=oldest, cut=left <= 0)
            return found, looked

        found, looked = await self._database.read(work)
        await self._note(who, wish, what, found=len(found), looked=looked)
        return found, looked

    async def cloned(
        self, who: Actor, wish: Wish, fastest_kmh: float, *, what: str = "cloned_plates"
    ) -> tuple[list[Clone], Looked]:
        """Plates that were at two places at once, among the newest passages of the time asked for."""
        check_purpose(wish.purpose)

        def work(tx: Tx) -> tuple[list[Clone], Looked]:
            may, asked = scope(who, Action.PASSAGE_SEE), asked_of(tx, who, wish)
            seen = seeking.glimpses(tx, may, replace(asked, limit=MOST_CLONES))
            found = clones(_stops(tx, seen), fastest_kmh)
            whole = len(seen) < MOST_CLONES
            looked = Looked(passages=len(seen), oldest=None if whole else seen[-1].at)
            return found, looked

        found, looked = await self._database.read(work)
        await self._note(who, wish, what, found=len(found), looked=looked)
        return found, looked

    async def whole(self, ids: Sequence[str]) -> dict[str, Passage]:
        """Of findings that were made and written down for the reader already."""
        found = await self._database.read(lambda tx: seeking.whole(tx, list(dict.fromkeys(ids))))
        return {one.id: one for one in found}

    async def _plates(self, wish: Wish) -> dict[str, float]:
        """The plate itself, and what it may have been misread as where that is wanted; by cost."""
        check_purpose(wish.purpose)
        pattern = read_pattern(wish.plate, near=wish.near)
        if pattern is None or len(pattern.parts) > 1 or "?" in pattern.text:
            raise InvalidError("a whole plate is needed", code="plate_whole")
        listed = await self._index.find(pattern, MOST_PLATES) if wish.near else None
        return {pattern.text: 0.0, **({one.plate: one.cost for one in listed.plates} if listed is not None else {})}

    def _remember(self, question: tuple[str, str, Wish]) -> None:
        self._written[question] = None
        self._written.move_to_end(question)
        if len(self._written) > MOST_REMEMBERED:
            self._written.popitem(last=False)

    async def _note(self, who: Actor, wish: Wish, what: str, *, found: int, looked: Looked | None = None) -> None:
        """Before anything is shown; a search that cannot be written down shows nothing."""
        seen: dict[str, Any] = (
            {} if looked is None else {"plates_compared": looked.plates, "passages_looked_at": looked.passages}
        )

        def work(tx: Tx) -> None:
            note(
                tx, who, Action.PASSAGE_SEE, Thing("passage"), reason=wish.reason, purpose=wish.purpose,
                question=what, found=found, **wish.said(), **seen,
            )  # fmt: skip

        await self._database.write(work)


def asked_of(tx: Tx, who: Actor, wish: Wish) -> seeking.Asked:
    return seeking.Asked(
        purpose=wish.purpose, now=who.at, restricted=may_see_restricted(who),
        area=find_area(tx, wish.area).path if wish.area else "", tollgate=wish.tollgate,
        plate_colour=wish.plate_colour, plate_class=wish.plate_class, colour=wish.colour,
        vehicle_class=wish.vehicle_class, direction=wish.direction, lane=wish.lane, since=wish.since, until=wish.until,
    )  # fmt: skip


def _part(found: Sequence[Passage], limit: int, cost: Callable[[str], float], looked: Looked) -> Found:
    shown = list(found[:limit])
    after = (shown[-1].at, shown[-1].id) if len(found) > limit else None
    return Found(shown, {one.plate: cost(one.plate) for one in shown}, after, looked)


def _walked(tx: Tx, may: Predicate, asked: seeking.Asked, pattern: Pattern, limit: int) -> Found:
    """Through time, newest first, until the part is full or enough was looked at."""
    most, seen = (NEAR if pattern.near else 0.0), 0
    costs: dict[str, float] = {}
    ids: list[str] = []
    before: tuple[int, str] | None = asked.before
    ended = False
    while not ended and len(ids) < limit and seen < WALK:
        part = seeking.walk(tx, may, replace(asked, before=before, limit=WALK_PART))
        ended = len(part) < WALK_PART
        for index, (at, name, plate) in enumerate(part):
            seen, before = seen + 1, (at, name)
            cost = costs.setdefault(plate, pattern.distance(plate))
            if cost <= most:
                ids.append(name)
                if len(ids) == limit:
                    ended = ended and index == len(part) - 1
                    break
    shown = seeking.whole(tx, ids)
    looked = Looked(passages=seen, oldest=None if ended or before is None else before[0])
    return Found(shown, {one.plate: costs[one.plate] for one in shown}, None if ended else before, looked)


def _glimpse(one: Passage) -> seeking.Glimpse:
    return seeking.Glimpse(one.id, one.place, one.tollgate, one.at, one.plate, one.confidence, one.clock_doubtful)


def _stops(tx: Tx, seen: Sequence[seeking.Glimpse]) -> list[Stop]:
    """With the places on the map as they are today."""
    gates = find_gates(tx, sorted({one.tollgate for one in seen if one.tollgate}))
    stops: list[Stop] = []
    for one in seen:
        gate = gates.get(one.tollgate or "")
        stops.append(
            Stop(
                passage=one.id, place=one.place, at=one.at, plate=one.plate,
                longitude=gate.longitude if gate else None, latitude=gate.latitude if gate else None,
                sure=not one.clock_doubtful and "?" not in one.plate,
            )
        )  # fmt: skip
    return stops
