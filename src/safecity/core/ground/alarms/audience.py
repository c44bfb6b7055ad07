"""Whom an alarm is for. Most are for everybody who may see alarms where they are; some only for certain seats.

A seat is `user:ID`, `organisation:ID` (whoever belongs to it or to one below it) or `role:NAME` (whoever holds that
role where the alarm is). It never gives a right: whoever sits on it must be one who may see alarms there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, or_

from safecity.core.ground.access.api import Action, Actor, Predicate, Role, Thing, find_user, scope, where
from safecity.core.ground.places.api import organisations_by_path
from safecity.kit.errors import InvalidError
from safecity.kit.ids import parse
from safecity.ports.database import Tx

ADMINISTRATORS: Final = f"role:{Role.ADMINISTRATOR}"
MAX_SEATS: Final = 50
_KINDS: Final = {"user": "us", "organisation": "og"}


@dataclass(frozen=True, slots=True)
class Hearing:
    """What of all alarms somebody hears: `allowed` by rights, and by the seats they sit on. `roles` come with where
    each of them is held."""

    allowed: Predicate
    seats: frozenset[str]
    roles: tuple[tuple[str, Predicate], ...]

    def hears(self, audience: frozenset[str], thing: Thing) -> bool:
        """Whether an alarm at `thing` for `audience` (empty: everybody) is for them."""
        if not self.allowed.allows(thing):
            return False
        by_role = (seat in audience and held.allows(thing) for seat, held in self.roles)
        return not audience or bool(audience & self.seats) or any(by_role)

    def condition(self, audience: Any, area: Any, organisation: Any, tags: Any = None) -> ColumnElement[bool]:
        """The same as SQL, over these columns."""
        seated = [audience.like(f"%|{seat}|%") for seat in sorted(self.seats)]
        by_role = [
            and_(audience.like(f"%|{seat}|%"), where(held, area, tags, organisation=organisation))
            for seat, held in self.roles
        ]
        return and_(where(self.allowed, area, tags, organisation=organisation), or_(audience == "", *seated, *by_role))


def hearing(tx: Tx, who: Actor) -> Hearing:
    """Of somebody, now."""
    return hearing_of(who, _organisations(tx, who))


def hearing_of(who: Actor, organisations: Iterable[str]) -> Hearing:
    """The same, where it is known which organisations they belong to, with those above."""
    roles = dict.fromkeys(grant.role for grant in who.in_force() if not grant.deny)
    held = {
        role: scope(
            replace(who, grants=tuple(one for one in who.grants if one.deny or one.role is role)), Action.ALARM_SEE
        )
        for role in roles
    }
    return Hearing(
        scope(who, Action.ALARM_SEE),
        frozenset({f"user:{who.user}", *(f"organisation:{one}" for one in organisations)}),
        tuple((f"role:{role}", predicate) for role, predicate in held.items() if not predicate.empty),
    )


def _organisations(tx: Tx, who: Actor) -> list[str]:
    try:
        user = find_user(tx, who.user)
    except InvalidError:  # the platform itself, or a device
        return []
    if user is None or user.organisation is None:
        return []
    names = user.organisation_path.strip("/").split("/")
    paths = [f"/{'/'.join(names[: end + 1])}/" for end in range(len(names))]
    return [one.id for one in organisations_by_path(tx, paths).values()]


def check_seats(seats: frozenset[str]) -> frozenset[str]:
    """InvalidError `seat_invalid` names one that is none."""
    for seat in seats:
        kind, _, name = seat.partition(":")
        if kind == "role" and name in set(Role) - {Role.REPORTER}:
            continue
        try:
            parse(_KINDS.get(kind, ""), name)
        except InvalidError as error:
            raise InvalidError("not a seat", code="seat_invalid", params={"seat": seat[:80]}) from error
    if len(seats) > MAX_SEATS:
        raise InvalidError("too many seats", code="seat_invalid", params={"seat": f"> {MAX_SEATS}"})
    return seats
