"""The newest passages of many plates, without going through all that each of them left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from safecity.core.ground.access.api import Predicate
from safecity.core.ground.passages.api import Passage, seeking
from safecity.core.ground.vehicles.matrix import Listed
from safecity.kit.clock import SECOND_US
from safecity.ports.database import Tx

TOGETHER: Final = 64
"""Plates that are looked at first; then twice as many, and so on: mostly the first ones fill a part."""
_BACK_US: Final = 6 * 3600 * SECOND_US
_FURTHER, _TURNS = 4, 4


def newest(tx: Tx, may: Predicate, asked: seeking.Asked, listed: Listed) -> list[Passage] | None:
    """The newest passages of plates that fit, up to the limit asked for; None when there can be newer ones among plates
    that are not listed."""
    names = tuple(one.plate for one in listed.plates)
    found: list[Passage] = []
    upto: int | None = None
    for count, after in spans(listed):
        bounds = (asked.until, _behind(upto), _behind(None if asked.before is None else asked.before[0]))
        until = min((one for one in bounds if one is not None), default=None)
        since = max((one for one in (asked.since, _behind(after)) if one is not None), default=None)
        if since is None or until is None or since < until:
            left = asked.limit - len(found)
            found += seeking.page(tx, may, replace(asked, plates=names[:count], since=since, until=until, limit=left))
        if len(found) >= asked.limit or (asked.since is not None and after is not None and after < asked.since):
            return found
        upto = after
    return found if listed.rest is None else None


def _behind(at: int | None) -> int | None:
    """The next moment: bounds are exclusive at their end."""
    return None if at is None else at + 1


def spans(listed: Listed) -> Iterator[tuple[int, int | None]]:
    """(plates, time): no passage after that time is of any plate behind so many. Times go back; None: whenever.

    A plate that passes each hour left hundreds of passages, of which the newest hundred of all need one or two: spans
    of time keep the others from being read.
    """
    plates, count = listed.plates, TOGETHER
    after = plates[0].seen if plates else 0
    while count < len(plates):
        after = plates[count].seen
        yield count, after
        count *= 2
    if listed.rest is not None:
        yield len(plates), listed.rest
        return
    back = _BACK_US
    for _ in range(_TURNS if plates else 0):
        after, back = after - back, back * _FURTHER
        yield len(plates), after
    yield len(plates), None
