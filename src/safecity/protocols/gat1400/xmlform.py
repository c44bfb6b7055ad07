"""The XML form of bodies (GA/T 1400.4, chapter 8), read as what the JSON form would hold; it is never written.

Elements become fields by their own names, without prefix and attributes, and such that come more than once a list. All
values are texts, which the reader of objects takes for numbers, too.
"""

from __future__ import annotations

from typing import Any, Final
from xml.etree.ElementTree import Element

from safecity.protocols.xmlsafe import read_xml, text_of

MAX_BYTES: Final = 32 << 20
"""Pictures are in it, in base64."""


def read_form(data: bytes) -> dict[str, Any]:
    """InvalidError `xml_...` for what is no XML, or is dangerous."""
    root = read_xml(data, max_bytes=MAX_BYTES)
    return {_name(root): _value(root)}


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
