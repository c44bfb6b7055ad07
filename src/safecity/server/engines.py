"""Which engine stands behind each port: chosen once, by the URL in the settings, at start. Nothing else asks.

A new engine is one line here and one in `tests/contract/`. Assembled by name, so that a duty loads only what it uses.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safecity.kit.errors import InvalidError
from safecity.server.sections.machine import EngineSettings

if TYPE_CHECKING:  # SQLAlchemy comes with it, and only control may load that
    from safecity.backends.bus import EmbeddedBus
    from safecity.backends.database import SqlDatabase
    from safecity.backends.files import FileBlobs
    from safecity.backends.history import DayFiles

DATABASE = {
    "sqlite": "safecity.backends.database:open_by_url",
    "postgresql+psycopg": "safecity.backends.database:open_by_url",
}
BUS = {"sqlite": "safecity.backends.bus:open_by_url"}
HISTORY = {"file": "safecity.backends.history:open_by_url"}
BLOBS = {"file": "safecity.backends.files:open_by_url"}
INFERENCE = {"onnx": "safecity.backends.inference:open_by_url"}


@dataclass(frozen=True, kw_only=True)
class Engines:
    """The ports of control, open."""

    database: SqlDatabase
    bus: EmbeddedBus
    history: DayFiles
    blobs: FileBlobs


def opener(table: Mapping[str, str], setting: str, url: str) -> Any:
    """What opens `url`; InvalidError names the setting and the engines there are."""
    scheme, colon, _ = url.partition(":")
    if not colon or scheme not in table:
        raise InvalidError(
            f"{setting}: there is no engine for {url[:40]!r}, only {', '.join(f'{name}:' for name in table)}",
            code="setting_unknown_choice",
            params={"setting": setting, "value": scheme[:40], "choices": ", ".join(table)},
        )
    module, _, name = table[scheme].partition(":")
    return getattr(importlib.import_module(module), name)


def placed(url: str, data: Path) -> str:
    """The URL of an embedded engine with its path made absolute: relative ones lie in the data folder."""
    scheme, _, path = url.partition(":")
    return f"{scheme}:{(data / path).absolute()}" if not path.startswith("//") else url


@asynccontextmanager
async def engines(settings: EngineSettings, data: Path) -> AsyncGenerator[Engines]:
    """Open all in order, close them in the other, whatever happens between."""
    opened: dict[str, Any] = {}
    try:
        for name, table in (("database", DATABASE), ("bus", BUS), ("history", HISTORY), ("blobs", BLOBS)):
            url: str = getattr(settings, name)
            opened[name] = opener(table, f"engines.{name}", url)(placed(url, data))
        yield Engines(**opened)
    finally:
        for one in reversed(opened.values()):
            await one.close()
