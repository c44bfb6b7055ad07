from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.drivers_ais.scene import Scene, open_scene

from safecity.kit.clock import FakeClock


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    made = await open_scene(tmp_path, FakeClock())
    yield made
    await made.ships.close()
    made.file.close()
