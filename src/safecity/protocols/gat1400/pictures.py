"""Pictures inside objects: base64 is decoded within limits, and the head of the file read before anybody decodes it."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from safecity.kit.errors import InvalidError

MAX_PICTURE: Final = 8 << 20
"""Bytes of one picture."""
MAX_PIXELS: Final = 40_000_000
MAX_PICTURES: Final = 20
"""Pictures of one object."""
_SOF = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that has passed. `kind` is the number of the standard (`01` vehicle large, `02` plate, `11` face)."""

    data: bytes
    format: str
    width: int
    height: int
    kind: str = ""
    id: str = ""


def decode_picture(text: object, *, kind: str = "", identity: str = "") -> Picture:
    """InvalidError `viid_picture` with the reason: `base64`, `large`, `format`, `empty` or `pixels` (too many)."""
    return check_picture(decode_base64(text), kind=kind, identity=identity)


def decode_base64(text: object) -> bytes:
    """The first part of it: `base64` or `large`."""
    if not isinstance(text, str):
        raise _bad("base64")
    if text.startswith("data:"):
        text = text.partition(",")[2]
    if len(text) > MAX_PICTURE * 4 // 3 + 4096:
        raise _bad("large")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad("base64") from error


def check_picture(data: bytes, *, kind: str = "", identity: str = "") -> Picture:
    """The same for bytes."""
    if len(data) > MAX_PICTURE:
        raise _bad("large")
    found = sniff(data)
    if found is None:
        raise _bad("format")
    name, width, height = found
    if width <= 0 or height <= 0:
        raise _bad("empty")
    if width * height > MAX_PIXELS:
        raise _bad("pixels")
    return Picture(data, name, width, height, kind, identity)


def sniff(data: bytes) -> tuple[str, int, int] | None:
    """(format, width, height) by the head of the file; None for what is no picture we know."""
    if data.startswith(b"\xff\xd8"):
        size = _jpeg(data)
        return None if size is None else ("jpeg", *size)
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR" and len(data) >= 24:
        return ("png", *struct.unpack(">II", data[16:24]))
    if data[:6] in (b"GIF87a", b"GIF89a") and len(data) >= 10:
        return ("gif", *struct.unpack("<HH", data[6:10]))
    if data.startswith(b"BM") and len(data) >= 26:
        width, height = struct.unpack("<ii", data[18:26])
        return ("bmp", width, abs(height))
    return None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
            continue
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        if marker in _SOF:
            if at + 9 > len(data):
                return None
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        if marker == 0xDA or length < 2:
            return None
        at += 2 + length
    return None


def sub_images(fields: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The entries of `SubImageList`, in the standard's form or as a bare list; those of no use are skipped."""
    value: Any = fields.get("SubImageList")
    if isinstance(value, dict):
        inner = cast("dict[str, Any]", value)
        value = inner.get("SubImageInfoObject", inner.get("SubImageInfoObjectList", inner.get("SubImageInfo")))
    if isinstance(value, dict):
        value = [value]
    if isinstance(value, list):
        for one in cast("list[Any]", value):
            if isinstance(one, dict):
                yield cast("dict[str, Any]", one)


def _bad(reason: str) -> InvalidError:
    return InvalidError(f"not a picture to keep: {reason}", code="viid_picture", params={"reason": reason})
