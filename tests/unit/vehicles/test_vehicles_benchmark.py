"""The benchmark of the search at a small size: what it fills is found again, and it says all that it promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from benchmarks import search

OBJECTS = 6_000
QUERIES = 12


async def test_what_the_benchmark_fills_is_found_as_an_operator_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, Any]] = []
    find = search.Vehicles.find

    async def watched(self: Any, who: Any, wish: Any, **more: Any) -> Any:
        found = await find(self, who, wish, **more)
        asked.append((wish, found))
        return found

    monkeypatch.setattr(search.Vehicles, "find", watched)
    said = await search.measure(tmp_path, OBJECTS, QUERIES, 2)
    assert said["objects"] == OBJECTS
    assert 500 < said["plates"] < OBJECTS
    assert all(value > 0 for key, value in said.items() if key != "index_cpu_seconds"), said
    cameras = [found for wish, found in asked if wish.tollgate]
    plates = [(wish, found) for wish, found in asked if not wish.tollgate]
    assert (len(cameras), len(plates)) == (QUERIES, 3 + 2 * QUERIES)
    assert all(found.looked.plates == said["plates"] or found.looked.passages for _, found in plates)
    assert all(len(found.passages) == 100 for wish, found in plates if wish.plate == "皖B*")
    assert sum(len(found.passages) for _, found in plates) > 0
