"""Heat maps of analysis slots that somebody took away again do not lie about for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from safecity.backends.calls import UnixCalls, UnixCallServer
from safecity.server.context import RoleContext
from safecity.server.mapfiles import map_file, open_maps, sweep_maps
from safecity.server.roles import control
from safecity.server.sections.work import VisionSettings
from safecity.server.settings import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a node that once had twelve slots, and was switched off without a word."""
    made = tmp_path / "data" / "vision"
    for number in (0, 1, 11):
        file = open_maps(map_file(made, f"vision-{number}"))
        file.execute("CREATE TABLE block (body BLOB)")
        file.close()
        (made / f"vision-{number}-movement.db-wal").touch()
        (made / f"vision-{number}.db").touch()
    return made


def names(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir() if "-movement" in one.name}


@pytest.mark.parametrize("slots", [0, 1, 2, 12])
def test_maps_stay_with_the_slots_that_are_left(folder: Path, slots: int) -> None:
    before = names(folder)
    gone = sweep_maps(folder, slots)
    left = {f"vision-{number}-movement.db" for number in (0, 1, 11) if number < slots}
    assert {one for one in names(folder) if one.endswith(".db")} == left
    assert not [one for one in names(folder) if not one.startswith(tuple(left) or "\0")], "nor anything beside them"
    assert set(gone) == before - names(folder)
    assert all((folder / f"vision-{number}.db").exists() for number in (0, 1, 11)), "what is still to be sent stays"
    assert sweep_maps(folder, slots) == []


def test_where_nothing_was_ever_looked_at_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert sweep_maps(tmp_path / "nowhere", 0) == []


async def test_control_does_it_where_analysis_is_switched_off(folder: Path, tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path / "data"), vision=VisionSettings(slots=0))
    calls = tmp_path / "calls"
    context = RoleContext("control", 0, settings, tmp_path, {}, UnixCalls(calls), UnixCallServer(calls))
    done = asyncio.Event()

    class Bus:
        async def forget(self, _: str) -> None:
            """Nobody listens."""

        async def sweep(self, _: int) -> int:
            done.set()
            return 0

    class History:
        async def drop_before(self, _: int) -> int:
            return 0

    parts: tuple[Any, Any] = Bus(), History()
    keeping = asyncio.create_task(control._keep_house(context, *parts))
    await done.wait()
    keeping.cancel()
    assert names(folder) == set()
    assert (folder / "vision-0.db").exists()
    await context.calls.close()
    await context.server.close()
