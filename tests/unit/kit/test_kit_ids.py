"""Identifiers: what is shown is read again, sorts like the bytes do, and nothing else is an id."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.kit.errors import InvalidError
from safecity.kit.ids import fresh, new_id, packed, parse, show

numbers = st.integers(0, (1 << 128) - 1)


@given(numbers)
def test_what_is_shown_is_read_again(number: int) -> None:
    shown = show("ch", UUID(int=number))
    assert len(shown) == 29
    assert parse("ch", shown).int == number
    assert packed("ch", shown) == UUID(int=number).bytes


@given(numbers, numbers)
def test_ids_sort_like_their_bytes(one: int, other: int) -> None:
    assert (show("ch", UUID(int=one)) < show("ch", UUID(int=other))) == (one < other)


def test_ids_grow_and_keep_the_form_that_old_ones_have() -> None:
    ids = [new_id() for _ in range(2000)]
    assert ids == sorted(ids)
    assert {one.version for one in ids} == {7}
    assert show("ch", UUID("0190163d-8694-739b-aea5-966c26f8ad91")) == "ch_01j0b3v1mmeedtx9cpdgkfhbch"
    assert fresh("dv").startswith("dv_0")


@pytest.mark.parametrize(
    "text",
    [
        "", "ch", "ch_", "dv_" + "0" * 26, "ch_" + "0" * 25, "ch_" + "0" * 27, "ch_8" + "0" * 25,
        "ch_" + "0" * 26 + "\n", "ch_" + "0" * 25 + "u", "ch_" + "0" * 25 + "A", "ch_" + "0" * 25 + "\u0663",
        "ch_ " + "0" * 25, "ch_+" + "0" * 25, "ch__" + "0" * 25,
    ],
)  # fmt: skip
def test_nothing_else_is_an_id(text: str) -> None:
    for read in (parse, packed):
        with pytest.raises(InvalidError) as refused:
            read("ch", text)
        assert refused.value.code == "invalid_id"
