"""The class of a plate, from its look and its words (GA 36-2018, GA/T 16.7)."""

import pytest

from safecity.core.ground.passages.plateclass import plate_class


@pytest.mark.parametrize(
    ("kind", "plate", "code"),
    [
        ("cn_blue", "皖B12345", "02"),
        ("cn_yellow", "皖B12345", "01"),
        ("cn_yellow", "皖B1234挂", "15"),
        ("cn_yellow", "皖B1234学", "16"),
        ("cn_green", "皖BD12345", "52"),
        ("cn_green_large", "皖B12345D", "51"),
        ("cn_white", "皖B1234警", "23"),
        ("cn_white", "WJ皖1234X", "31"),
        ("cn_white", "VA12345", "32"),
        ("cn_black", "粤Z1234港", "26"),
        ("cn_black", "粤Z1234澳", "27"),
        ("cn_black", "皖B1234领", "04"),
        ("cn_black", "123456使", "03"),
        ("cn_black", "京A12345", "06"),
    ],
)
def test_what_is_written_counts_before_what_the_plate_looks_like(kind: str, plate: str, code: str) -> None:
    assert plate_class(kind, plate) == code


@pytest.mark.parametrize(
    ("kind", "plate"),
    [("eu", "BAB123"), ("br_mercosur", "ABC1D23"), ("", ""), ("cn_white", ""), ("cn_white", "皖B12345")],
)
def test_where_neither_says_it_nothing_is_guessed(kind: str, plate: str) -> None:
    assert plate_class(kind, plate) == ""
