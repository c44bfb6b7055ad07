"""The database in a file: one writer, exactly the tables of the code. What all engines keep is in tests/contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect
from sqlalchemy.pool import NullPool

from safecity.backends.database import SqlDatabase, open_database
from safecity.backends.migrations.lineage import upgrade
from safecity.backends.migrations.tables import metadata
from safecity.core.ground.settings.api import get, move, position, put
from safecity.kit.errors import ConflictError, InvalidError
from safecity.kit.trace import trace, traced
from safecity.ports.database import Tx


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqlDatabase]:
    made = open_database(f"sqlite:///{tmp_path}/control.db")
    yield made
    await made.close()


async def test_work_in_the_threads_of_the_database_belongs_to_its_request(database: SqlDatabase) -> None:
    with traced("rq_9"):
        assert await database.write(lambda tx: trace()) == "rq_9"
        assert await database.read(lambda tx: trace()) == "rq_9"
    assert await database.read(lambda tx: trace()) == ""


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
