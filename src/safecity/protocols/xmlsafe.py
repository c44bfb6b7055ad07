"""The one XML reader for bytes from outside, and a strict writer.

Devices write XML badly: GB2312 declared over UTF-8 bytes, one broken byte in a name, a lost end tag, a bare `&`.
None of that may drop a message, and none of the known attacks may work: there are no DTDs, no entities but the five
predefined ones, a limit on size, depth and number of elements.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from xml.etree.ElementTree import XML, Element, ParseError

from safecity.kit.errors import InvalidError

MAX_BYTES: Final = 8 * 1024 * 1024
"""A catalogue of 10,000 items in one message (GB/T 28181-2022, annex M) fits."""
MAX_DEPTH: Final = 64
MAX_ELEMENTS: Final = 600_000
MAX_MISFITS: Final = 200
"""End tags that end nothing, in one document: beyond it nobody tried to write XML."""

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DECLARATION = re.compile(r"\s*<\?xml[^<>]*\?>\s*", re.IGNORECASE)
_DECLARED_UTF8 = re.compile(rb"encoding\s*=\s*[\"']utf-?8", re.IGNORECASE)
_DTD = re.compile(r"<!(?!--|\[CDATA\[)")
_TOKEN = re.compile(r"<!\[CDATA\[|<!--|<[^<>]*>")
_ATTRIBUTE = re.compile(r"""([^\s=<>"'/]+)\s*=\s*("[^"]*"|'[^']*'|[^\s"'<>]+)""")
_REFERENCE = re.compile(r"&(#x[0-9a-fA-F]{1,6}|#[0-9]{1,7}|amp|lt|gt|quot|apos);")
_PREDEFINED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


def key_of(element: Element) -> str:
    """The name in lower case, without prefix or namespace."""
    return element.tag.rpartition("}")[2].rpartition(":")[2].lower()


def text_of(element: Element) -> str:
    """Its own text without outer whitespace."""
    text = element.text
    return text.strip() if text else ""


def find(element: Element, name: str) -> Element | None:
    """The first child of that name, whatever its case."""
    key = name.lower()
    for child in element:
        if child.tag == name or key_of(child) == key:
            return child
    return None


def value(element: Element, name: str, default: str = "") -> str:
    """The text of the first child of that name."""
    child = find(element, name)
    return default if child is None else text_of(child)


def add(parent: Element, name: str, text: str = "", attributes: Mapping[str, str] | None = None) -> Element:
    """Append a child and return it."""
    child = Element(name, dict(attributes or {}))
    child.text = text
    parent.append(child)
    return child


class _Lenient:
    """Builds a tree from tags that may not fit together."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._stack: list[Element] = []
        self._text: list[str] = []
        self._misfits = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if len(self._stack) >= MAX_DEPTH:
            raise _refused("xml_too_deep")
        self._flush()
        element = Element(name, dict(attributes))
        if self._stack:
            self._stack[-1].append(element)
        else:
            self.root = element
        self._stack.append(element)

    def end(self) -> None:
        self._flush()
        self._stack.pop()

    def data(self, text: str) -> None:
        self._text.append(text)

    def _flush(self) -> None:
        if self._stack and not len(self._stack[-1]) and self._text:
            element = self._stack[-1]
            element.text = (element.text or "") + "".join(self._text)
        self._text.clear()

    def close(self, name: str) -> None:
        """End tag that may not fit: close up to the nearest element of that name, or ignore it."""
        key = name.rpartition(":")[2].lower()
        for depth in range(len(self._stack) - 1, -1, -1):
            if key_of(self._stack[depth]) == key:
                while len(self._stack) > depth:
                    self.end()
                return
        self._misfits += 1
        if self._misfits > MAX_MISFITS:
            raise _refused("xml_not_xml")

    @property
    def finished(self) -> bool:
        return self.root is not None and not self._stack

    def finish(self) -> None:
        while self._stack:
            self.end()


def _refused(code: str) -> InvalidError:
    return InvalidError(f"XML refused: {code}", code=code)


def decode_text(data: bytes) -> str:
    """UTF-8 where the bytes are valid UTF-8, else GB18030; what is neither becomes U+FFFD, one mark per bad byte."""
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        chinese = data.decode("gb18030", "replace")
    if _DECLARED_UTF8.search(data, 0, 200):
        # Honest about its charset but damaged: one broken byte must not turn every other character.
        western = data.decode("utf-8", "replace")
        if western.count("�") <= 8 + len(data) // 100:
            return western
    return chinese


