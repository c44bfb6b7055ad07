"""The database: transactions, one writer, and a lineage of schemas that keeps the rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.pool import NullPool

from safecity.backends.database import SqlDatabase, open_database
from safecity.backends.migrations.lineage import downgrade, upgrade
from safecity.backends.migrations.tables import metadata
from safecity.core.ground.settings.api import get, move, position, put
from safecity.kit.errors import ConflictError, InvalidError
from safecity.ports.database import Tx


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqlDatabase]:
    made = open_database(f"sqlite:///{tmp_path}/control.db")
    yield made
    await made.close()


async def test_a_failed_transaction_leaves_nothing_and_tells_nobody(database: SqlDatabase) -> None:
    told: list[str] = []

    def work(tx: Tx) -> None:
        put(tx, "a", 1)
        tx.after_commit(lambda: told.append("a"))
        raise InvalidError("no")

    with pytest.raises(InvalidError):
        await database.write(work)
    assert await database.read(lambda tx: get(tx, "a")) is None
    assert told == []


async def test_what_follows_a_commit_runs_in_the_callers_loop(database: SqlDatabase) -> None:
    told: list[asyncio.AbstractEventLoop] = []
    await database.write(lambda tx: tx.after_commit(lambda: told.append(asyncio.get_running_loop())))
    assert told == [asyncio.get_running_loop()]


async def test_many_writers_wait_their_turn_and_none_is_lost(database: SqlDatabase) -> None:
    await database.write(lambda tx: put(tx, "n", 0))
    await asyncio.gather(*(database.write(lambda tx: put(tx, "n", get(tx, "n") + 1)) for _ in range(100)))
    assert await database.read(lambda tx: get(tx, "n")) == 100


async def test_a_reader_cannot_write(database: SqlDatabase) -> None:
    with pytest.raises(Exception, match=r"readonly|not available|database"):
        await database.read(lambda tx: put(tx, "a", 1))


async def test_a_second_writer_is_refused_at_the_door(database: SqlDatabase, tmp_path: Path) -> None:
    with pytest.raises(ConflictError) as refused:
        open_database(f"sqlite:///{tmp_path}/control.db")
    assert refused.value.code == "second_writer"


async def test_a_consumers_place_and_its_effect_go_together(database: SqlDatabase) -> None:
    def work(tx: Tx) -> None:
        put(tx, "effect", 1)
        move(tx, "core", 7)

    await database.write(work)
    assert await database.read(lambda tx: (get(tx, "effect"), position(tx, "core"))) == (1, 7)


async def test_a_value_that_is_no_id_is_the_callers_error(database: SqlDatabase) -> None:
    from safecity.core.ground.devices.api import find

    def work(tx: Tx) -> str:
        try:
            find(tx, "ch_not_a_device")
        except InvalidError as error:
            return error.code
        return ""

    assert await database.read(work) == "invalid_id"


def test_the_lineage_makes_exactly_the_tables_of_the_code(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/x.db", poolclass=NullPool)
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
    for table in metadata.tables:
        assert inspect(engine).get_pk_constraint(table)["name"] == f"pk_{table}"
    engine.dispose()


def test_rows_live_through_every_step_and_a_second_start(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/x.db", poolclass=NullPool)
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO settings VALUES ('platform', '{\"name\":\"Wuhu\"}', 1)"))
        connection.execute(text("INSERT INTO consumers (name, position) VALUES ('core', 42)"))
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT value FROM settings")).scalar() == '{"name":"Wuhu"}'
        assert connection.execute(text("SELECT position FROM consumers")).scalar() == 42
    downgrade(engine, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    upgrade(engine)
    engine.dispose()
