"""The bits of a message: six in each character of a payload (ITU-R M.1371-5, annex 8, table 47; IEC 61162-1), and the
forms that its fields have.

A field says how many bits it has, what number stands for "not available", and within which it is true. What is not
available is None; what lies outside is None too, and its reason is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Final

from safecity.kit.errors import InvalidError

_ARMOUR: Final = "0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVW`abcdefghijklmnopqrstuvw"
_VALUES: Final = {char: value for value, char in enumerate(_ARMOUR)}
_TEXT: Final = "@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_ !\"#$%&'()*+,-./0123456789:;<=>?"
_LETTERS: Final = {char: value for value, char in enumerate(_TEXT)}


@dataclass(frozen=True, slots=True)
class Bits:
    """`size` bits, the first of them the highest of `value`."""

    value: int = 0
    size: int = 0

    def __add__(self, other: Bits) -> Bits:
        return Bits(self.value << other.size | other.value, self.size + other.size)

    def take(self, at: int, size: int) -> int:
        """Unsigned; bits behind the end are 0."""
        shift = self.size - at - size
        found = self.value >> shift if shift >= 0 else self.value << -shift
        return found & ((1 << size) - 1)


def unarmour(payload: str, fill: int = 0) -> Bits:
    """Of a payload whose characters were checked."""
    value = 0
    for char in payload:
        value = value << 6 | _VALUES[char]
    size = max(0, 6 * len(payload) - fill)
    return Bits(value >> (6 * len(payload) - size), size)


def armour(bits: Bits) -> tuple[str, int]:
    """(payload, fill bits)."""
    fill = -bits.size % 6
    padded, count = bits.value << fill, (bits.size + fill) // 6
    return "".join(_ARMOUR[padded >> (6 * (count - 1 - at)) & 63] for at in range(count)), fill


class Form:
    """How one field is written down, in `size` bits."""

    size: int

    def read(self, raw: int) -> tuple[Any, bool]:
        """(value, whether it can be true)."""
        raise NotImplementedError

    def write(self, value: Any) -> int:
        """InvalidError for a value that does not fit."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Number(Form):
    """A number in steps of 1 / `parts`; `missing` stands for None. True from `low` to `high` (as written)."""

    size: int
    missing: int | None = None
    parts: int = 1
    signed: bool = False
    low: int | None = None
    high: int | None = None

    def read(self, raw: int) -> tuple[int | float | None, bool]:
        number = raw - (1 << self.size) if self.signed and raw >> (self.size - 1) else raw
        if number == self.missing:
            return None, True
        if (self.low is not None and number < self.low) or (self.high is not None and number > self.high):
            return None, False
        return (number if self.parts == 1 else number / self.parts), True

    def write(self, value: float | None) -> int:
        mask = (1 << self.size) - 1
        if value is None:
            if self.missing is None:
                raise InvalidError("a number is needed")
            return self.missing & mask
        number = round(value * self.parts)
        least = -(1 << (self.size - 1)) if self.signed else 0
        if not least <= number <= least + mask or self.read(number & mask)[0] is None:
            raise InvalidError(f"{value} does not fit into {self.size} bits")
        return number & mask


@dataclass(frozen=True, slots=True)
class Flag(Form):
    """One bit."""

    size: int = 1

    def read(self, raw: int) -> tuple[bool, bool]:
        return bool(raw), True

    def write(self, value: bool) -> int:
        return int(value)


@dataclass(frozen=True, slots=True)
class Letters(Form):
    """Text in letters of six bits (table 47); the first `@` ends it, blanks at its end are none of it. `size` in bits:
    a part of a letter at the end is none."""

    size: int

    def read(self, raw: int) -> tuple[str, bool]:
        count, spare = divmod(self.size, 6)
        text = "".join(_TEXT[raw >> (spare + 6 * (count - 1 - at)) & 63] for at in range(count))
        return text.partition("@")[0].rstrip(), True

    def write(self, value: str) -> int:
        count, spare = divmod(self.size, 6)
        text = value.upper()
        if len(text) > count or any(char not in _LETTERS for char in text):
            raise InvalidError(f"{value[:40]!r} is no text of {count} letters")
        raw = 0
        for char in text.ljust(count, "@"):
            raw = raw << 6 | _LETTERS[char]
        return raw << spare


@dataclass(frozen=True, slots=True)
class Spare(Form):
    """Bits that say nothing."""

    size: int

    def read(self, raw: int) -> tuple[None, bool]:
        return None, True

    def write(self, value: None) -> int:
        return 0


def bits(form: Form, *, before: int = 0, default: Any = None, doubt: str = "") -> Any:
    """A field of a message: its form, how many spare bits stand before it, and the reason where it cannot be true."""
    return field(default=default, metadata={"form": form, "before": before, "doubt": doubt})


@cache
def layout(kind: type[Any]) -> tuple[tuple[str, Form, int, str], ...]:
    """(field, form, first bit, reason) of a message's own fields, in order."""
    found: list[tuple[str, Form, int, str]] = []
    at = 0
    for one in fields(kind):
        if "form" in one.metadata:
            form: Form = one.metadata["form"]
            at += one.metadata["before"]
            found.append((one.name, form, at, one.metadata["doubt"]))
            at += form.size
    return tuple(found)


def read_fields(kind: type[Any], whole: Bits) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Values by field, and the reasons of those that cannot be true."""
    values: dict[str, Any] = {}
    doubts: list[str] = []
    for name, form, at, doubt in layout(kind):
        values[name], good = form.read(whole.take(at, form.size))
        if not good and doubt not in doubts:
            doubts.append(doubt)
    return values, tuple(doubts)


def write_fields(message: Any, size: int) -> Bits:
    """The bits of a message, filled up to `size`."""
    whole = Bits()
    for name, form, at, _ in layout(message.__class__):
        whole += Bits(0, at - whole.size)
        whole += Bits(form.write(getattr(message, name)), form.size)
    return whole + Bits(0, max(0, size - whole.size))


def joined(parts: Iterable[Bits]) -> Bits:
    """One after the other."""
    whole = Bits()
    for part in parts:
        whole += part
    return whole


def chunks(payload: str, size: int) -> Iterator[str]:
    """The payload in pieces of so many characters."""
    for at in range(0, len(payload), size):
        yield payload[at : at + size]
