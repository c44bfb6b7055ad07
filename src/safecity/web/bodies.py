"""What a JSON body may hold at all, before any field is looked at: numbers that are numbers, texts that are texts.

Python reads `NaN`, half of a surrogate pair and numbers of a thousand digits without a word, and each of them fails
somewhere deep inside: in the database, in an answer, in a comparison. They are refused at the door instead.
"""

from __future__ import annotations

import json
import math
from typing import Any, cast

from fastapi import Request

from safecity.kit.errors import InvalidError

MAX_DEPTH = 32
"""Lists and objects inside one another."""
MAX_NUMBER = 9_223_372_036_854_775_807
"""What a column of the database holds."""
_FIELD = 64


class PlainRequest(Request):
    """A request whose JSON body was looked through."""

    async def json(self) -> Any:
        """The body; ValueError for what is no JSON, InvalidError for what no field takes."""
        if not hasattr(self, "_read"):
            self._read = read(await self.body())
        return self._read


def read(body: bytes) -> Any:
    """The value. InvalidError `number_invalid`, `text_invalid` or `too_deep`, ValueError for what is no JSON."""
    try:
        value = json.loads(body)
    except RecursionError:
        raise _too_deep() from None
    _look(value, "", 0)
    return value


def _look(value: Any, field: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _too_deep()
    match value:
        case bool() | None:
            return
        case str():
            check_text(value, field)
        case float() | int():
            check_number(value, field)
        case list():
            for one in cast("list[Any]", value):
                _look(one, field, depth + 1)
        case _:
            for name, one in cast("dict[str, Any]", value).items():
                check_text(name, field)
                _look(one, f"{field}.{name[:_FIELD]}" if field else name[:_FIELD], depth + 1)


def check_number(value: float, field: str) -> None:
    """InvalidError for what is not finite, or a whole number too large to be kept."""
    whole = isinstance(value, int)
    if (whole and not -MAX_NUMBER <= value <= MAX_NUMBER) or (not whole and not math.isfinite(value)):
        raise InvalidError("not a number", code="number_invalid", params={"field": field[:200]})


def check_text(value: str, field: str) -> None:
    """InvalidError for a zero byte, which databases end a text at, and for what cannot be written as UTF-8."""
    if "\0" in value or not _encodes(value):
        raise InvalidError("not a text", code="text_invalid", params={"field": field[:200]})


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _too_deep() -> InvalidError:
    return InvalidError("too deep", code="too_deep", params={"limit": MAX_DEPTH})
