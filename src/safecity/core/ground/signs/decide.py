"""What a guidance sign is, what may stand on it, and which of its messages is shown. Pure."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from safecity.core.ground.access.api import Thing
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError
from safecity.kit.weburl import read_url
from safecity.protocols.signs import FAULTS, LEAST_KEY, MAX_COLUMNS, MAX_LINES, MOST_KEY

MAX_SIGNS: Final = 2_000
MAX_MESSAGES: Final = 50
"""Of one sign that have not ended."""
LONGEST_US: Final = 90 * 86_400 * SECOND_US
"""From now to the end of a message."""
MAX_REASON: Final = 500


class SignState(StrEnum):
    """How a sign is, as far as it says so: `waiting` until it was asked for the first time."""

    WAITING = "waiting"
    SHOWS = "shows"
    FAULT = "fault"
    SILENT = "silent"
    OFF = "off"

    @property
    def failed(self) -> bool:
        """Somebody should look at it."""
        return self in (SignState.FAULT, SignState.SILENT)


@dataclass(frozen=True, kw_only=True, slots=True)
class GuidanceSign:
    """Beside a road. `direction`: of the traffic that reads it, degrees from north. `lines` of `columns` letters each,
    a Chinese character takes two. `fallback` stands on it while there is no message; `language`: of suggestions."""

    id: str
    name: str
    address: str
    longitude: float
    latitude: float
    direction: int
    lines: int
    columns: int
    fallback: tuple[str, ...] = ()
    language: str = "zh"
    area: str | None = None
    area_path: str = "/"
    enabled: bool = True
    created_by: str = ""
    created_at: int = 0
    revision: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class SignMessage:
    """What somebody wants to stand on a sign from `start` until `end` (microseconds UTC). Priority 1 comes before 4;
    `cause`: the jam or closure that it is about."""

    id: str
    sign: str
    lines: tuple[str, ...]
    priority: int
    start: int
    end: int
    reason: str
    cause: str = ""
    set_by: str = ""
    set_at: int = 0
    withdrawn_by: str = ""
    withdrawn_at: int | None = None

    def in_force(self, at: int) -> bool:
        return self.withdrawn_at is None and self.start <= at < self.end


@dataclass(frozen=True, kw_only=True, slots=True)
class SignReport:
    """What a sign said last. `message` empty: its fallback. `since`: when it began to show that. `code`: of its fault,
    or why it is not heard. `at`: when this became so."""

    sign: str
    state: SignState
    code: str = ""
    message: str = ""
    lines: tuple[str, ...] = ()
    since: int | None = None
    at: int = 0


def thing_of(sign: GuidanceSign) -> Thing:
    """What decisions about it need."""
    return Thing("sign", sign.area_path, id=sign.id)


def wanted(messages: Iterable[SignMessage], at: int) -> SignMessage | None:
    """The message to be shown: the highest priority, of those the one that was set last; None: the fallback."""
    counting = [one for one in messages if one.in_force(at)]
    return min(counting, key=lambda one: (one.priority, -one.set_at, one.id), default=None)


def width(text: str) -> int:
    """Columns that a line takes: wide characters (UAX 11) take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def check_sign(sign: GuidanceSign) -> GuidanceSign:
    """InvalidError `sign_invalid` with the field that is wrong; as `check_lines` for its fallback."""
    _need(bool(sign.name.strip()) and len(sign.name) <= 100, "name")
    read_url(sign.address, "sign_address")
    _need(math.isfinite(sign.longitude) and -180 <= sign.longitude <= 180, "longitude")
    _need(math.isfinite(sign.latitude) and -85 <= sign.latitude <= 85, "latitude")
    _need(0 <= sign.direction < 360, "direction")
    _need(1 <= sign.lines <= MAX_LINES, "lines")
    _need(2 <= sign.columns <= MAX_COLUMNS, "columns")
    _need(sign.language in ("zh", "en"), "language")
    if sign.fallback:
        check_lines(sign, sign.fallback)
    return sign


def check_key(key: str) -> str:
    """InvalidError `sign_key` for one that is no secret, or that no file or keyboard would carry."""
    good = key.isascii() and key.isprintable() and " " not in key
    if not (good and LEAST_KEY <= len(key) <= MOST_KEY):
        raise InvalidError("no key", code="sign_key", params={"least": LEAST_KEY, "most": MOST_KEY})
    return key


def check_lines(sign: GuidanceSign, lines: Sequence[str]) -> tuple[str, ...]:
    """As they will stand there. InvalidError `sign_lines` (too many or none), `sign_width` with the line that does not
    fit, `sign_letters` for what is no letter."""
    cleaned = tuple(line.strip() for line in lines)
    if not any(cleaned) or len(cleaned) > sign.lines:
        raise InvalidError("lines", code="sign_lines", params={"limit": sign.lines})
    for number, line in enumerate(cleaned, 1):
        if any(unicodedata.category(letter)[0] == "C" for letter in line):
            raise InvalidError("letters", code="sign_letters", params={"line": number})
        if width(line) > sign.columns:
            raise InvalidError("too wide", code="sign_width", params={"line": number, "limit": sign.columns})
    return cleaned


def check_message(sign: GuidanceSign, message: SignMessage, now: int) -> SignMessage:
    """InvalidError `sign_message` with the field that is wrong; as `check_lines`."""
    check_lines(sign, message.lines)
    for good, field in (
        (1 <= message.priority <= 4, "priority"),
        (bool(message.reason.strip()) and len(message.reason) <= MAX_REASON, "reason"),
        (message.start < message.end and now < message.end <= now + LONGEST_US, "end"),
        (len(message.cause) <= 40, "cause"),
    ):
        if not good:
            raise InvalidError(f"{field}: not a value for it", code="sign_message", params={"field": field})
    return message


def readable(text: str) -> str:
    """What a sign said, with a mark for each letter that no screen or database would take."""
    return "".join("\ufffd" if unicodedata.category(letter)[0] == "C" else letter for letter in text)


def fault_code(fault: str) -> str:
    """In a code of the catalogue."""
    return "" if not fault else f"sign_fault_{fault if fault in FAULTS else 'other'}"


def _need(good: bool, name: str) -> None:
    if not good:
        raise InvalidError(f"{name}: not a value for it", code="sign_invalid", params={"field": name})
