"""Engines are chosen by URL, once; a wrong one is named, and what was opened before it is closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from safecity.backends.database import open_database
from safecity.kit.errors import InvalidError
from safecity.ports.blobs import only
from safecity.server.engines import engines
from safecity.server.sections.machine import EngineSettings


async def test_by_default_all_lies_in_the_data_folder(tmp_path: Path) -> None:
    async with engines(EngineSettings(), tmp_path) as opened:
        await opened.blobs.put("a", only(b"x"))
    assert {path.name for path in (tmp_path / "control").iterdir()} >= {"control.db", "bus.db", "history", "blobs"}


async def test_pictures_may_lie_on_a_disk_of_their_own(tmp_path: Path) -> None:
    async with engines(EngineSettings(blobs=f"file:{tmp_path}/big/blobs"), tmp_path / "data") as opened:
        await opened.blobs.put("a", only(b"x"))
    assert (tmp_path / "big" / "blobs" / "a").read_bytes() == b"x"


@pytest.mark.parametrize("url", ["s4://bucket", "control/blobs", ""])
async def test_an_engine_that_is_not_there_is_named_and_nothing_stays_open(tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidError) as refused:
        async with engines(EngineSettings(blobs=url), tmp_path):
            pass
    assert refused.value.params["setting"] == "engines.blobs"
    assert "file:" in str(refused.value)
    await open_database(f"sqlite:///{tmp_path}/control/control.db").close()  # not locked any more
