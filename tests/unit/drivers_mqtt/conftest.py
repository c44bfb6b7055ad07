"""A broker of each test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from safecity.drivers.mqtt import driver, link

from .scene import Scene


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr(link, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(driver, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(driver, "LONGEST_WAIT", 0.02)
    made = Scene()
    await made.open()
    yield made
    await made.close()
