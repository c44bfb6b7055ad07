"""What the API takes and answers. Times are RFC 3339 outside, microseconds inside; names are those of contracts.md."""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any, Generic, Literal, Protocol, TypeVar, cast

from fastapi import Header, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from safecity.kit.clock import parse_rfc3339, rfc3339
from safecity.kit.errors import InvalidError
from safecity.web.bodies import check_number, check_text

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
    Annotated[int, Field(ge=0, le=1 << 53)] | None,
    BeforeValidator(_read_moment),
    PlainSerializer(_write_moment),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}),
]
Text = Annotated[str, Field(max_length=200)]
Words = Annotated[str, Field(max_length=1000)]
Secret = Annotated[str, Field(max_length=256)]
Digests = Annotated[list[Literal["MD5", "SHA-256", "SM3"]], Field(max_length=3)]
ThingId = Annotated[str, Field(max_length=40)]
IfMatch = Annotated[str | None, Header(max_length=50)]
LanguageTag = Literal["zh-CN", "en"]
ClockSource = Literal["system", "ntp", "manual"]


def _plain(params: Any) -> Any:
    """What a sentence or an audit record was made of is only ever shown: whatever is not plain becomes its text."""
    if not isinstance(params, dict):
        return params
    known: dict[Any, Any] = params  # pyright: ignore[reportUnknownVariableType]
    return {k: v if v is None or isinstance(v, bool | int | float | str) else str(v) for k, v in known.items()}


Params = Annotated[dict[str, str | int | float | bool | None], BeforeValidator(_plain)]


def binary(*kinds: str) -> dict[str, Any]:
    """The content of an answer that is no JSON, for the description."""
    return {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}


JPEG: dict[int | str, dict[str, Any]] = {200: {"description": "A picture.", "content": binary("image/jpeg")}}


class Ask(BaseModel):
    """A body that comes in: unknown fields are refused, so that a typing error does not pass as a wish."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)

    def given(self) -> dict[str, Any]:
        """Only the fields that were sent."""
        return self.model_dump(exclude_unset=True)


class Answer(BaseModel):
    """A body that goes out: every field is always there, those with a default too."""

    model_config = ConfigDict(from_attributes=True, json_schema_serialization_defaults_required=True)


class Page(Answer, Generic[T]):
    """A part of a list; `next` asks for the following part and is opaque."""

    items: list[T]
    next: str | None = None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """`ChannelPage` of `ChannelOut`: the description of the API shows it."""
        return f"{params[0].__name__.removesuffix('Out')}Page"


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
    try:
        for value in found:
            check_text(value, "cursor") if isinstance(value, str) else check_number(value, "cursor")
    except InvalidError as error:
        raise bad from error
    return found


class Revised(Protocol):
    """What changes under a number."""

    revision: int


R = TypeVar("R", bound=Revised)


def tag(response: Response, answer: R) -> R:
    """With its ETag, to be sent back as If-Match with a change."""
    response.headers["ETag"] = f'"{answer.revision}"'
    return answer


def read_revision(if_match: str | None) -> int | None:
    """The revision of an If-Match header, None without one; InvalidError `etag_invalid`."""
    if not if_match or if_match.strip() == "*":
        return None
    digits = if_match.strip().removeprefix("W/").strip('"')
    if not digits.isascii() or not digits.isdigit() or len(digits) > 15:
        raise InvalidError("not one of our ETags", code="etag_invalid")
    return int(digits)
