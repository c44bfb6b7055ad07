"""One body for every engine of the port `Database`: transactions, portable SQL, and a lineage that keeps the rows.

PostgreSQL takes part where `SAFECITY_TEST_POSTGRES` holds the URL of a server one may make schemas on
(`postgresql+psycopg://user@host/db`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Boolean, Engine, Float, Integer, LargeBinary, MetaData, create_engine, insert, inspect, select
from sqlalchemy.pool import NullPool
from tests.contract.servers import POSTGRES, postgresql_schema

from safecity.backends.database import open_database
from safecity.backends.migrations.lineage import configuration, downgrade, upgrade
from safecity.core.ground.channels import store as channels
from safecity.core.ground.channels.api import Channel
from safecity.core.ground.passages.store import passages
from safecity.core.ground.settings.api import get, put
from safecity.kit.errors import ConflictError, InvalidError
from safecity.kit.ids import fresh
from safecity.ports.database import Database, Tx


@contextmanager
def sqlite(folder: Path) -> Iterator[str]:
    """A file."""
    yield f"sqlite:///{folder}/control.db"


@contextmanager
def postgresql(_: Path) -> Iterator[str]:
    """A schema of its own on a server somebody started."""
    with postgresql_schema() as url:
        yield url


ENGINES = {"sqlite": sqlite} | ({"postgresql": postgresql} if POSTGRES else {})


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with ENGINES[request.param](tmp_path) as made:
        yield made


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    made = open_database(url)
    yield made
    await made.close()


# --- transactions ----------------------------------------


async def test_a_failed_transaction_leaves_nothing_and_tells_nobody(database: Database) -> None:
    told: list[str] = []

    def work(tx: Tx) -> None:
        put(tx, "a", 1)
        tx.after_commit(lambda: told.append("a"))
        raise InvalidError("no")

    with pytest.raises(InvalidError):
        await database.write(work)
    assert await database.read(lambda tx: get(tx, "a")) is None
    assert told == []


async def test_what_follows_a_commit_runs_in_the_callers_loop(database: Database) -> None:
    told: list[asyncio.AbstractEventLoop] = []
    await database.write(lambda tx: tx.after_commit(lambda: told.append(asyncio.get_running_loop())))
    assert told == [asyncio.get_running_loop()]


async def test_many_writers_take_turns_and_none_overwrites_another(database: Database) -> None:
    await database.write(lambda tx: put(tx, "n", 0))
    await asyncio.gather(*(database.write(lambda tx: put(tx, "n", get(tx, "n") + 1)) for _ in range(100)))
    assert await database.read(lambda tx: get(tx, "n")) == 100


async def test_a_reader_sees_one_moment_and_changes_nothing(database: Database) -> None:
    await database.write(lambda tx: put(tx, "n", 1))
    loop = asyncio.get_running_loop()

    def look(tx: Tx) -> tuple[int, int]:
        before = get(tx, "n")
        asyncio.run_coroutine_threadsafe(database.write(lambda tx: put(tx, "n", 2)), loop).result()
        return before, get(tx, "n")

    assert await database.read(look) == (1, 1)
    with pytest.raises(Exception, match=r"read.?only|not available|database"):
        await database.read(lambda tx: put(tx, "n", 3))
    assert await database.read(lambda tx: get(tx, "n")) == 2


async def test_who_gives_up_waiting_does_not_break_the_next(database: Database) -> None:
    asked = asyncio.ensure_future(database.write(lambda tx: put(tx, "n", 1)))
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    await database.write(lambda tx: put(tx, "m", 2))
    assert await database.read(lambda tx: get(tx, "m")) == 2


# --- portable SQL ----------------------------------------


def channel(name: str, **more: Any) -> Channel:
    return replace(Channel(id=fresh("ch"), device=DEVICE, code=name, name=name), **more)


DEVICE = fresh("dv")


async def test_a_thing_comes_back_as_it_was_put(database: Database) -> None:
    one = channel(
        "北门 100%_枪机",
        tags=frozenset({"gate", "vip"}),
        area_path="/34/3402/",
        sources={"main": "rtsp://x/1"},
        record={"mode": "continuous", "schedule": [{"days": [0, 6]}]},
        epoch=1 << 60,
        longitude=118.376543210987,
        enabled=False,
        area=None,
    )
    await database.write(lambda tx: channels.add(tx, one))
    assert await database.read(lambda tx: channels.find(tx, one.id)) == one
    assert await database.read(lambda tx: channels.find(tx, fresh("ch"))) is None


async def test_a_name_that_is_taken_is_a_conflict_and_nothing_else_is_lost(database: Database) -> None:
    await database.write(lambda tx: channels.add(tx, channel("a")))

    def work(tx: Tx) -> None:
        channels.add(tx, channel("b"))
        channels.add(tx, channel("a"))

    with pytest.raises(ConflictError) as refused:
        await database.write(work)
    assert refused.value.code == "duplicate"
    assert await database.read(lambda tx: [c.name for c in channels.of_device(tx, DEVICE)]) == ["a"]


async def test_the_order_of_names_is_ours_on_every_engine(database: Database) -> None:
    names = ["Zebra", "apple", "北门", "安徽", "10 gate", "9 gate", "Äpfel"]

    def work(tx: Tx) -> None:
        for name in names:
            channels.add(tx, channel(name))

    await database.write(work)

    def keys(tx: Tx) -> list[str]:
        rows = tx.rows(select(channels.channels.c.sort_key).order_by(channels.channels.c.sort_key))
        return [row["sort_key"] for row in rows]

    found = await database.read(keys)
    assert found == sorted(found)
    assert len(found) == len(names)


async def test_a_prefix_of_the_area_and_a_part_of_a_name_find_the_same_everywhere(database: Database) -> None:
    def work(tx: Tx) -> None:
        for name, path in (("a_b", "/34/3402/"), ("aXb", "/34/3402/340202/"), ("100%", "/34/34020/"), ("c", "/35/")):
            channels.add(tx, channel(name, area_path=path))

    await database.write(work)
    table = channels.channels

    def under(tx: Tx) -> list[str]:
        query = select(table.c.name).where(channels.under(table.c.area_path, "/34/3402/"))
        return sorted(row["name"] for row in tx.rows(query))

    def named(tx: Tx, part: str) -> list[str]:
        query = select(table.c.name).where(table.c.search_key.like(channels.like(part), escape="\\"))
        return sorted(row["name"] for row in tx.rows(query))

    assert await database.read(under) == ["aXb", "a_b"]
    assert await database.read(lambda tx: named(tx, "a_b")) == ["a_b"], "an underscore is no wild card"
    assert await database.read(lambda tx: named(tx, "%")) == ["100%"]


async def test_counts_of_touched_rows_are_told(database: Database) -> None:
    await database.write(lambda tx: channels.add(tx, channel("a")))
    table = channels.channels
    touched = await database.write(lambda tx: tx.run(table.update().values(epoch=table.c.epoch + 1)))
    assert touched == 1
    assert await database.write(lambda tx: tx.run(table.delete().where(table.c.name == "never"))) == 0
    assert await database.write(lambda tx: tx.run(table.insert(), [])) == 0


# --- the lineage ----------------------------------------


def values(column: Any, number: int) -> Any:
    match column.type:
        case Boolean():
            return number % 2 == 0
        case Integer():
            return number
        case Float():
            return number + 0.5
        case LargeBinary():
            return number.to_bytes(16, "big")
        case _:
            return f'"{number}"'


def fill(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Two rows in every table that there is."""
    tables = MetaData()
    tables.reflect(engine)
    written: dict[str, list[dict[str, Any]]] = {}
    with engine.begin() as connection:
        for table in tables.sorted_tables:
            if table.name == "alembic_version":
                continue
            rows = [{column.name: values(column, number) for column in table.columns} for number in (1, 2)]
            connection.execute(table.insert(), rows)
            written[table.name] = rows
    return written


