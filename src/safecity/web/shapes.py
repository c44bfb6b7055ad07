"""What the API takes and answers. Times are RFC 3339 outside, microseconds inside; names are those of contracts.md."""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any, Generic, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from safecity.kit.clock import parse_rfc3339, rfc3339
from safecity.kit.errors import InvalidError

T = TypeVar("T")


def _read_moment(value: Any) -> Any:
    if isinstance(value, str):
        # Digits alone are microseconds, as the answers whose names end in `_us` have them.
        digits = value.isascii() and value.isdigit() and len(value) > 8
        return int(value[:20]) if digits else parse_rfc3339(value)
    return value


def _write_moment(value: int | None) -> str | None:
    return None if value is None else rfc3339(value)


_MOMENT_SCHEMA = WithJsonSchema({"type": "string", "format": "date-time"})
Moment = Annotated[
    int, BeforeValidator(_read_moment), Field(ge=0, le=1 << 53), PlainSerializer(_write_moment), _MOMENT_SCHEMA
]
OptionalMoment = Annotated[
    int | None,
    BeforeValidator(_read_moment),
    PlainSerializer(_write_moment),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}),
]
Text = Annotated[str, Field(max_length=200)]
Words = Annotated[str, Field(max_length=1000)]
Secret = Annotated[str, Field(max_length=256)]
ThingId = Annotated[str, Field(max_length=40)]


class Ask(BaseModel):
    """A body that comes in: unknown fields are refused, so that a typing error does not pass as a wish."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)

    def given(self) -> dict[str, Any]:
        """Only the fields that were sent."""
        return self.model_dump(exclude_unset=True)


class Answer(BaseModel):
    """A body that goes out."""

    model_config = ConfigDict(from_attributes=True)


class Page(Answer, Generic[T]):
    """A part of a list; `next` asks for the following part and is opaque."""

    items: list[T]
    next: str | None = None


def write_cursor(*place: Any) -> str:
    """Opaque text of a place in a list."""
    return base64.urlsafe_b64encode(json.dumps(place, ensure_ascii=False).encode()).rstrip(b"=").decode()


def read_cursor(text: str, *kinds: type) -> tuple[Any, ...] | None:
    """The place, None for an empty text; InvalidError `cursor_invalid` for what no list of ours gave."""
    if not text:
        return None
    bad = InvalidError("not a cursor", code="cursor_invalid")
    try:
        place: Any = json.loads(base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except ValueError as error:
        raise bad from error
    if not isinstance(place, list) or len(place) != len(kinds):  # pyright: ignore[reportUnknownArgumentType]
        raise bad
    found = tuple(cast("list[Any]", place))
    if any(type(value) is not kind for value, kind in zip(found, kinds, strict=True)):
        raise bad
    return found


def read_revision(if_match: str | None) -> int | None:
    """The revision of an If-Match header, None without one; InvalidError `etag_invalid`."""
    if not if_match or if_match.strip() == "*":
        return None
    digits = if_match.strip().removeprefix("W/").strip('"')
    if not digits.isascii() or not digits.isdigit() or len(digits) > 15:
        raise InvalidError("not one of our ETags", code="etag_invalid")
    return int(digits)
