"""Pictures from outside: hostile until decoded."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from safecity.kit.errors import InvalidError
from safecity.vision.pictures import declared_size, load_picture


def jpeg(width: int, height: int) -> bytes:
    return cv2.imencode(".jpg", np.full((height, width, 3), 90, np.uint8))[1].tobytes()


def png_claiming(width: int, height: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


@pytest.mark.parametrize("ending", [".jpg", ".png", ".bmp", ".webp"])
def test_a_picture_is_loaded(ending: str) -> None:
    data = cv2.imencode(ending, np.full((30, 50, 3), 90, np.uint8))[1].tobytes()
    picture = load_picture(data)
    assert picture.shape == (30, 50, 3)
    assert abs(int(picture[15, 25, 0]) - 90) < 4


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe0\x00", b"GIF89a", bytes(1000), jpeg(64, 64)[:40]])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidError) as caught:
        load_picture(data)
    assert caught.value.code == "picture_unreadable"


def test_a_few_bytes_that_claim_a_huge_picture_are_refused_unopened() -> None:
    with pytest.raises(InvalidError) as caught:
        load_picture(png_claiming(60_000, 60_000))
    assert caught.value.code == "picture_size"
    large = bytearray(jpeg(64, 64))
    at = large.index(b"\xff\xc0") + 5
    large[at : at + 4] = struct.pack(">HH", 65_000, 65_000)
    with pytest.raises(InvalidError) as caught:
        load_picture(bytes(large))
    assert caught.value.code == "picture_size"


def test_stray_bytes_before_a_mark_do_not_hide_the_size() -> None:
    whole = jpeg(123, 45)
    at = whole.index(b"\xff\xdb")
    strayed = whole[:at] + b"stray" + whole[at:]
    assert load_picture(strayed).shape == (45, 123, 3), "decoders do not mind them"
    assert declared_size(strayed) == (123, 45)
    large = bytearray(strayed)
    large[(at := large.index(b"\xff\xc0") + 5) : at + 4] = struct.pack(">HH", 30_000, 30_000)
    with pytest.raises(InvalidError) as caught:
        load_picture(bytes(large))
    assert caught.value.code == "picture_size"


def test_the_head_says_the_size() -> None:
    assert declared_size(jpeg(123, 45)) == (123, 45)
    assert declared_size(png_claiming(7, 9)) == (7, 9)
    assert declared_size(b"BM" + bytes(60)) is None


def test_a_head_cut_anywhere_is_no_accident() -> None:
    whole = jpeg(123, 45)
    assert {declared_size(whole[:cut]) for cut in range(len(whole))} == {None, (123, 45)}
