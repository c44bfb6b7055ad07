"""The XML form of bodies (GA/T 1400.4, chapter 8), read as what the JSON form would hold, and written for libraries
below us that want it so.

Elements become fields by their own names, without prefix and attributes, and such that come more than once a list. All
values are texts, which the reader of objects takes for numbers, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast
from xml.etree.ElementTree import Element

from safecity.protocols.xmlsafe import add, read_xml, text_of, write_xml

CONTENT_TYPE: Final = "application/VIID+XML;charset=UTF-8"
MAX_BYTES: Final = 32 << 20
"""Pictures are in it, in base64."""


def read_form(data: bytes) -> dict[str, Any]:
    """InvalidError `xml_...` for what is no XML, or is dangerous."""
    root = read_xml(data, max_bytes=MAX_BYTES)
    return {_name(root): _value(root)}


def write_form(value: Mapping[str, Any]) -> bytes:
    """UTF-8 of what the JSON form holds: fields as elements, an entry of a list as an element of its own. ValueError
    for more than one field at the top, which XML has no room for."""
    ((name, inside),) = value.items()
    root = Element(name)
    _fill(root, inside)
    return write_xml(root, "UTF-8")


def _fill(element: Element, value: Any) -> None:
    if not isinstance(value, Mapping):
        element.text = "" if value is None else str(value)
        return
    for name, inside in cast("Mapping[str, Any]", value).items():
        for one in cast("list[Any]", inside) if isinstance(inside, list) else [inside]:
            _fill(add(element, name), one)


def _value(element: Element) -> Any:
    if not len(element):
        return text_of(element)
    found: dict[str, Any] = {}
    for child in element:
        name, value = _name(child), _value(child)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2].rpartition(":")[2]
