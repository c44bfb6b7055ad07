"""The wire of signs: what is written is read, what anybody else writes is not, and a sign forgets in time."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.protocols.signs import Show, Shown, SignFace, WireError, read, write

KEY = "a-key-that-both-sides-have"
GOLDEN = (
    b'{"message":"{\\"boot\\":\\"b1\\",\\"number\\":7,\\"content\\":\\"gm_1\\",\\"lines\\":[\\"\xe6\x85\xa2\xe8\xa1\x8c\\"],'
    b'\\"seconds\\":900,\\"fallback\\":[]}",'
    b'"mac":"MAC"}'
)
"""Who builds a sign can hold theirs against it."""


def test_the_bytes_of_a_request_are_these() -> None:
    show = Show(boot="b1", number=7, content="gm_1", lines=("慢行",), seconds=900)
    mac = "81f27f14afe70b4dc3510310f5414e512a4aa0a65152120300c413fc5fa09b87"
    assert write(show, KEY) == GOLDEN.replace(b"MAC", mac.encode())
    assert read(GOLDEN.replace(b"MAC", mac.encode()), KEY, Show) == show


def test_fields_of_a_newer_sign_are_passed_over() -> None:
    text = '{"boot":"b","number":1,"taken":true,"brightness":7}'
    mac = hmac.new(KEY.encode(), f"shown\n{text}".encode(), hashlib.sha256).hexdigest()
    assert read(json.dumps({"message": text, "mac": mac}).encode(), KEY, Shown).boot == "b"


@given(st.binary(max_size=300))
def test_whatever_else_comes_is_an_error_and_no_crash(body: bytes) -> None:
    with pytest.raises(WireError):
        read(body, KEY, Shown)


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_changed_letter_is_seen(where: int, value: int) -> None:
    good = write(Show(boot="b1", number=7, content="gm_1", lines=("SLOW",), seconds=900), KEY)
    where %= len(good)
    bad = good[:where] + bytes([value]) + good[where + 1 :]
    with contextlib.suppress(WireError):  # what is read all the same, is the same written otherwise
        assert read(bad, KEY, Show) == read(good, KEY, Show)


def show(number: int, content: str = "gm_1", seconds: int = 100, **more: object) -> Show:
    values = {"boot": "b1", "number": number, "content": content, "seconds": seconds, "lines": (content,)}
    return Show(**{**values, **more})  # type: ignore[arg-type]


def test_a_message_is_taken_off_by_the_sign_itself_and_stands_since_it_came() -> None:
    face = SignFace("b1", ("AT FIRST",), 1000.0)
    assert face.lines(1000.0) == ("AT FIRST",)
    assert face.take(show(1, fallback=("DRIVE SAFELY",)), 1010.0).seconds == 0
    again = face.take(show(2, fallback=("DRIVE SAFELY",)), 1050.0)
    assert (again.content, again.seconds) == ("gm_1", 40.0)
    assert face.lines(1149.0) == ("gm_1",)
    assert face.lines(1151.0) == ("DRIVE SAFELY",)
    told = face.take(Show(boot="", number=3), 1160.0)
    assert (told.taken, told.content, told.lines, told.seconds) == (False, "", ("DRIVE SAFELY",), 10.0)


def test_a_sign_heeds_no_request_twice_none_of_before_and_none_for_another_run() -> None:
    face = SignFace("b1", (), 0.0)
    assert face.take(show(5), 0.0).taken
    for old in (show(5, "again"), show(4, "older"), show(6, "foreign", boot="b0")):
        answer = face.take(old, 1.0)
        assert (answer.taken, answer.last, answer.lines) == (False, 5, ("gm_1",))


def test_no_message_means_the_fallback_at_once() -> None:
    face = SignFace("b1", ("AT FIRST",), 0.0)
    face.take(show(1), 0.0)
    assert face.take(show(2, "", 0, fallback=("DRIVE SAFELY",)), 1.0).lines == ("DRIVE SAFELY",)
