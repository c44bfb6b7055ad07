"""Pictures as bytes into pictures as numbers, with a look at their size before anything is unpacked."""

from __future__ import annotations

import struct

import cv2
import numpy as np
from numpy.typing import NDArray

from safecity.kit.errors import InvalidError

MAX_PIXELS = 50_000_000
MAX_BYTES = 64 << 20
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def load_picture(data: bytes) -> NDArray[np.uint8]:
    """BGR, as the camera meant it to stand. InvalidError `picture_unreadable` or `picture_size`."""
    if len(data) > MAX_BYTES:
        raise InvalidError(f"more than {MAX_BYTES} bytes", code="picture_size")
    size = declared_size(data)
    if size is not None and size[0] * size[1] > MAX_PIXELS:
        raise InvalidError(f"{size[0]} x {size[1]} is more than {MAX_PIXELS} pixels", code="picture_size")
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error as error:
        raise InvalidError("not a picture that can be decoded", code="picture_unreadable") from error
    if picture is None or picture.size == 0:
        raise InvalidError("not a picture that can be decoded", code="picture_unreadable")
    if picture.shape[0] * picture.shape[1] > MAX_PIXELS:
        raise InvalidError(f"more than {MAX_PIXELS} pixels", code="picture_size")
    return picture.astype(np.uint8, copy=False)


def declared_size(data: bytes) -> tuple[int, int] | None:
    """Width and height as the head of a JPEG or PNG says: a few bytes can claim a picture that fills the memory."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        width, height = struct.unpack_from(">II", data, 16)
        return width, height
    if data[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:  # decoders look for the next mark, so do we: else a stray byte would hide the size
            at = data.find(b"\xff", at)
            if at < 0:
                return None
            continue
        mark = data[at + 1]
        if mark in _JPEG_SIZES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        if mark in (0x00, 0xFF, 0x01) or 0xD0 <= mark <= 0xD9:
            at += 1 if mark == 0xFF else 2
            continue
        at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    return None
