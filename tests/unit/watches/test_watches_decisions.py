"""Whom a hit goes on to, and how a watch lives."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.core.upper.watches.decide import (
    ALLOWED,
    DAY_US,
    Watch,
    WatchSettings,
    WatchState,
    check_watch,
    goes_on_to,
    kinds_agree,
    move_to,
)
from safecity.kit.errors import ConflictError, InvalidError

seats = st.frozensets(st.sampled_from(("role:operator", "role:administrator", "organisation:a", "organisation:b")))
WATCH = Watch(
    id="wa_1", plate="皖A12345", reason="stolen", purpose="security", valid_from=0, valid_until=DAY_US,
    seats=frozenset({"role:operator"}), proposed_by="us_1", proposed_name="Li", proposed_at=0,
)  # fmt: skip


@given(seats, seats, seats)
def test_nobody_loses_a_hit_and_it_comes_to_the_administrators_in_the_end(
    now: frozenset[str], further: frozenset[str], above: frozenset[str]
) -> None:
    told, steps = now, 0
    while (more := goes_on_to(told, further, above)) is not None:
        assert told < more
        told, steps = more, steps + 1
    assert told >= now | further | above | {"role:administrator"}
    assert steps <= 3


@given(st.lists(st.sampled_from(sorted(WatchState)), max_size=6))
def test_a_watch_that_ended_never_comes_back(steps: list[WatchState]) -> None:
    watch, ended = WATCH, False
    for state in steps:
        if state in ALLOWED[watch.state]:
            watch = move_to(watch, state)
        else:
            with pytest.raises(ConflictError):
                move_to(watch, state)
        ended = ended or watch.state in (WatchState.REFUSED, WatchState.WITHDRAWN, WatchState.EXPIRED)
        assert not (ended and watch.in_force(1))


def test_a_watch_is_in_force_from_its_first_moment_to_the_last_before_its_end() -> None:
    watch = move_to(replace(WATCH, valid_from=10, valid_until=20), WatchState.APPROVED)
    assert [watch.in_force(at) for at in (9, 10, 19, 20)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"valid_until": 0}, "watch_invalid"), ({"valid_until": 181 * DAY_US}, "watch_invalid"),
        ({"seats": frozenset[str]()}, "watch_invalid"), ({"priority": 5}, "watch_invalid"),
        ({"plate": "??A??"}, "plate_vague"), ({"purpose": "fun"}, "purpose_needed"),
    ],
)  # fmt: skip
def test_what_is_no_watch_is_refused(change: dict[str, object], code: str) -> None:
    with pytest.raises(InvalidError) as refused:
        check_watch(replace(WATCH, **change), 0, WatchSettings())  # type: ignore[arg-type]
    assert refused.value.code == code
    assert check_watch(WATCH, 0, WatchSettings()) == WATCH


@pytest.mark.parametrize(
    ("wanted", "seen", "fits"),
    [
        ("H", "H11", True),
        ("H11", "H", True),
        ("H11", "", True),
        ("H11", "H2", False),
        ("K", "H11", False),
        ("", "H1", True),
    ],
)
def test_a_kind_is_watched_for_by_the_beginning_of_its_code_too(wanted: str, seen: str, fits: bool) -> None:
    assert kinds_agree(wanted, seen) == fits
