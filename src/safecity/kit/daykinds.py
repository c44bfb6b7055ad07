"""Kinds of days, as traffic knows them: a holiday in the week is a Sunday, a Saturday that is worked a working day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

DAY_KINDS: Final = ("working", "saturday", "sunday")
_LIKE: Final = {"working": 2, "saturday": 5, "sunday": 6}
"""The day of the week (Monday 0) that such a day is like: of working days one in the middle of the week."""


def kind_of(day: date, special: Mapping[str, str]) -> int:
    """0 working day, 1 Saturday, 2 Sunday. `special`: dates (`2026-10-01`) that are another kind than their day of the
    week says."""
    named = special.get(day.isoformat()) if special else None
    return DAY_KINDS.index(named) if named is not None else max(0, day.weekday() - 4)


def like_days(special: Mapping[str, str]) -> dict[int, int]:
    """By the day since 1970: the day of the week, Monday 0, that a special date is like."""
    epoch = date(1970, 1, 1).toordinal()
    return {date.fromisoformat(day).toordinal() - epoch: _LIKE[kind] for day, kind in special.items()}


def good_days(special: Mapping[str, str]) -> bool:
    """Whether these are dates and kinds."""
    try:
        return all(date.fromisoformat(day).isoformat() == day and kind in _LIKE for day, kind in special.items())
    except (TypeError, ValueError):
        return False
