"""What was true from when on: the changes of a yes or no, kept so that what comes late is judged by its own time.

A vehicle tells where it is out of order: what it drove in a tunnel comes afterwards. So not only whether it is inside
is kept, but when that changed lately. A late position that says what is known of its time changes nothing; one that
says otherwise moves the change behind it, or makes a change of its own there and back. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

MOST: Final = 32
"""Changes that are kept; what is older than all of them is not judged any more."""


class Mark(NamedTuple):
    """From `at` on it was `on`. `told`: nobody has to hear of it any more."""

    at: int
    on: bool
    told: bool


class Change(NamedTuple):
    """Something to be told: it began to be `on` at that time."""

    at: int
    on: bool


Marks = tuple[Mark, ...]


def begun(since: int, on: bool) -> Marks:
    """It is known to have been so since a time; that is no news."""
    return (Mark(since, on, True),)


def taken(marks: Marks, at: int, on: bool, newest: int) -> Marks:
    """With what was so at a time. `newest`: of what was taken before; nothing was different between the last mark and
    that, as far as is known."""
    before = [mark for mark in marks if mark.at <= at]
    if not before or before[-1].on == on:
        return marks
    behind = marks[len(before) :]
    if behind:  # they take turns, so that the next one says the same: it began earlier than was known
        first = behind[0]._replace(at=at)
        return (*before, first, *behind[1:])[-MOST:]
    if at >= newest:
        return (*before, Mark(at, on, False))[-MOST:]
    return (*before, Mark(at, on, False), Mark(newest, not on, False))[-MOST:]


def news(marks: Marks, newest: int, least_us: int = 0) -> tuple[Marks, list[Change]]:
    """What is to be told now, oldest first. What is on for less than `least_us` is none, and neither is its end."""
    kept: list[Mark] = []
    told: list[Change] = []
    silent = False
    for index, mark in enumerate(marks):
        if mark.told:
            kept.append(mark)
            silent = False
            continue
        if not mark.on:
            kept.append(mark._replace(told=True))
            if not silent:
                told.append(Change(mark.at, False))
            continue
        is_over = index + 1 < len(marks)
        lasted = (marks[index + 1].at if is_over else newest) - mark.at
        if lasted >= least_us:
            told.append(Change(mark.at, True))
        elif not is_over:
            kept.append(mark)  # it may yet last
            continue
        silent = lasted < least_us
        kept.append(mark._replace(told=True))
    return tuple(kept), told


def packed(marks: Marks) -> list[list[int]]:
    """For JSON."""
    return [[mark.at, int(mark.on), int(mark.told)] for mark in marks]


def unpacked(rows: Sequence[Sequence[int]]) -> Marks:
    """What `packed` made."""
    return tuple(Mark(int(at), bool(on), bool(told)) for at, on, told in rows)
