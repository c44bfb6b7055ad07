"""Which message stands on a sign, what fits on it, which signs stand before a trouble, and the words for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.core.ground.signs.ahead import AHEAD_METRES, Trouble, metres_ahead, standing_before
from safecity.core.ground.signs.decide import GuidanceSign, SignMessage, check_lines, wanted, width
from safecity.kit.errors import InvalidError
from safecity.web.texts.signs import warning

SIGN = GuidanceSign(
    id="gs_1", name="east gate", address="http://192.0.2.9/", longitude=118.37, latitude=31.33, direction=90,
    lines=2, columns=8,
)  # fmt: skip
DEGREE = 111_195 * 0.8542
"""Metres of a degree of longitude there."""


def message(name: str, **changes: object) -> SignMessage:
    values = {"id": name, "sign": "gs_1", "lines": (name,), "priority": 3, "start": 10, "end": 20, "reason": "x"}
    return SignMessage(**{**values, **changes})  # type: ignore[arg-type]


def shown(at: int, *messages: SignMessage) -> str:
    found = wanted(messages, at)
    return found.id if found else ""


def test_a_message_stands_there_from_its_start_until_just_before_its_end() -> None:
    one = message("a")
    assert [shown(at, one) for at in (9, 10, 19, 20)] == ["", "a", "a", ""]


def test_the_higher_priority_comes_first_and_of_the_same_the_one_set_last() -> None:
    low, high = message("low", priority=4, set_at=9), message("high", priority=1, set_at=1, end=15)
    assert [shown(at, low, high) for at in (12, 15)] == ["high", "low"]
    assert shown(12, message("old", set_at=1), message("new", set_at=2)) == "new"


def test_a_withdrawn_message_stands_nowhere() -> None:
    assert shown(12, message("a", withdrawn_at=11), message("b", priority=4)) == "b"


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9), st.integers(1, 9), st.integers(0, 9)), max_size=6),
       st.integers(0, 20))  # fmt: skip
def test_what_is_shown_is_in_force_and_nothing_in_force_ranks_higher_in_any_order(
    drawn: list[tuple[int, int, int, int]], at: int
) -> None:
    messages = [
        message(f"m{n}", priority=priority, start=start, end=start + lasts, set_at=set_at)
        for n, (priority, start, lasts, set_at) in enumerate(drawn)
    ]
    found = wanted(messages, at)
    counting = [one for one in messages if one.in_force(at)]
    assert wanted(reversed(messages), at) == found
    assert (found is None) == (not counting)
    if found is not None:
        assert found in counting
        assert all((found.priority, -found.set_at) <= (one.priority, -one.set_at) for one in counting)


def test_a_chinese_character_takes_two_columns() -> None:
    assert [width(text) for text in ("SLOW", "慢行", "前方1.2公里", "！", "")] == [4, 4, 11, 2, 0]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], "sign_lines"), (["", "  "], "sign_lines"), (["a", "b", "c"], "sign_lines"), (["123456789"], "sign_width"),
        (["前方拥堵1"], "sign_width"), (["a\nb"], "sign_letters"), (["a\u202eb"], "sign_letters"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_a_reason(lines: list[str], code: str) -> None:
    with pytest.raises(InvalidError) as refused:
        check_lines(SIGN, lines)
    assert refused.value.code == code


def test_what_fits_stands_there_without_blanks_around_it() -> None:
    assert check_lines(SIGN, ["  前方拥堵 ", ""]) == ("前方拥堵", "")


def trouble(*points: tuple[float, float], directed: bool = True) -> Trouble:
    """Metres east and north of the sign."""
    line = tuple((118.37 + x / DEGREE, 31.33 + y / 111_195) for x, y in points)
    return Trouble("jm_1", "jam", (line,), directed)


@pytest.mark.parametrize(
    ("points", "metres"),
    [
        (((1_000, 0), (2_000, 0)), 1_000),
        (((1_000, 600), (2_000, 600)), 1_166),  # the road bends
        (((-200, 0), (500, 0)), 0),  # it reaches past the sign
        (((2_000, 0), (1_000, 0)), None),  # the other carriageway
        (((-2_000, 0), (-1_000, 0)), None),  # behind
        (((100, 1_500), (200, 2_000)), None),  # aside
        (((AHEAD_METRES + 50, 0), (5_000, 0)), None),  # too far
    ],
)
def test_a_sign_stands_before_what_its_drivers_come_to(
    points: tuple[tuple[float, float], ...], metres: float | None
) -> None:
    found = metres_ahead(SIGN, trouble(*points))
    assert found is None if metres is None else found == pytest.approx(metres, abs=5)


def test_a_closure_of_both_directions_is_before_the_sign_whichever_way_it_was_drawn() -> None:
    assert metres_ahead(SIGN, trouble((2_000, 0), (1_000, 0), directed=False)) == pytest.approx(1_000, abs=5)
    assert metres_ahead(SIGN, trouble((800, 0))) == pytest.approx(800, abs=5)


def test_the_nearest_signs_are_named_first_and_not_all_of_a_city() -> None:
    signs = [replace(SIGN, id=f"gs_{n}", longitude=118.37 - 300 * n / DEGREE) for n in range(6)]
    found = standing_before(signs, trouble((500, 0), (900, 0)))
    assert [sign.id for sign, _ in found] == ["gs_0", "gs_1", "gs_2"]
    assert [round(metres, -1) for _, metres in found] == [500, 800, 1100]


@pytest.mark.parametrize(
    ("language", "lines", "columns", "said"),
    [
        ("zh", 2, 20, ("前方1.2公里拥堵", "请减速慢行")),
        ("zh", 2, 10, ("前方拥堵", "请减速慢行")),
        ("zh", 2, 8, ("前方拥堵",)),
        ("zh", 1, 4, ("拥堵",)),
        ("zh", 4, 3, ()),
        ("en", 2, 20, ("QUEUE IN 1.2 KM", "SLOW DOWN")),
        ("en", 1, 12, ("QUEUE AHEAD",)),
    ],
)
def test_a_sign_says_as_much_as_it_has_room_for(language: str, lines: int, columns: int, said: tuple[str, ...]) -> None:
    assert warning("jam", 1_230.0, language, lines, columns, width) == said
