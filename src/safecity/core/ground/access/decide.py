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
    """A role for all things under `area`, of `tags` if any are named (one of them suffices), while it is in force.

    With `deny` it takes the role's actions away there. Times are microseconds UTC, 0 means no limit.
    """

    role: Role
    area: str = ROOT
    tags: frozenset[str] = frozenset()
    deny: bool = False
    not_before: int = 0
    not_after: int = 0

    def in_force(self, at: int) -> bool:
        return self.not_before <= at and (self.not_after == 0 or at < self.not_after)

    def covers(self, thing: Thing) -> bool:
        return thing.area.startswith(self.area) and (not self.tags or bool(self.tags & thing.tags))


@dataclass(frozen=True, slots=True)
class Thing:
    """What an action is done to: only what the decision needs. A thing of no area (`""`) is its owner's alone."""

    kind: str
    area: str = ROOT
    tags: frozenset[str] = frozenset()
    owner: str = ""
    id: str = ""


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
    """Things in an area subtree, with one of the tags if any are named."""

    area: str
    tags: frozenset[str] = frozenset()


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
        case Under(area=area, tags=tags):
            return thing.area.startswith(area) and (not tags or bool(tags & thing.tags))


def scope(who: Actor, action: Action) -> Predicate:
    """What of a list `who` may see or do `action` to."""
    allow: list[Under | OwnedBy] = []
    deny: list[Under] = []
    for grant in who.in_force():
        reach = REACHES[grant.role].get(action)
        if reach is None:
            continue
        if grant.deny:
            deny.append(Under(grant.area, grant.tags))
        elif reach is Reach.OWN:
            allow.append(OwnedBy(who.user))
        else:
            allow.append(Under(grant.area, grant.tags))
            if action in _PERSONAL:
                allow.append(OwnedBy(who.user))
    return Predicate(tuple(dict.fromkeys(allow)), tuple(dict.fromkeys(deny)))


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
    """Whether `who` may hand out these grants: nobody gives what they do not hold over the whole of its area."""
    mine = scope(who, Action.USER_CHANGE)
    return all(
        any(isinstance(term, Under) and not term.tags and grant.area.startswith(term.area) for term in mine.allow)
        and not any(term.area.startswith(grant.area) or grant.area.startswith(term.area) for term in mine.deny)
        for grant in grants
    )
