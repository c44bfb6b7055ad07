"""Amounts of money are whole minor units of a currency: what a currency divides into (ISO 4217:2015, table A.1)."""

from __future__ import annotations

from typing import Final

_DIGITS: Final = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
         "XPF"), 0
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip


def minor_units(currency: str) -> int:
    """How many minor units are one of the currency; 100 where nothing else is known."""
    return 10 ** _DIGITS.get(currency, 2)
