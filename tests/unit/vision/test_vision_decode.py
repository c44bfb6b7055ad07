"""Films are decoded by a child that may die of them."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import pytest

from safecity.kit.errors import InvalidError, UnavailableError
from safecity.vision import decode
from safecity.vision.decode import frames


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of the simulated street."""
    from safecity.sim.render import RenderOptions, render

    out = tmp_path_factory.mktemp("film") / "street.mp4"
    render(RenderOptions(width=320, height=180, fps=10, seconds=3, seed=1, light=1.0), out)
    return out


def test_frames_come_in_order_and_as_often_as_asked(film: Path) -> None:
    seen = list(frames(film, 5))
    assert 14 <= len(seen) <= 16
    assert [one.at_seconds for one in seen] == sorted({one.at_seconds for one in seen})
    assert seen[0].picture.shape == (180, 320, 3)
    assert seen[0].picture.std() > 5, "a street, not a grey area"


def test_who_has_seen_enough_may_stop(film: Path) -> None:
    for number, _ in enumerate(frames(film, 10)):
        if number == 2:
            break


@pytest.mark.parametrize("data", [b"", b"not a film", bytes(100_000)], ids=["empty", "words", "zeros"])
def test_what_is_no_film_is_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "bad.mp4"
    file.write_bytes(data)
    with pytest.raises(InvalidError, match=r"bad\.mp4") as caught:
        list(frames(file, 5))
    assert caught.value.code == "film_unreadable"


def test_a_film_that_breaks_off_gives_what_it_has(film: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.mp4"
    whole = bytearray(film.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 4000] = bytes(4000)
    half.write_bytes(bytes(whole))
    seen: list[object] = []
    with suppress(InvalidError):  # whether the decoder minds is its own affair
        for frame in frames(half, 10):
            seen.append(frame)
    assert seen, "the frames before the damage"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("import os; os.abort()", InvalidError),
        ("import sys; sys.stdout.buffer.write(b'FRM1' + bytes(7))", None),
        ("import sys; sys.stdout.buffer.write(b'XXXX' + b'\\xff' * 5000)", None),
        ("import sys; sys.exit(3)", UnavailableError),
    ],
    ids=["the decoder crashes", "cut in a head", "no frames at all", "no decoder here"],
)
def test_a_child_that_misbehaves_harms_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, error: type[Exception] | None
) -> None:
    child = tmp_path / "python"
    child.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{body}"\n')
    child.chmod(0o755)
    monkeypatch.setattr(decode.sys, "executable", str(child))
    if error is None:
        assert list(frames(tmp_path / "any.mp4", 5)) == []
    else:
        with pytest.raises(error):
            list(frames(tmp_path / "any.mp4", 5))


def test_a_decoder_that_complains_a_lot_is_not_stopped_by_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = tmp_path / "python"
    child.write_text(f"""#!{sys.executable}
import sys
sys.stderr.write("damaged macroblock\\n" * 50_000)
sys.stdout.buffer.write({decode.HEADER.pack(decode.MARK, 0.0, 2, 1)!r} + bytes(6))
sys.stdout.buffer.flush()
sys.exit("the last word")
""")
    child.chmod(0o755)
    monkeypatch.setattr(decode.sys, "executable", str(child))
    seen: list[object] = []
    with pytest.raises(InvalidError) as caught:
        for frame in frames(tmp_path / "any.mp4", 5):
            seen.append(frame)
    assert len(seen) == 1
    assert str(caught.value.params["why"]).endswith("the last word")
