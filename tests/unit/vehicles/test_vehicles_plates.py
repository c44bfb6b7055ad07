"""What fits a plate: letters, wildcards, and characters that readers confuse; in the matrix as in a single text."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.core.ground.passages.api import NEAR, near_misses
from safecity.core.ground.vehicles.matrix import BLOCK, PlateMatrix
from safecity.core.ground.vehicles.pattern import Pattern, read_pattern
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError


def pattern(text: str, *, near: bool = False) -> Pattern:
    made = read_pattern(text, near=near)
    assert made is not None
    return made


def add(matrix: PlateMatrix, plates: Iterable[str]) -> int:
    return matrix.add((plate, 0) for plate in plates)


def found_in(matrix: PlateMatrix, wanted: Pattern, most: int = 10_000) -> dict[str, float]:
    listed = matrix.find(wanted, most)
    assert listed.rest is None, "nothing was left out"
    return {one.plate: one.cost for one in listed.plates}


@pytest.fixture
def matrix(tmp_path: Path) -> Iterator[PlateMatrix]:
    made = PlateMatrix(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("wanted", "plate", "fits"),
    [
        ("皖a·12b45", "皖A12B45", True),
        ("皖A12B4", "皖A12B45", False),
        ("皖A1?B4?", "皖A12B45", True),
        ("?A12B45", "皖A12B45", True),
        ("*B45", "皖A12B45", True),
        ("皖*45", "皖A12B45", True),
        ("皖A12*B45", "皖A12B45", True),
        ("皖A12B*B45", "皖A12B45", False),
        ("*12*4*", "皖A12B45", True),
        ("*2B*12*", "皖A12B45", False),
        ("*1?B*", "皖A12B45", True),
        ("*?*", "皖", True),
        ("皖A1?B4?", "皖A1?B4?", True),
        ("皖A12B45", "皖A12845", False),
    ],
)
def test_letters_and_wildcards(wanted: str, plate: str, fits: bool, matrix: PlateMatrix) -> None:
    assert pattern(wanted).fits(plate) is fits
    add(matrix, [plate, "京A00000"])
    assert (plate in found_in(matrix, pattern(wanted))) is fits


def test_nothing_asked_of_the_plate_is_no_pattern_and_a_wild_one_is_refused() -> None:
    assert read_pattern("") is read_pattern(" ** ") is read_pattern("·-") is None
    assert pattern("A***B") == pattern("A*B")
    for wild in ("A*B*C*D*E", "A" * 21):
        with pytest.raises(InvalidError) as refused:
            read_pattern(wild)
        assert refused.value.code == "plate_pattern"


def test_near_misses_are_found_with_what_they_cost_and_no_others(matrix: PlateMatrix) -> None:
    add(matrix, ["皖A12B45", "皖A12845", "皖A128S5", "皖AL2B45", "皖A12B4?", "皖A12C45", "皖A12B4", "皖B12B45"])
    assert found_in(matrix, pattern("皖A12B45", near=True)) == {
        "皖A12B45": 0.0,
        "皖A12845": 0.15,
        "皖A12B4?": 0.2,
        "皖AL2B45": 0.25,
    }
    assert found_in(matrix, pattern("皖A12B45")) == {"皖A12B45": 0.0}
    assert set(found_in(matrix, pattern("皖A*8?5", near=True))) == {
        "皖A12B45", "皖A12845", "皖A128S5", "皖AL2B45", "皖A12B4?",
    }  # fmt: skip


def test_the_plate_that_is_watched_is_told_from_what_was_misread() -> None:
    read = ["皖A12B45", "皖A12845", "皖AI2B45", "皖A12C45", "皖A12B4"]
    assert near_misses("皖A12B45", read) == [("皖AI2B45", 0.05), ("皖A12845", 0.15)]


def test_a_plate_comes_in_once_and_the_matrix_grows_over_its_blocks(matrix: PlateMatrix) -> None:
    dice = Random(7)
    plates = sorted({f"皖{dice.choice('ABCD')}{dice.randrange(100_000):05d}" for _ in range(BLOCK + 20_000)})
    dice.shuffle(plates)
    assert add(matrix, plates) == len(plates) == len(matrix)
    assert add(matrix, plates[:1000]) == add(matrix, ["", "x" * 21]) == 0
    assert [matrix.plate(row) for row in (0, BLOCK, len(plates) - 1)] == [plates[0], plates[BLOCK], plates[-1]]
    wanted = pattern("皖B1?2*7")
    found = found_in(matrix, wanted)
    assert sorted(found) == sorted(plate for plate in plates if wanted.fits(plate))
    assert len(found) > 10


def test_of_many_that_fit_those_that_were_seen_last_are_told_and_how_old_the_others_are(matrix: PlateMatrix) -> None:
    plates = [f"皖A{number:05d}" for number in range(BLOCK + 500)]
    order = list(range(len(plates)))
    Random(3).shuffle(order)
    matrix.add((plates[number], number * SECOND_US) for number in order)
    matrix.add([(plates[7], (BLOCK + 900) * SECOND_US - 1), (plates[BLOCK + 3], 5)])  # seen again, and told late
    listed = matrix.find(pattern("皖A*"), 100)
    newest = [7, *range(BLOCK + 499, BLOCK + 400, -1)]
    assert [one.plate for one in listed.plates] == [plates[number] for number in newest]
    assert [one.seen // SECOND_US for one in listed.plates[:2]] == [BLOCK + 900, BLOCK + 499]
    assert listed.rest == (BLOCK + 400) * SECOND_US
    assert matrix.find(pattern("皖A0001?"), 10).rest is None


def test_characters_beyond_two_hundred_different_ones_are_found_too(matrix: PlateMatrix) -> None:
    plates = [f"{chr(0x4E00 + number)}A{number:05d}" for number in range(400)]
    add(matrix, plates)
    for number in (0, 200, 300, 399):
        assert found_in(matrix, pattern(plates[number])) == {plates[number]: 0.0}
        assert found_in(matrix, pattern(f"{plates[number][0]}*")) == {plates[number]: 0.0}
    assert found_in(matrix, pattern("鑫*")) == {}


def test_the_file_goes_with_the_process_and_leftovers_of_a_dead_one_are_no_data(tmp_path: Path) -> None:
    made = PlateMatrix(tmp_path)
    add(made, ["皖A12345"])
    assert list(tmp_path.iterdir()) == []
    made.close()


_LETTERS = st.sampled_from("皖AB8015S?")
_WISH = st.text(st.sampled_from("皖AB8015S?*"), min_size=1, max_size=8)


@given(st.lists(st.text(_LETTERS, min_size=1, max_size=7), max_size=40), _WISH, st.booleans())
def test_the_matrix_says_what_the_pattern_says_of_each_text(plates: list[str], wish: str, near: bool) -> None:
    try:
        wanted = read_pattern(wish, near=near)
    except InvalidError:
        return
    if wanted is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        matrix = PlateMatrix(Path(folder))
        add(matrix, plates)
        found = found_in(matrix, wanted)
        matrix.close()
    assert found == {plate: wanted.distance(plate) for plate in plates if wanted.fits(plate)}
    assert all(price <= NEAR for price in found.values())
