"""Ten thousand watches held against a plate at once find exactly what each of them would find alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from safecity.core.ground.passages.api import NEAR, cost
from safecity.core.ground.vehicles.api import read_pattern
from safecity.core.upper.watches.api import Looked, WatchIndex, differs

SIGNS = "皖AB8O0D1I5S2Z"
plates = st.text(alphabet=SIGNS + "?", min_size=1, max_size=8)
patterns = st.text(alphabet=SIGNS + "??*", min_size=1, max_size=9).filter(
    lambda text: text.count("*") <= 3 and read_pattern(text) is not None
)


def looked(name: str, text: str, near: bool) -> Looked:
    pattern = read_pattern(text)
    assert pattern is not None
    return Looked(name, pattern, near)


@given(st.lists(st.tuples(patterns, st.booleans()), max_size=12), plates)
def test_all_at_once_find_what_each_would_find_alone(asked: list[tuple[str, bool]], plate: str) -> None:
    index = WatchIndex()
    rows = [looked(f"wa_{number:02}", text, near) for number, (text, near) in enumerate(asked)]
    for row in rows:
        index.put(row)
    alone = {row.watch: differs(row.pattern, plate, near=row.near) for row in rows}
    wanted = {name: (at is None) for name, (fits, at) in alone.items() if fits} if plate.strip("?") else {}
    assert {match.watch: match.differs is None for match in index.find(plate)} == wanted


@given(st.text(alphabet=SIGNS, min_size=3, max_size=8), plates)
def test_a_near_miss_is_one_character_that_readers_take_for_another(wanted: str, read: str) -> None:
    pattern = read_pattern(wanted)
    assert pattern is not None
    fits, at = differs(pattern, read, near=True)
    wrong = [place for place, pair in enumerate(zip(wanted, read, strict=False)) if pair[0] != pair[1]]
    same_length = len(wanted) == len(read)
    assert fits == (same_length and (not wrong or (len(wrong) == 1 and cost(wanted[wrong[0]], read[wrong[0]]) <= NEAR)))
    assert at == (wrong[0] if fits and wrong else None)


@given(patterns, plates, st.booleans())
def test_what_fits_to_the_letter_is_never_called_a_near_miss(text: str, plate: str, near: bool) -> None:
    pattern = read_pattern(text)
    assert pattern is not None
    assert (differs(pattern, plate, near=near) == (True, None)) == pattern.fits(plate)


def test_a_watch_that_is_dropped_is_found_no_more() -> None:
    index = WatchIndex()
    for name, text in (("wa_1", "皖A12345"), ("wa_2", "皖A?2345"), ("wa_3", "*345"), ("wa_4", "皖*345")):
        index.put(looked(name, text, near=False))
    assert [match.watch for match in index.find("皖A12345")] == ["wa_1", "wa_2", "wa_3", "wa_4"]
    for name in ("wa_1", "wa_3", "wa_nobody"):
        index.drop(name)
    assert [match.watch for match in index.find("皖A12345")] == ["wa_2", "wa_4"]
    assert len(index) == 2
