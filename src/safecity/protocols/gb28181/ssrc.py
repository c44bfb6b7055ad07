"""SSRC numbers as `y=` has them (GB/T 28181 annex F/G): kind digit, five digits of the domain, four of our own."""

from __future__ import annotations

from typing import Final

from safecity.kit.errors import ExhaustedError

LIVE: Final = 0
HISTORY: Final = 1
PER_KIND: Final = 10_000


class SsrcPool:
    """Numbers unique inside our domain. They rotate, so that a late packet of a closed stream meets no new one."""

    def __init__(self, domain: str, start: int = 0) -> None:
        digits = "".join(letter for letter in domain if letter.isdigit())
        self._middle = f"{digits[3:8]:0>5}"
        self._next = [start % PER_KIND, start % PER_KIND]
        self._used: tuple[set[int], set[int]] = (set(), set())

    def take(self, kind: int) -> int:
        """A free number; ExhaustedError (`ssrc_exhausted`) when all 10,000 of the kind are in use."""
        used = self._used[kind]
        if len(used) >= PER_KIND:
            raise ExhaustedError("all SSRC numbers are in use", code="ssrc_exhausted", params={"limit": PER_KIND})
        number = self._next[kind]
        while number in used:
            number = (number + 1) % PER_KIND
        used.add(number)
        self._next[kind] = (number + 1) % PER_KIND
        return int(f"{kind}{self._middle}{number:04d}")

    def claim(self, ssrc: int) -> None:
        """Mark a number that is in use already (after a restart). Foreign ones are left alone."""
        self._mark(ssrc, True)

    def give_back(self, ssrc: int) -> None:
        """Free again; foreign and unknown numbers are ignored."""
        self._mark(ssrc, False)

    def _mark(self, ssrc: int, used: bool) -> None:
        text = f"{ssrc:010d}"
        if text[0] not in "01" or text[1:6] != self._middle:
            return
        numbers = self._used[int(text[0])]
        (numbers.add if used else numbers.discard)(int(text[6:]))


def ssrc_text(ssrc: int) -> str:
    """Ten decimal digits."""
    return f"{ssrc:010d}"