def read_xml(data: bytes, *, max_bytes: int = MAX_BYTES) -> Element:
    """The root element; InvalidError (`xml_too_long`, `xml_dtd`, `xml_too_deep`, `xml_not_xml`, ...) if hopeless."""
    if len(data) > max_bytes:
        raise InvalidError(f"XML of {len(data)} bytes", code="xml_too_long", params={"limit": max_bytes})
    text = decode_text(data)
    if _FORBIDDEN.search(text):
        text = _FORBIDDEN.sub("", text)
    declaration = _DECLARATION.match(text)
    text = text[declaration.end() :] if declaration else text.lstrip()
    if text.count("<") > 2 * MAX_ELEMENTS:
        raise _refused("xml_too_many_elements")
    # Without a DTD there are no entities but the predefined ones; so none may begin, wherever it stands.
    if "<!" in text and _DTD.search(text):
        raise _refused("xml_dtd")
    try:
        root = XML(text)
    except ParseError:
        root = _lenient(text)
    except ValueError as error:
        raise InvalidError(f"no XML: {error}", code="xml_not_xml") from error
    level = [root]
    for _ in range(MAX_DEPTH):
        level = [child for element in level for child in element]
        if not level:
            return root
    raise _refused("xml_too_deep")


def _lenient(text: str) -> Element:
    """Read what a strict reader refuses. Linear in the length of the text, whatever it holds."""
    builder = _Lenient()
    position, length = 0, len(text)
    while position < length and not builder.finished:
        token = _TOKEN.search(text, position)
        if token is None:
            break
        builder.data(_unescape(text[position : token.start()]))
        tag = token.group()
        position = token.end()
        if tag == "<![CDATA[":
            end = text.find("]]>", position)
            builder.data(text[position : end if end >= 0 else length])
            position = end + 3 if end >= 0 else length
        elif tag == "<!--":
            end = text.find("-->", position)
            position = end + 3 if end >= 0 else length
        elif not tag.startswith("<?"):
            _lenient_tag(tag, builder)
    builder.finish()
    if builder.root is None:
        raise InvalidError("no XML element", code="xml_not_xml")
    return builder.root


def _lenient_tag(tag: str, builder: _Lenient) -> None:
    inner = tag[1:-1].strip()
    if inner.startswith("/"):
        builder.close(inner[1:].strip())
        return
    empty = inner.endswith("/")
    name, _, rest = inner.rstrip("/").strip().partition(" ")
    if not name or not (name[0].isalpha() or name[0] == "_"):
        builder.data(tag)
        return
    attributes = {found[1]: _unescape(found[2].strip("\"'")) for found in _ATTRIBUTE.finditer(rest)}
    builder.start(name, attributes)
    if empty:
        builder.end()


def _unescape(text: str) -> str:
    return _REFERENCE.sub(_reference, text) if "&" in text else text


def _reference(found: re.Match[str]) -> str:
    name = found[1]
    if not name.startswith("#"):
        return _PREDEFINED[name]
    number = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
    return chr(number) if 32 <= number < 0xD800 or 0xE000 <= number <= 0xFFFD or number in (9, 10, 13) else ""


def escape(text: str) -> str:
    """Text made fit for an element or an attribute in double quotes; what XML cannot carry is left out."""
    if _FORBIDDEN.search(text):
        text = _FORBIDDEN.sub("", text)
    if "&" in text:
        text = text.replace("&", "&amp;")
    return text.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def write_xml(root: Element, charset: str = "GB18030") -> bytes:
    """A document with its declaration. GB2312 and GBK are written with the whole of GB18030, their superset."""
    lines = [f'<?xml version="1.0" encoding="{charset}"?>\r\n']
    _write(root, lines)
    codec = "utf-8" if charset.upper().replace("-", "") == "UTF8" else "gb18030"
    return "".join(lines).encode(codec)


def _write(node: Element, out: list[str]) -> None:
    name = node.tag
    attributes = "".join(f' {key}="{escape(text)}"' for key, text in node.attrib.items()) if node.attrib else ""
    if not len(node):
        out.append(f"<{name}{attributes}>{escape(node.text or '')}</{name}>\r\n")
        return
    out.append(f"<{name}{attributes}>\r\n")
    for child in node:
        _write(child, out)
    out.append(f"</{name}>\r\n")
