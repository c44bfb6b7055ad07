"""Holds that a slot is told of reach its volumes, also those that come later."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from safecity.backends.sqlitefile import open_file
from safecity.kit.clock import FakeClock
from safecity.kit.errors import UnavailableError
from safecity.kit.ids import fresh
from safecity.media.record.recorder import Recorder
from safecity.media.slot.holding import Holding
from safecity.media.slot.state import SlotFile
from safecity.model.facts.media_calls import PlaceHold, VolumeSpec


class Life:
    """One life of a slot's recorder and memory, without threads."""

    def __init__(self, folder: Path, *volumes: str) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.state = SlotFile(open_file(folder / "media-0.db"))
        self.recorder = Recorder(0, self.specs(*volumes), clock=self.clock, open_sql=open_file)
        self.holding = Holding(self.state, self.recorder, self.clock)
        self.holding.remember()
        self.recorder.turn()

    def specs(self, *names: str) -> tuple[VolumeSpec, ...]:
        for name in names:
            (self.folder / name).mkdir(exist_ok=True)
        return tuple(VolumeSpec(name, str(self.folder / name), extent_bytes=1 << 20) for name in names)

    def held(self, volume: str) -> list[str]:
        index = sqlite3.connect(self.folder / volume / "shelf-0" / "index.db")
        found = [name for (name,) in index.execute("SELECT id FROM hold ORDER BY id")]
        index.close()
        return found

    def end(self) -> None:
        self.recorder.close()
        self.state.close()


def hold(name: str) -> PlaceHold:
    return PlaceHold(name, fresh("ch"), 1, 2, "case")


def test_what_control_says_is_remembered_and_carried_out_on_volumes_that_come_later(tmp_path: Path) -> None:
    life = Life(tmp_path, "one")
    first, second = hold("ho_1"), hold("ho_2")
    life.holding.hear([first, second], ["ho_0"])
    life.recorder.turn()
    assert life.held("one") == ["ho_1", "ho_2"]
    life.holding.hear([first], ["ho_2"])
    life.recorder.turn()
    assert life.held("one") == ["ho_1"]
    life.holding.hear([], [])  # an older truth of control takes no hold away
    life.recorder.turn()
    assert life.held("one") == ["ho_1"]
    life.end()
    again = Life(tmp_path, "one", "two")
    assert again.held("two") == ["ho_1"]
    again.end()


async def test_a_hold_that_no_volume_can_keep_is_refused_and_not_remembered(tmp_path: Path) -> None:
    life = Life(tmp_path)
    life.recorder.start()
    with pytest.raises(UnavailableError) as caught:
        await life.holding.place(hold("ho_1"))
    assert caught.value.code == "no_volume"
    assert life.state.holds() == {}
    life.recorder.set_volumes(life.specs("one"))
    async with asyncio.timeout(30):
        while True:
            life.clock.advance(1)
            with contextlib.suppress(UnavailableError):
                await life.holding.place(hold("ho_2"))
                break
    assert life.held("one") == ["ho_2"]
    await life.holding.release("ho_2")
    assert life.held("one") == []
    assert life.state.holds() == {"ho_2": None}
    life.end()
