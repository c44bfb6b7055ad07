"""What an evidence set must show before anybody may confirm it, and between what a speed over a section surely lies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.core.upper.violations.decide import (
    ALLOWED,
    Evidence,
    Kind,
    State,
    Violation,
    check,
    check_void,
    lacking,
    move_to,
)
from safecity.core.upper.violations.decide import Void as VoidReason
from safecity.core.upper.violations.sections import Section, speed, too_fast
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import ConflictError, InvalidError

NOW = 1_700_000_000 * SECOND_US


def view(seconds: float, box: tuple[float, float, float, float] | None = None, **more: Any) -> Evidence:
    values = {"kind": "14", "width": 1920, "height": 1080, **more}
    at = NOW + round(seconds * SECOND_US)
    return Evidence(key=f"k{seconds}", sha256="", size=1, format="jpeg", at=at, box=box, **values)


NEAR, FAR = (0.4, 0.7, 0.6, 0.9), (0.4, 0.3, 0.6, 0.5)


def red_light(**more: Any) -> Violation:
    values: dict[str, Any] = {
        "id": "vi_1", "kind": Kind.RED_LIGHT, "plate": "皖A12345", "plate_read": "皖A12345", "at": NOW, "seen": NOW,
        "clock_error_ms": 200, "light": "red", "place_name": "Zhongshan Road", "origin": "o", "reference": "r",
        "pictures": (view(0, NEAR), view(1, FAR)), "keep_until": NOW, **more,
    }  # fmt: skip
    return Violation(**values)


def test_two_full_views_of_a_vehicle_that_moves_at_red_are_fit() -> None:
    assert lacking(red_light()) == frozenset()


@pytest.mark.parametrize(
    ("more", "lacks"),
    [
        ({"clock_error_ms": None}, "clock_unstated"),
        ({"clock_error_ms": 1001}, "clock_wrong"),
        ({"light": "yellow"}, "light"),
        ({"light": ""}, "light"),
        ({"plate": ""}, "plate"),
        ({"plate": "皖A1?345"}, "plate"),
        ({"place_name": ""}, "place"),
        ({"pictures": ()}, "pictures"),
        ({"pictures": (view(0, NEAR),)}, "pictures"),
        ({"pictures": (view(0, NEAR), view(0, FAR))}, "pictures"),
        ({"pictures": (view(0, NEAR), view(1, None, kind="02"))}, "pictures"),
        ({"pictures": (view(0, NEAR), view(1, FAR, kind="restored"))}, "pictures"),
        ({"pictures": (view(0, NEAR), view(1, FAR, width=1279))}, "small"),
        ({"pictures": (view(0, NEAR), view(1, (0.4, 0.69, 0.6, 0.89)))}, "still"),
    ],
)
def test_what_is_missing_is_named(more: dict[str, Any], lacks: str) -> None:
    assert lacking(red_light(**more)) == {lacks}


def test_a_clock_error_of_a_second_is_still_fit_and_the_plate_beside_two_views_does_no_harm() -> None:
    assert lacking(red_light(clock_error_ms=1000)) == frozenset()
    assert lacking(red_light(pictures=(view(0, NEAR), view(1, FAR), view(1, None, kind="02", width=90)))) == frozenset()


def test_who_stands_where_nobody_may_is_seen_ten_seconds_apart_and_at_the_same_place() -> None:
    stands = {"kind": Kind.ILLEGAL_STOP, "light": ""}
    assert lacking(red_light(**stands, pictures=(view(0, NEAR), view(10, NEAR)))) == frozenset()
    assert lacking(red_light(**stands, pictures=(view(0, NEAR), view(9.9, NEAR)))) == {"short"}
    assert lacking(red_light(**stands, pictures=(view(0, NEAR), view(60, FAR)))) == {"moved"}


def test_a_spot_speed_is_an_estimate_until_an_instrument_has_a_certificate() -> None:
    fast = {"kind": Kind.SPOT_SPEED, "light": "", "speed_kmh": 78.0, "speed_error_kmh": 6.0, "limit_kmh": 60.0}
    assert lacking(red_light(**fast)) == {"estimate"}
    assert lacking(red_light(**fast, certificate="JJG 527-0815")) == frozenset()
    assert lacking(red_light(**{**fast, "speed_error_kmh": 18.0}, certificate="x")) == {"speed"}


@pytest.mark.parametrize(
    "more",
    [
        {"kind": Kind.OTHER},
        {"kind": Kind.SPOT_SPEED},
        {"clock_error_ms": -1},
        {"pictures": (view(0, (0.5, 0.5, 0.4, 0.6)),)},
        {"pictures": tuple(view(n) for n in range(7))},
    ],
)
def test_a_candidate_that_makes_no_sense_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidError) as caught:
        check(red_light(**more))
    assert caught.value.code == "violation_invalid"


def test_what_is_void_stays_void_and_nothing_is_confirmed_without_a_first_review() -> None:
    assert ALLOWED[State.VOID] == set()
    for state in State:
        with pytest.raises(ConflictError):
            move_to(red_light(state=State.VOID), state)
    with pytest.raises(ConflictError):
        move_to(red_light(), State.CONFIRMED)


def test_other_needs_words_and_nobody_chooses_the_reasons_of_the_platform() -> None:
    check_void(VoidReason.OTHER, "the signal was being repaired")
    for reason in (VoidReason.OTHER, VoidReason.EXEMPT, VoidReason.TAKEN_BACK):
        with pytest.raises(InvalidError):
            check_void(reason, " ")


def section(**more: Any) -> Section:
    values: dict[str, Any] = {
        "id": "sc_1", "name": "Ring road", "entry": "tg_a", "exit": "tg_b", "length_m": 10_000, "length_error_m": 10,
        "limit_kmh": 100, "tolerance_kmh": 10, "entry_clock_error_ms": 500, "exit_clock_error_ms": 500, **more,
    }  # fmt: skip
    return Section(**values)


def test_only_who_is_surely_too_fast_is_proposed() -> None:
    at_120 = speed(section(), 0, 300 * SECOND_US)
    assert at_120 is not None
    assert (round(at_120.kmh, 2), round(at_120.low, 2), round(at_120.high, 2)) == (120.0, 119.48, 120.52)
    assert too_fast(section(), at_120)
    assert not too_fast(section(tolerance_kmh=20), at_120)  # the mean is above 119.9, the lower end is not above 120
    assert not too_fast(
        section(entry_clock_error_ms=30_000), speed(section(entry_clock_error_ms=30_000), 0, 300 * SECOND_US) or at_120
    )
    rocket = speed(section(), 0, 60 * SECOND_US)
    assert rocket is not None
    assert not too_fast(section(), rocket)  # 600 km/h is a wrong reading, and no vehicle


def test_an_exit_that_is_not_surely_after_the_entry_says_nothing() -> None:
    assert speed(section(), 0, SECOND_US) is None
    assert speed(section(), 10 * SECOND_US, 0) is None


@given(
    length=st.floats(200, 50_000), off=st.floats(0, 50), clocks=st.tuples(st.integers(0, 2000), st.integers(0, 2000)),
    seconds=st.floats(10, 3600), errors=st.tuples(*[st.floats(-1, 1)] * 3),
)  # fmt: skip
def test_the_true_speed_lies_between_the_ends_whatever_the_errors_within_what_is_stated(
    length: float, off: float, clocks: tuple[int, int], seconds: float, errors: tuple[float, float, float]
) -> None:
    one = section(length_m=length, length_error_m=off, entry_clock_error_ms=clocks[0], exit_clock_error_ms=clocks[1])
    true = 3.6 * (length + errors[0] * off) / seconds
    entered, left = errors[1] * clocks[0] / 1000, seconds + errors[2] * clocks[1] / 1000
    found = speed(one, round(entered * SECOND_US), round(left * SECOND_US))
    if found is not None:
        assert found.low * 0.999 <= true <= found.high * 1.001
        assert found.low <= found.kmh <= found.high


def test_a_section_checks_itself() -> None:
    for more in ({"exit": "tg_a"}, {"length_m": 50}, {"limit_kmh": 300}, {"entry_clock_error_ms": -1}, {"name": " "}):
        with pytest.raises(InvalidError):
            replace(section(), **more)
