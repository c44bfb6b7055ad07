"""Messages as plain data, by the names of their fields: for those that people ask a terminal by the standard.

Bytes are hexadecimal digits, parts are objects, lists are lists. What a terminal tells in a list that has no end is cut
after `MOST`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Final, cast

from safecity.kit.errors import InvalidError
from safecity.protocols.jt808.messages import BODIES, AnyBody, Raw
from safecity.protocols.jt808.wire import Blob, Body, Digits, Fixed, Kind, Many, Nested, Number, Part, Text

MOST: Final = 2_000
_TEXT: Final = 2_000


def body_from(message: int, given: Mapping[str, Any]) -> Body:
    """The message with that id. InvalidError `terminal_field` with the name of the field that is no value for it, is
    missing, or is none of the message's."""
    kind = BODIES.get(message)
    if kind is None:
        raise InvalidError("no such message", code="terminal_message", params={"message": f"{message:04x}"})
    return cast("Body", _part(kind, given))


def plain(body: AnyBody) -> dict[str, Any]:
    """The fields of a message, without what is empty behind its last one."""
    if isinstance(body, Raw):
        return {"data": body.data.hex()}
    told = cast("dict[str, Any]", _plain(body))
    if not told.get("tail"):
        told.pop("tail", None)
    return told


def _plain(value: object) -> Any:
    match value:
        case Part():
            return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
        case bytes():
            return value.hex()
        case tuple():
            several = cast("tuple[object, ...]", value)
            return [_plain(one) for one in several[:MOST]]
        case _:
            return value


def _part(kind: type[Part], given: Mapping[str, Any]) -> Part:
    forms = {one.name: one.metadata["wire"].kind for one in fields(kind) if "wire" in one.metadata}
    for name in given:
        if name not in forms:
            raise _bad(name)
    for one in fields(kind):
        if one.name in forms and one.name not in given and one.default is MISSING:
            raise _bad(one.name)
    return kind(**{name: _value(name, forms[name], value) for name, value in given.items()})


def _value(name: str, kind: Kind, value: Any) -> Any:
    match kind:
        case Number() if isinstance(value, int) and not isinstance(value, bool):
            return value
        case Digits() | Fixed() | Text() if isinstance(value, str) and len(value) <= _TEXT:
            return value
        case Blob() if isinstance(value, str) and len(value) <= _TEXT:
            try:
                return bytes.fromhex(value)
            except ValueError:
                raise _bad(name) from None
        case Many() if isinstance(value, list):
            several = cast("list[Any]", value)
            if len(several) > MOST:
                raise _bad(name)
            return tuple(_value(name, kind.of, one) for one in several)
        case Nested() if isinstance(value, Mapping):
            return _part(kind.of, cast("Mapping[str, Any]", value))
        case _:
            raise _bad(name)


def _bad(name: str) -> InvalidError:
    return InvalidError(f"{name[:40]}: not a value for it", code="terminal_field", params={"field": name[:40]})
