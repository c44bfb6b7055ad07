"""Frozen structs to XML elements and back, told by the structs themselves.

A field's element name is made of its Python name (`civil_code` -> `CivilCode`, `device_id` -> `DeviceID`), unless
the struct names it. Reading is liberal (case, order, unknown elements, empty or broken numbers), writing is strict:
fields in order, what is None is left out.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import cache
from typing import Any, Final, TypeVar, Union, get_args, get_origin
from xml.etree.ElementTree import Element

import msgspec
from msgspec import Struct

from safecity.protocols.xmlsafe import add, key_of, text_of

_UPPER = {"id", "ip", "ptz", "svc", "ssvc", "svac", "mac", "url", "sd", "osd", "sn"}
Plain = Any
"""Plain data: str, or a dict or list of it. For elements nobody but the far side understands."""

T = TypeVar("T", bound=Struct)


def element_name(field: str) -> str:
    """The standard's spelling of a field name."""
    return "".join(word.upper() if word in _UPPER else word[:1].upper() + word[1:] for word in field.split("_"))


class Part(Struct, frozen=True, kw_only=True, rename=element_name):
    """Base of everything that is an element with elements in it."""


LIST_ITEM: Final[dict[str, str]] = {
    "CruiseTrackList": "CruiseTrack",
    "CruisePointList": "CruisePoint",
    "SnapShotList": "SnapShotFileID",
}
"""Lists whose members are not called `Item`."""
WITHOUT_NUM: Final = {"SnapShotList"}
MAX_TEXT: Final = 1024
"""Characters kept of one element; no field of the standard is near it."""

_Reader = Callable[[Element], Any]


class _Field:
    __slots__ = ("attribute", "is_list", "item", "name", "read")

    def __init__(self, attribute: str, name: str, annotation: Any) -> None:
        self.attribute = attribute
        self.name = name
        kind = _without_none(annotation)
        self.is_list = get_origin(kind) is tuple
        inner = get_args(kind)[0] if self.is_list else kind
        self.item = LIST_ITEM.get(name, "Item")
        self.read: _Reader = _reader(inner) if not self.is_list else _list_reader(inner, self.item)


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        return next(arm for arm in get_args(annotation) if arm is not type(None))
    return annotation


def _reader(kind: Any) -> _Reader:
    if kind is str:
        return _text
    if kind is int:
        return _integer
    if kind is float:
        return _number
    if kind is bool:
        return _truth
    if isinstance(kind, type) and issubclass(kind, Struct):
        return lambda node: read_part(kind, node)
    return to_plain


def _list_reader(inner: Any, item: str) -> _Reader:
    read = _reader(inner)
    keys = (item.lower(), "item")
    return lambda node: tuple(read(child) for child in node if key_of(child) in keys)


def _text(node: Element) -> str:
    return text_of(node)[:MAX_TEXT]


def _integer(node: Element) -> int | None:
    try:
        return int(node.text or "")
    except ValueError:
        number = _number(node)
        return None if number is None else int(number)


def _number(node: Element) -> float | None:
    try:
        number = float(node.text or "")
    except ValueError:
        return None
    return number if -1e15 < number < 1e15 else None


def _truth(node: Element) -> bool | None:
    word = text_of(node).lower()
    return True if word in ("1", "true", "on", "yes") else False if word in ("0", "false", "off", "no") else None


@cache
def _fields(kind: type[Struct]) -> dict[str, _Field]:
    fields = [_Field(field.name, field.encode_name, field.type) for field in msgspec.structs.fields(kind)]
    return {field.name: field for field in fields} | {field.name.lower(): field for field in fields}


@cache
def _ordered(kind: type[Struct]) -> tuple[_Field, ...]:
    return tuple(dict.fromkeys(_fields(kind).values()))


def read_part(kind: type[T], node: Element) -> T:
    """A struct of that kind. Of a repeated element the first with a value counts; nothing here is an error."""
    table = _fields(kind)
    values: dict[str, Any] = {}
    for child in node:
        field = table.get(child.tag) or table.get(key_of(child))
        if field is None or field.attribute in values:
            continue
        value = field.read(child)
        if value is not None and value != "":
            values[field.attribute] = value
    return kind(**values)


def write_part(part: Struct, node: Element) -> None:
    """Append the fields of the struct to the element."""
    for field in _ordered(type(part)):
        value = getattr(part, field.attribute)
        if value is not None:
            _append(node, field, value)


def _append(node: Element, field: _Field, value: Any) -> None:
    if not field.is_list:
        add_plain(node, field.name, value)
        return
    attributes = {} if field.name in WITHOUT_NUM else {"Num": str(len(value))}
    listed = add(node, field.name, "", attributes)
    for item in value:
        add_plain(listed, field.item, item)


def add_plain(node: Element, name: str, value: Plain) -> None:
    """Append an element with plain data, or a struct, in it."""
    if isinstance(value, Struct):
        write_part(value, add(node, name))
    elif isinstance(value, dict):
        inner = add(node, name)
        for key, item in value.items():  # pyright: ignore[reportUnknownVariableType]
            add_plain(inner, str(key), item)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list | tuple):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            add_plain(node, name, item)
    elif value is not None:
        add(node, name, write_scalar(value))


def write_scalar(value: str | int | float | bool) -> str:
    """Numbers without exponent and without needless zeros; truth as 1 and 0."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        text = f"{value:.9f}".rstrip("0").rstrip(".")
        return "0" if text in ("-0", "") else text
    return str(value)


def to_plain(node: Element) -> Plain:
    """Text of a leaf, a dict of the rest; elements that come more than once become a list, `Item`s always do."""
    if not len(node):
        return text_of(node)[:MAX_TEXT]
    found: dict[str, Any] = {}
    for child in node:
        value = to_plain(child)
        if key_of(child) == "item":
            found.setdefault(child.tag, []).append(value)
        elif child.tag not in found:
            found[child.tag] = value
        elif isinstance(found[child.tag], list):
            found[child.tag].append(value)
        else:
            found[child.tag] = [found[child.tag], value]
    return found
