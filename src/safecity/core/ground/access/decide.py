"""Who may do what to which thing: pure. Default deny, and a deny wins over every allow.

`scope` says the same as `authorize`, as a predicate that both renders to SQL and evaluates here; a property test holds
the three against one another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from safecity.core.ground.access.actions import REACHES, Action, Reach, Role
from safecity.kit.errors import ForbiddenError

ROOT: str = "/"
"""The path above all areas; what belongs to the platform as a whole lies there."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role for all things that lie under `area`, belong to `organisation` or one below it, and carry one of `tags`
    if any are named, while it is in force.

    With `deny` it takes the role's actions away there. Times are microseconds UTC, 0 means no limit.
    """

    role: Role
    area: str = ROOT
    tags: frozenset[str] = frozenset()
    deny: bool = False
    not_before: int = 0
    not_after: int = 0
    organisation: str = ROOT

    def in_force(self, at: int) -> bool:
        return self.not_before <= at and (self.not_after == 0 or at < self.not_after)

    def covers(self, thing: Thing) -> bool:
        return _matches(Under(self.area, self.tags, self.organisation), thing)


@dataclass(frozen=True, slots=True)
class Thing:
    """What an action is done to: only what the decision needs. A thing of no area (`""`) is its owner's alone; one of
    no organisation (`/`) is reached only by grants that name none."""

    kind: str
    area: str = ROOT
    tags: frozenset[str] = frozenset()
    owner: str = ""
    id: str = ""
    organisation: str = ROOT


PLATFORM = Thing("platform")


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody signed in, at one moment."""

    user: str
    name: str
    session: str
    grants: tuple[Grant, ...]
    at: int
    address: str = ""
    request: str = ""
    language: str = "zh"

    def in_force(self) -> Iterable[Grant]:
        return (grant for grant in self.grants if grant.in_force(self.at))


# --- predicates ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Under:
    """Things in an area subtree and of an organisation subtree, with one of the tags if any are named."""

    area: str
    tags: frozenset[str] = frozenset()
    organisation: str = ROOT


@dataclass(frozen=True, slots=True)
class OwnedBy:
    """Things of one person."""

    user: str


@dataclass(frozen=True, slots=True)
class Predicate:
    """Allowed by one of `allow` and by none of `deny`."""

    allow: tuple[Under | OwnedBy, ...] = ()
    deny: tuple[Under, ...] = field(default=())

    def allows(self, thing: Thing) -> bool:
        return any(_matches(term, thing) for term in self.allow) and not any(_matches(t, thing) for t in self.deny)

    @property
    def empty(self) -> bool:
        """Nothing can pass."""
        return not self.allow


def _matches(term: Under | OwnedBy, thing: Thing) -> bool:
    match term:
        case OwnedBy(user=user):
            return bool(user) and thing.owner == user
        case Under(area=area, tags=tags, organisation=organisation):
            return (
                thing.area.startswith(area)
                and thing.organisation.startswith(organisation)
                and (not tags or bool(tags & thing.tags))
            )


def scope(who: Actor, action: Action) -> Predicate:
    """What of a list `who` may see or do `action` to."""
    allow: list[Under | OwnedBy] = []
    deny: list[Under] = []
    for grant in who.in_force():
        reach = REACHES[grant.role].get(action)
        if reach is None:
            continue
        if grant.deny:
            deny.append(Under(grant.area, grant.tags, grant.organisation))
        elif reach is Reach.OWN:
            allow.append(OwnedBy(who.user))
        else:
            allow.append(_reached(grant, action))
            if action in _PERSONAL:
                allow.append(OwnedBy(who.user))
    return Predicate(tuple(dict.fromkeys(allow)), tuple(dict.fromkeys(deny)))


def _reached(grant: Grant, action: Action) -> Under:
    """The two trees carry no tags and do not belong to one another: who may do something to some things in a part of
    one sees the names of that part, or nothing could be found by the way to it."""
    match action:
        case Action.AREA_SEE:
            return Under(grant.area)
        case Action.ORGANISATION_SEE:
            return Under(ROOT, organisation=grant.organisation)
        case _:
            return Under(grant.area, grant.tags, grant.organisation)


_PERSONAL = frozenset({Action.VIEW_SEE, Action.VIEW_CHANGE, Action.SESSION_SEE, Action.SESSION_END, Action.EXPORT_SEE})
"""What a person may do to what is theirs even where a role reaches further by area."""


def allowed(who: Actor, action: Action, thing: Thing) -> bool:
    """The one decision."""
    return scope(who, action).allows(thing)


def authorize(who: Actor, action: Action, thing: Thing) -> None:
    """ForbiddenError unless `who` may do `action` to `thing`."""
    if not allowed(who, action, thing):
        raise ForbiddenError(
            f"{who.name} may not {action} {thing.kind}", code="not_allowed", params={"action": str(action)}
        )


def permissions(who: Actor) -> list[str]:
    """Actions that `who` may do somewhere, for the menu; the decision is always made per thing."""
    return [str(action) for action in Action if not scope(who, action).empty]


def may_grant(who: Actor, grants: Iterable[Grant]) -> bool:
    """Whether `who` may hand out these grants: nobody gives what they do not hold over the whole of its reach, nor for
    longer than they hold it themselves."""
    mine = [grant for grant in who.in_force() if Action.USER_CHANGE in REACHES[grant.role]]
    return all(
        any(not own.deny and _contains(own, wanted) for own in mine)
        and not any(own.deny and _overlap(own, wanted) for own in mine)
        for wanted in grants
    )


def _contains(own: Grant, wanted: Grant) -> bool:
    lasts = own.not_after == 0 or 0 < wanted.not_after <= own.not_after
    inside = wanted.area.startswith(own.area) and wanted.organisation.startswith(own.organisation)
    return lasts and inside and not own.tags


def _overlap(own: Grant, wanted: Grant) -> bool:
    pairs = ((own.area, wanted.area), (own.organisation, wanted.organisation))
    return all(one.startswith(other) or other.startswith(one) for one, other in pairs)
