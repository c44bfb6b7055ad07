"""Yes and no over time: whatever order positions come in, the changes are those of the positions in order."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from safecity.core.upper.fleet.marks import Change, Mark, Marks, begun, news, packed, taken, unpacked


def known_after(levels: list[tuple[int, bool]]) -> Marks:
    """What is known of whoever told these one by one, in that order."""
    marks, newest = begun(0, False), 0
    for at, on in levels:
        marks = taken(marks, at, on, newest)
        newest = max(newest, at)
    return marks


def told(levels: list[tuple[int, bool]], least: int = 0) -> list[Change]:
    """What one hears who is told them one by one, in that order."""
    marks, newest, heard = begun(0, False), 0, []
    for at, on in levels:
        marks = taken(marks, at, on, newest)
        newest = max(newest, at)
        marks, changes = news(marks, newest, least)
        heard += changes
    return heard


def test_only_changes_are_told() -> None:
    assert told([(1, False), (2, True), (3, True), (4, False), (5, False)]) == [Change(2, True), Change(4, False)]


@given(st.lists(st.booleans(), max_size=25))
def test_what_comes_twice_is_told_once(levels: list[bool]) -> None:
    once = list(enumerate(levels, 1))
    assert told([one for one in once for _ in range(2)]) == told(once) == told([*once, *once])


def test_a_late_yes_between_two_nos_was_there_and_back() -> None:
    assert told([(1, False), (10, False), (5, True)]) == [Change(5, True), Change(10, False)]


def test_a_late_position_makes_a_change_that_was_told_no_second_one() -> None:
    assert told([(1, False), (10, True), (5, True)]) == [Change(10, True)]


def test_what_is_older_than_everything_known_is_not_judged() -> None:
    marks = begun(100, True)
    assert taken(marks, 50, False, 200) == marks


PIECES = st.lists(st.booleans(), min_size=1, max_size=20), st.integers(0, 19), st.integers(1, 19)


@given(*PIECES)
@settings(max_examples=500)
def test_a_piece_that_comes_late_but_in_order_is_known_as_it_was(levels: list[bool], start: int, size: int) -> None:
    ordered = list(enumerate(levels, 1))
    before, late, behind = ordered[:start], ordered[start : start + size], ordered[start + size :]
    marks = known_after([*before, *behind, *late])
    for at, on in [*before, *late, ordered[-1]]:
        assert [mark for mark in marks if mark.at <= at][-1].on == on
    assert all(one.on != other.on for one, other in pairwise(marks))


@given(*PIECES)
@settings(max_examples=500)
def test_a_late_piece_changes_nothing_behind_it_where_it_fits_what_is_known(
    levels: list[bool], start: int, size: int
) -> None:
    ordered = list(enumerate(levels, 1))
    before, late, behind = ordered[:start], ordered[start : start + size], ordered[start + size :]
    ways = [on for _, on in [*(before or [(0, False)])[-1:], *late, *behind[:1]]]
    fits_as_one_change = sum(one != other for one, other in pairwise(ways)) <= 1
    nothing_changed_since = len({on for _, on in [*late[-1:], *behind]}) <= 1
    # Else one change behind it is taken for one within it: of each level only its changes are kept, no positions.
    assume(fits_as_one_change or nothing_changed_since)
    assert known_after([*before, *behind, *late]) == known_after(ordered)


def test_what_does_not_last_is_none_and_neither_is_its_end() -> None:
    short = [(1, True), (2, False), (3, True), (13, True), (14, False)]
    assert told(short, least=10) == [Change(3, True), Change(14, False)]


def test_a_change_that_may_yet_last_is_not_forgotten() -> None:
    marks, changes = news((Mark(0, False, True), Mark(5, True, False)), 10, 10)
    assert changes == []
    assert news(unpacked(packed(marks)), 15, 10)[1] == [Change(5, True)]
