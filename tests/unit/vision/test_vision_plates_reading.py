"""From the columns of the network to a text: spots, doubts, and what the rules of a country settle."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from safecity.vision.plates.alphabet import BLANK, COUNTRIES, KINDS, SIGN_INDEX, SIGNS, PlateKind
from safecity.vision.plates.grammar import BY_COUNTRY, CLASSES, fits
from safecity.vision.plates.reader import StripReading, find_spots, read_columns

COLUMNS = 40
ANY_KIND = np.full(len(KINDS), math.log(1 / len(KINDS)), np.float32)


def columns(*said: tuple[int, dict[str, float]]) -> NDArray[np.float32]:
    """Log-probabilities of blank everywhere but in the given columns, where signs have the given chances."""
    chance = np.full((COLUMNS, len(SIGNS) + 1), 1e-6)
    chance[:, BLANK] = 1.0
    for column, signs in said:
        chance[column] = 1e-6
        chance[column, BLANK] = max(1 - sum(signs.values()), 1e-6)
        for sign, share in signs.items():
            chance[column, SIGN_INDEX[sign]] = share
    return np.log(chance / chance.sum(1, keepdims=True)).astype(np.float32)


def row(text: str, sure: float = 0.99, doubts: dict[int, dict[str, float]] | None = None) -> NDArray[np.float32]:
    """Every sign in two columns, five apart; `doubts` replaces what is said at a place."""
    said: list[tuple[int, dict[str, float]]] = []
    for place, sign in enumerate(text):
        signs = (doubts or {}).get(place, {sign: sure})
        said += [(2 + 5 * place - (place > 6), signs), (3 + 5 * place - (place > 6), signs)]
    return columns(*said)


def kind(which: PlateKind) -> NDArray[np.float32]:
    chances = np.full(len(KINDS), 0.001, np.float32)
    chances[KINDS.index(which)] = 1 - chances.sum()
    return np.log(chances)


def read(signs: NDArray[np.float32], which: PlateKind | None = None, only: frozenset[str] = COUNTRIES) -> StripReading:
    reading = read_columns(signs, ANY_KIND if which is None else kind(which), only)
    assert reading is not None
    return reading


@pytest.mark.parametrize("text", ["皖A12B45", "粤BD12345", "京A1234警", "沪C123挂", "ABC1234", "BR4SP7X"])
def test_what_is_clearly_said_is_read(text: str) -> None:
    found = read(row(text))
    assert found.reading.text == text
    assert len(found.boxes) == len(text) == len(found.reading.confidences)
    assert all(left < right for left, right in found.boxes)
    assert [box[0] for box in found.boxes] == sorted(box[0] for box in found.boxes), "in reading order"
    assert min(found.reading.confidences) > 0.9


def test_an_empty_strip_is_no_plate() -> None:
    assert read_columns(columns(), ANY_KIND) is None


def test_a_network_that_gives_no_numbers_reads_nothing() -> None:
    assert read_columns(np.full((COLUMNS, len(SIGNS) + 1), np.nan, np.float32), ANY_KIND) is None


def test_more_marks_than_any_plate_has_signs_do_no_harm() -> None:
    noise = columns(*[(column, {"8": 0.5}) for column in range(0, COLUMNS, 3)])
    found = read(noise)
    assert 1 <= len(found.reading.text) <= 10
    assert len(found.boxes) == len(found.reading.text)


def test_a_chinese_serial_has_no_o_and_no_i() -> None:
    doubts = {3: {"O": 0.55, "0": 0.44}, 5: {"I": 0.6, "1": 0.39}}
    assert read(row("皖A10B15", doubts=doubts), PlateKind.CN_BLUE).reading.text == "皖A10B15"


def test_the_same_doubt_on_a_plate_abroad_stays_with_what_was_seen() -> None:
    found = read(row("XO12ABC", doubts={1: {"O": 0.9, "0": 0.09}}), PlateKind.EU)
    assert found.reading.text == "XO12ABC"


def test_a_brazilian_plate_has_letters_first() -> None:
    doubts = {0: {"0": 0.6, "O": 0.39}, 4: {"B": 0.5, "8": 0.49}}
    assert read(row("OLA1823", doubts=doubts), PlateKind.BR_GREY).reading.text == "OLA1823"


def test_what_no_rule_allows_is_still_reported_but_fits_no_pattern() -> None:
    found = read(row("A皖1C港5"), PlateKind.CN_BLUE)
    assert found.reading.text == "A皖1C港5"
    assert found.reading.pattern is None


def test_the_edge_of_a_european_strip_is_not_read_as_a_sign() -> None:
    """A blue strip with its ring of stars looks like a province to the network."""
    text = "京RK857AL"
    found = read(row(text, doubts={0: {"京": 0.9, "甘": 0.05}}), PlateKind.EU)
    assert found.reading.text == "RK857AL"


def test_a_faint_sign_counts_when_the_plate_would_be_too_short_without_it() -> None:
    faint = row("皖A12345", doubts={4: {"3": 0.4}})
    assert read(faint, PlateKind.CN_BLUE).reading.text == "皖A12345"


def test_a_faint_mark_does_not_count_when_the_plate_is_whole_without_it() -> None:
    marked = row("皖A123456", doubts={7: {"1": 0.3}, 8: {"6": 0.001}})
    assert read(marked, PlateKind.CN_BLUE).reading.text == "皖A12345"


def test_two_opinions_about_one_sign_are_one_sign() -> None:
    said = columns((10, {"1": 0.9}), (11, {"I": 0.8}), (20, {"7": 0.99}))
    spots = find_spots(said)
    assert [(spot.start, spot.end) for spot in spots] == [(10, 12), (20, 21)]
    assert set(np.argsort(-spots[0].signs)[:2]) == {SIGN_INDEX["1"], SIGN_INDEX["I"]}


def test_the_same_sign_twice_is_two_signs() -> None:
    assert read(row("ABB1188")).reading.text == "ABB1188"


def test_a_sure_reading_has_more_confidence_than_a_doubtful_one() -> None:
    sure = read(row("ABC1234", sure=0.99)).reading.confidences
    unsure = read(row("ABC1234", doubts={4: {"2": 0.5, "Z": 0.2, "7": 0.28}})).reading.confidences
    assert unsure[4] < 0.6 < sure[4]


def test_other_readings_are_named() -> None:
    found = read(row("皖A12B45", doubts={4: {"3": 0.6, "8": 0.39}}), PlateKind.CN_BLUE)
    assert found.reading.text == "皖A12345"
    assert len(found.others) == len({other.text for other in found.others} - {"皖A12345"}), "each once, none the best"


def test_told_the_country_it_looks_for_no_other() -> None:
    text = "ABC1234"
    assert read(row(text), PlateKind.EU, frozenset({"br"})).reading.kind.country == "br"
    assert read(row(text), PlateKind.EU).reading.kind.country == "eu"


@pytest.mark.parametrize(
    ("text", "country", "fine"),
    [
        ("皖A12B45", "cn", True),
        ("粤BD12345", "cn", True),
        ("粤B12345D", "cn", True),
        ("皖AI2345", "cn", False),
        ("皖O12345", "cn", False),
        ("粤BX12345", "cn", False),
        ("粤Z1234港", "cn", True),
        ("皖Z1234港", "cn", False),
        ("014578使", "cn", True),
        ("A14578使", "cn", False),
        ("ABC1234", "br", True),
        ("ABC1D23", "br", True),
        ("AB12345", "br", False),
    ],
)
def test_the_rules_of_writing(text: str, country: str, fine: bool) -> None:
    assert fits(text, country) is fine


def test_every_pattern_speaks_of_signs_that_the_reader_knows() -> None:
    for patterns in BY_COUNTRY.values():
        for pattern in patterns:
            for name in pattern.classes:
                assert set(CLASSES.get(name, name)) <= set(SIGNS), pattern


def test_no_sign_stands_twice_in_the_alphabet() -> None:
    assert len(SIGN_INDEX) == len(SIGNS) == 31 + 14 + 26 + 10
