"""Tables as text (RFC 4180), safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

BOM: Final = "\ufeff"
"""Without it spreadsheets take Chinese for something else."""


def line(values: Iterable[Any]) -> str:
    """One row with its end. What begins like a formula is marked as text: names and plates come from strangers."""
    return ",".join(_cell(value) for value in values) + "\r\n"


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r"):
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\r\n') else text
