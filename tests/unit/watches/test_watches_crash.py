"""Between a passage and its alarm lie three files: the process may die before or after each commit in any of them, and
every vehicle that is watched for raises one alarm and no second one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.passages.vehicles import NOON, gate, seen

from safecity.backends.bus import EmbeddedBus
from safecity.backends.database import SqlDatabase, open_database
from safecity.backends.sqlitefile import open_file
from safecity.core.ground.access.api import Actor, Grant, Role
from safecity.core.ground.alarms.api import Alarms
from safecity.core.ground.outbox.api import Relay
from safecity.core.ground.passages.api import file
from safecity.core.ground.settings.api import Platform, Settings
from safecity.core.upper.watches import store
from safecity.core.upper.watches.api import Hit, HitState, Watch, WatchFollower, WatchIndex, WatchSettings, WatchState
from safecity.kit.clock import SECOND_US, FakeClock
from safecity.kit.errors import InvalidError, UnavailableError
from safecity.kit.ids import fresh
from safecity.ports.database import Tx

WATCH = Watch(
    id=fresh("wa"), plate="皖A12345", reason="stolen", purpose="traffic", valid_from=NOON,
    valid_until=NOON + 3600 * SECOND_US, seats=frozenset({"role:operator"}), state=WatchState.APPROVED,
    proposed_by="us_1", proposed_name="Li", proposed_at=NOON, changed=1,
)  # fmt: skip
OPERATOR = Actor("us_x", "Wang", "", (Grant(Role.OPERATOR),), NOON)
PLACE = gate()
TRAFFIC = [
    seen(1, 1, plate="皖A12345"), seen(2, 11, plate="皖C99999"), seen(3, 21, plate="皖A1234S"),
    seen(4, 31, plate="皖A12345"), seen(4, 31, plate="皖C77777"),  # the last one was misread
]  # fmt: skip


class Died(BaseException):
    """What was in memory is gone."""


class Mortal:
    """A database or a bus whose process dies right before or right after a commit."""

    def __init__(self, inner: Any, commit: Callable[[bool], None]) -> None:
        self._inner = inner
        self._commit = commit

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in ("write", "publish", "acknowledge"):
            return found

        async def dying(*arguments: Any) -> Any:
            self._commit(False)
            answer = await found(*arguments)
            self._commit(True)
            return answer

        return dying


class Life:
    """Everything between a passage and its alarm, on the files of a folder, until commit `at`; -1: it lives."""

    def __init__(self, folder: Path, at: int = -1, *, after: bool = False) -> None:
        self._folder, self._at, self._after, self._commits = folder, at, after, 0

    def _commit(self, after: bool) -> None:
        self._commits += not after
        if self._commits == self._at and after == self._after:
            raise Died

    async def run(self) -> bool:
        """Whether it lived to the end."""
        database = open_database(f"sqlite:///{self._folder}/control.db", migrate=False)
        bus = EmbeddedBus(open_file, self._folder / "bus.db")
        try:
            await self._work(database, Mortal(database, self._commit), Mortal(bus, self._commit))
        except Died:
            return False
        finally:
            await bus.close()
            await database.close()
        return True

    async def _work(self, whole: SqlDatabase, database: Any, bus: Any) -> None:
        clock = FakeClock(NOON + 60 * SECOND_US)
        relay = Relay(database, bus, Settings(whole, Platform(code="34020000002000000001", domain="3402000000")))
        follower = WatchFollower(database, bus, clock, WatchSettings())
        for one in TRAFFIC:  # a camera sends again what it was not answered
            await database.write(lambda tx, one=one: file(tx, PLACE, [replace(one, id=fresh("sg"))]))
            while await relay.step():
                pass
            while await follower.step():
                pass


async def left(folder: Path) -> tuple[list[Hit], dict[int, int]]:
    database = open_database(f"sqlite:///{folder}/control.db", migrate=False)
    try:

        def work(tx: Tx) -> list[Hit]:
            rows = tx.rows(store.hits.select().order_by(store.hits.c.id))
            return [hit for row in rows if (hit := store.find_hit(tx, row["id"])) is not None]

        return await database.read(work), await Alarms(database).counts(OPERATOR)
    finally:
        await database.close()


async def prepared(folder: Path, empty: Path) -> Path:
    folder.mkdir()
    (folder / "control.db").write_bytes(empty.read_bytes())
    database = open_database(f"sqlite:///{folder}/control.db", migrate=False)
    await database.write(lambda tx: store.add(tx, WATCH))
    await database.close()
    return folder


@pytest.mark.slow
async def test_whenever_it_dies_each_vehicle_raises_one_alarm(tmp_path: Path, empty: Path) -> None:
    deaths = 0
    for after in (False, True):
        at, lived = 0, False
        while not lived:
            at += 1
            folder = await prepared(tmp_path / f"{at}-{after}", empty)
            lived = await Life(folder, at, after=after).run()
            deaths += not lived
            assert await Life(folder).run()
            hits, counts = await left(folder)
            known = [(hit.plate, hit.kind, hit.state) for hit in hits if hit.at != NOON + 31 * SECOND_US]
            assert known == [("皖A12345", "exact", HitState.LIVE), ("皖A1234S", "near", HitState.LIVE)], (at, after)
            # The vehicle that was misread raised an alarm that is over, or none where the correction came before.
            assert {hit.state for hit in hits if hit.at == NOON + 31 * SECOND_US} <= {HitState.TAKEN_BACK}
            assert counts == {1: 2}, (at, after)
    assert deaths > 20


async def test_a_passage_that_nobody_foresaw_keeps_no_other_from_its_watch(
    tmp_path: Path, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = await prepared(tmp_path / "odd", empty)
    find = WatchIndex.find

    def stumbles(self: WatchIndex, plate: str) -> Any:
        if plate == "皖C99999":
            raise InvalidError("nobody foresaw it")
        return find(self, plate)

    monkeypatch.setattr(WatchIndex, "find", stumbles)
    assert await Life(folder).run()
    hits, counts = await left(folder)
    assert [(hit.plate, hit.state) for hit in hits][:2] == [("皖A12345", HitState.LIVE), ("皖A1234S", HitState.LIVE)]
    assert counts == {1: 2}


async def test_a_database_that_takes_nothing_for_a_while_loses_no_hit(tmp_path: Path, empty: Path) -> None:
    folder = await prepared(tmp_path / "full", empty)
    database = open_database(f"sqlite:///{folder}/control.db", migrate=False)
    bus = EmbeddedBus(open_file, folder / "bus.db")
    relay = Relay(database, bus, Settings(database, Platform(code="34020000002000000001", domain="3402000000")))
    await database.write(lambda tx: file(tx, PLACE, TRAFFIC[:1]))
    while await relay.step():
        pass
    refusals = 3

    class Full:
        read = database.read

        async def write(self, work: Callable[[Tx], Any]) -> Any:
            nonlocal refusals
            refusals -= 1
            if refusals >= 0:
                raise UnavailableError("no room", code="disk_full")
            return await database.write(work)

    follower = WatchFollower(Full(), bus, FakeClock(NOON + 60 * SECOND_US), WatchSettings())  # type: ignore[arg-type]
    failed = 0
    for _ in range(4):
        try:
            await follower.step()
        except UnavailableError:
            failed += 1
    assert failed == 3
    await bus.close()
    await database.close()
    assert len((await left(folder))[0]) == 1