def test_rows_live_through_every_step_and_the_way_back_is_clean(url: str) -> None:
    steps = [script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()][::-1]
    engine = create_engine(url, poolclass=NullPool)
    written: dict[str, list[dict[str, Any]]] = {}
    for step in steps:
        upgrade(engine, step)
        tables = MetaData()
        tables.reflect(engine)
        with engine.begin() as connection:
            for name, rows in written.items():
                found = connection.execute(select(tables.tables[name])).mappings().all()
                assert len(found) == len(rows), (step, name)
                for row in rows:
                    kept = {key: value for key, value in row.items() if key in tables.tables[name].columns}
                    assert any(kept.items() <= dict(one).items() for one in found), (step, name)
            for table in reversed(tables.sorted_tables):
                if table.name != "alembic_version":
                    connection.execute(table.delete())
        written = fill(engine)
    for back in [*steps[:-1][::-1], "base"]:
        downgrade(engine, back)
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    engine.dispose()


def test_devices_that_named_an_organisation_belong_to_it_from_the_step_on_that_gave_rights_by_it(url: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    upgrade(engine, "0004")
    fill(engine)
    one, two, gone = (number.to_bytes(16, "big") for number in (1, 2, 99))
    tables = MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:
        connection.execute(tables.tables["organisations"].update().where(id_of(tables, one)).values(path="/01a/"))
        device = tables.tables["devices"]
        connection.execute(device.update().where(device.c.id == two).values(organisation=gone))
    upgrade(engine, "0005")
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        for name in ("devices", "channels"):
            table = tables.tables[name]
            query = select(table.c.id, table.c.organisation, table.c.organisation_path).order_by(table.c.id)
            assert [tuple(row) for row in connection.execute(query)] == [(one, one, "/01a/"), (two, None, "/")], name
        assert set(connection.execute(select(tables.tables["audit"].c.organisation_path)).scalars()) == {"/"}
    engine.dispose()


def id_of(tables: MetaData, value: bytes) -> Any:
    return tables.tables["organisations"].c.id == value


def _passage(name: str) -> dict[str, Any]:
    return {
        "id": name, "place": "tg_1", "tollgate": fresh("tg"), "device": None, "area_path": "/34/",
        "organisation_path": "/", "purposes": frozenset({"traffic", "security"}), "restricted": True,
        "keep_until": 1 << 50, "at": 7, "seen": 8, "lane": None, "confidence": 0.5, "speed_kmh": None,
        "plate": "皖A12345", "plate_colour": "blue", "plate_class": "02", "colour": "", "vehicle_class": "",
        "brand": "", "direction": "", "transponder": "", "sources": frozenset({"camera"}), "sightings": 1,
        "pictures": 0, "clock_doubtful": False,
    }  # fmt: skip


async def test_many_rows_at_once_are_as_if_each_came_alone(database: Database) -> None:
    one, other = _passage(fresh("ps")), _passage(fresh("ps"))
    other["tollgate"] = one["tollgate"]

    def work(tx: Tx) -> None:
        assert tx.add(passages, [one]) == 1
        assert tx.run(insert(passages), [other]) == 1
        assert tx.add(passages, []) == 0

    await database.write(work)
    rows = await database.read(lambda tx: [dict(row) for row in tx.rows(select(passages))])
    assert sorted(row.pop("id") for row in rows) == sorted((one.pop("id"), other.pop("id")))
    assert rows == [one, one]


async def test_of_many_rows_of_which_one_is_wrong_none_stays(database: Database) -> None:
    taken = _passage(fresh("ps"))
    await database.write(lambda tx: tx.add(passages, [taken]))
    with pytest.raises(ConflictError):
        await database.write(lambda tx: tx.add(passages, [_passage(fresh("ps")), taken]))
    with pytest.raises(InvalidError):
        await database.write(lambda tx: tx.add(passages, [_passage(fresh("ps")), _passage("no id")]))
    short = _passage(fresh("ps"))
    del short["plate"]
    with pytest.raises(KeyError):
        await database.write(lambda tx: tx.add(passages, [_passage(fresh("ps")), short]))
    assert len(await database.read(lambda tx: tx.rows(select(passages)))) == 1
