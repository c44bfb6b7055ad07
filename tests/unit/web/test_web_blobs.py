"""Ranges of a download, as browsers and download tools ask for them."""

from __future__ import annotations

import pytest

from safecity.web.blobs import wanted


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("bytes=0-", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-500", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=100-", None),
        ("bytes=-0", None),
        ("bytes=20-10", (0, 100)),
        ("bytes=-", (0, 100)),
        ("bytes=0-1,5-6", (0, 100)),
        ("lines=1-2", (0, 100)),
        ("bytes=a-b", (0, 100)),
    ],
)
def test_a_range_header_is_read_as_the_standard_says(header: str, span: tuple[int, int] | None) -> None:
    assert wanted(header, 100) == span


def test_of_nothing_no_range_can_be_had() -> None:
    assert wanted("bytes=0-", 0) is None
