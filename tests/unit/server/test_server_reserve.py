"""A little room that is only there for a full disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from safecity.server.reserve import Reserve

Free = Callable[[int], None]


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Free:
    def set_free(amount: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=amount))

    return set_free


def test_it_is_given_up_when_the_disk_is_full_and_set_aside_again_when_there_is_ample_room(
    tmp_path: Path, free: Free
) -> None:
    reserve, file = Reserve(tmp_path, size=8192, low=1000), tmp_path / "reserve"
    free(10_000)
    reserve.look()
    assert not file.exists(), "a disk that is short anyway is left alone"
    free(100_000)
    reserve.look()
    assert file.stat().st_size == 8192
    assert file.stat().st_blocks * 512 >= 8192, "the room is really taken"
    free(5_000)
    reserve.look()
    assert file.exists()
    free(999)
    reserve.look()
    assert not file.exists()
    free(9_191)
    reserve.look()
    assert not file.exists(), "it does not take at once what it gave"


def test_a_folder_that_is_gone_stops_nobody(tmp_path: Path) -> None:
    Reserve(tmp_path / "gone").look()


def test_a_reserve_that_does_not_fit_leaves_nothing_behind(
    tmp_path: Path, free: Free, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    free(1 << 40)
    monkeypatch.setattr("os.posix_fallocate", full)
    Reserve(tmp_path).look()
    assert list(tmp_path.iterdir()) == []
