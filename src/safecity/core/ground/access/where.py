"""A predicate as SQL, for every list."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, false, literal, not_, or_

from safecity.core.ground.access.decide import OwnedBy, Predicate, Under


def under(column: Any, area: str) -> ColumnElement[bool]:
    """Paths that begin with `area`, as a range that a b-tree serves. Paths end with `/`, and `0` follows `/`."""
    return and_(column >= area, column < area[:-1] + "0")


def where(predicate: Predicate, area: Any, tags: Any = None, owner: Any = None) -> ColumnElement[bool]:
    """The condition; a table without tags or owner matches no term that asks for them."""
    allow = [_term(term, area, tags, owner) for term in predicate.allow]
    if not allow:
        return false()
    condition = or_(*allow)
    return and_(condition, *(not_(_term(term, area, tags, owner)) for term in predicate.deny))


def _term(term: Under | OwnedBy, area: Any, tags: Any, owner: Any) -> ColumnElement[bool]:
    if isinstance(term, OwnedBy):
        return false() if owner is None else owner == literal(term.user, owner.type)
    condition = under(area, term.area)
    if not term.tags:
        return condition
    if tags is None:
        return false()
    return and_(condition, or_(*(tags.like(_pattern(tag), escape="\\") for tag in sorted(term.tags))))


def _pattern(tag: str) -> str:
    escaped = tag.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%|{escaped}|%"
