"""A predicate as SQL, for every list."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, false, literal, not_, or_, true

from safecity.core.ground.access.decide import ROOT, OwnedBy, Predicate, Under


def under(column: Any, area: str) -> ColumnElement[bool]:
    """Paths that begin with `area`, as a range that a b-tree serves. Paths end with `/`, and `0` follows `/`."""
    if isinstance(column, str):  # every row of the table has this one
        return true() if column.startswith(area) else false()
    return and_(column >= area, column < area[:-1] + "0")


def where(
    predicate: Predicate, area: Any, tags: Any = None, owner: Any = None, organisation: Any = ROOT
) -> ColumnElement[bool]:
    """The condition. A table without tags or owner matches no term that asks for them; `area` and `organisation` are
    columns, or the one path that all its rows have."""
    allow = [_term(term, area, tags, owner, organisation) for term in predicate.allow]
    if not allow:
        return false()
    condition = or_(*allow)
    return and_(condition, *(not_(_term(term, area, tags, owner, organisation)) for term in predicate.deny))


def _term(term: Under | OwnedBy, area: Any, tags: Any, owner: Any, organisation: Any) -> ColumnElement[bool]:
    if isinstance(term, OwnedBy):
        return false() if owner is None else owner == literal(term.user, owner.type)
    conditions = [under(area, term.area)]
    if term.organisation != ROOT:
        conditions.append(under(organisation, term.organisation))
    if term.tags:
        if tags is None:
            return false()
        conditions.append(or_(*(tags.like(_pattern(tag), escape="\\") for tag in sorted(term.tags))))
    return and_(*conditions)


def _pattern(tag: str) -> str:
    escaped = tag.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%|{escaped}|%"
