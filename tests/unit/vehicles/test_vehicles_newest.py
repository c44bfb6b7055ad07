"""Whatever a pattern fits and however many plates that are, the parts of an answer hold all of it, newest first."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from benchmarks import search
from hypothesis import given
from hypothesis import strategies as st

from safecity.backends.bus import EmbeddedBus
from safecity.backends.database import open_database
from safecity.backends.sqlitefile import open_file
from safecity.core.ground.access.api import Actor, Grant, Role
from safecity.core.ground.vehicles import newest, service
from safecity.core.ground.vehicles.api import PlateIndex, Vehicles, Wish
from safecity.core.ground.vehicles.matrix import Fits, Listed
from safecity.core.ground.vehicles.pattern import read_pattern
from safecity.kit.ids import fresh

seconds = st.integers(0, 10**9)
OBJECTS = 2_500
WHO = Actor(user="us_test", name="test", session="", grants=(Grant(Role.OPERATOR, "/34/"),), at=search.NOW)


@pytest.mark.parametrize("text", ["*1*", "皖B*", "*7?", "?B??9??", "*4*8*", "皖*"])
@pytest.mark.parametrize("listed", [30, 4000])
async def test_all_parts_together_are_what_fits_newest_first(
    text: str, listed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_PLATES", listed)
    monkeypatch.setattr(newest, "TOGETHER", 4)
    path = tmp_path / "control.db"
    database, bus = open_database(f"sqlite:///{path}"), EmbeddedBus(open_file, tmp_path / "bus.db")
    try:
        search.fill(path, [fresh("tg") for _ in range(search.GATES)], OBJECTS)
        index = PlateIndex(database, bus, tmp_path)
        await index.make()
        vehicles, wish = Vehicles(database, index), Wish(purpose="traffic", plate=text, reason="test")
        found: list[tuple[int, str]] = []
        before = None
        for number in range(8):
            part = await vehicles.find(WHO, wish, before=before, limit=9)
            assert part.after is not None
            assert len(part.passages) == 9
            found += [(one.at, one.plate) for one in part.passages]
            before = part.after
            # Halfway a vehicle comes that is newer than all: it is not for the parts that follow.
            if number == 3:
                assert index._matrix is not None
                index._matrix.add([("皖B14879", search.NOW)])
    finally:
        await bus.close()
        await database.close()
    wanted = read_pattern(text)
    assert wanted is not None
    with sqlite3.connect(path) as file:
        rows = file.execute("SELECT at, plate FROM passages ORDER BY at DESC, id DESC").fetchall()
    file.close()
    assert found == [(at, plate) for at, plate in rows if wanted.fits(plate)][: len(found)]


async def test_what_is_older_than_was_asked_for_is_not_gone_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "control.db"
    database, bus = open_database(f"sqlite:///{path}"), EmbeddedBus(open_file, tmp_path / "bus.db")
    asked: list[int] = []
    page = service.seeking.page

    def counted(tx: object, may: object, wanted: service.seeking.Asked) -> object:
        asked.append(len(wanted.plates or ()))
        return page(tx, may, wanted)  # type: ignore[arg-type]

    monkeypatch.setattr(service.seeking, "page", counted)
    try:
        search.fill(path, [fresh("tg") for _ in range(search.GATES)], OBJECTS)
        index = PlateIndex(database, bus, tmp_path)
        await index.make()
        since = search.NOW - search.SPAN_US // 50
        wish = Wish(purpose="traffic", plate="*1*", reason="test", since=since)
        found = await Vehicles(database, index).find(WHO, wish, limit=100)
    finally:
        await bus.close()
        await database.close()
    assert 5 < len(found.passages) < 50
    assert found.after is None
    assert sum(asked) <= newest.TOGETHER


@given(st.lists(seconds, max_size=300), st.booleans())
def test_spans_go_back_in_time_over_more_and_more_plates_and_leave_nothing_newer_behind(
    seen: list[int], cut: bool
) -> None:
    ordered = sorted((one * search.SECOND_US for one in seen), reverse=True)
    rest = ordered.pop() if cut and ordered else None
    listed = Listed([Fits(f"A{number}", 0.0, at) for number, at in enumerate(ordered)], rest)
    before: tuple[int, int | None] = (0, None)
    for number, (count, after) in enumerate(newest.spans(listed)):
        assert count >= before[0]
        assert number == 0 or before[1] is not None
        assert after is None or before[1] is None or after <= before[1]
        behind = [*ordered[count:], *([] if rest is None else [rest])]
        assert after is None or all(at <= after for at in behind)
        before = (count, after)
    assert before == (len(ordered), rest), "all of them in the end"
