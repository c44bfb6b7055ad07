"""The port `Leases` as two tables of the shared database: right for as long as all who take are reached by it.

A row outlives its owner, because the epoch must never fall: what is given back keeps its row with nobody in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import BigInteger, Column, Table, Text, delete, insert, select, update

from safecity.core.ground.sql import metadata, moment
from safecity.kit.errors import ConflictError
from safecity.ports.database import Database, Tx
from safecity.ports.leases import Lease

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False, index=True),
    Column("epoch", BigInteger, nullable=False),
)
lease_owners = Table(
    "lease_owners",
    metadata,
    Column("owner", Text, primary_key=True),
    moment("until"),
)
_STEP = 500
"""Names in one statement: databases limit the number of bound values."""


class SqlLeases:
    """Made over any engine of the port `Database`; each call is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def live(self, owner: str, *, until: int) -> None:
        def work(tx: Tx) -> None:
            found = tx.row(select(lease_owners.c.until).where(lease_owners.c.owner == owner))
            if found is None:
                tx.run(insert(lease_owners).values(owner=owner, until=until))
            elif until > found["until"]:
                tx.run(update(lease_owners).where(lease_owners.c.owner == owner).values(until=until))

        await self._database.write(work)

    async def ended(self, owner: str) -> list[Lease]:
        def work(tx: Tx) -> list[Lease]:
            tx.run(delete(lease_owners).where(lease_owners.c.owner == owner))
            return _held(tx, owner)

        return await self._database.write(work)

    async def take(self, names: Sequence[str], owner: str, *, now: int) -> list[Lease]:
        def work(tx: Tx) -> list[Lease]:
            # Engines with several writers: whoever takes waits here for whoever else takes, and reads after that.
            tx.run(update(lease_owners).values(until=lease_owners.c.until))
            alive = {row["owner"] for row in tx.rows(select(lease_owners.c.owner).where(lease_owners.c.until > now))}
            if owner not in alive:
                raise ConflictError(f"{owner} is not alive", code="owner_not_live", params={"owner": owner})
            known = _find(tx, names)
            taken: list[Lease] = []
            for name in dict.fromkeys(names):
                before = known.get(name)
                if before is None:
                    taken.append(Lease(name, owner, 1))
                    tx.run(insert(leases).values(name=name, owner=owner, epoch=1))
                elif before.owner == owner:
                    taken.append(before)
                elif before.owner not in alive:
                    taken.append(Lease(name, owner, before.epoch + 1))
                    tx.run(update(leases).where(leases.c.name == name).values(owner=owner, epoch=before.epoch + 1))
            return taken

        return await self._database.write(work)

    async def release(self, leases_: Sequence[Lease]) -> None:
        def work(tx: Tx) -> None:
            for one in leases_:
                held = (leases.c.name == one.name, leases.c.owner == one.owner, leases.c.epoch == one.epoch)
                tx.run(update(leases).where(*held).values(owner=""))

        await self._database.write(work)

    async def find(self, names: Sequence[str]) -> Mapping[str, Lease]:
        found = await self._database.read(lambda tx: _find(tx, names))
        return {name: lease for name, lease in found.items() if lease.owner}

    async def held(self, owner: str) -> list[Lease]:
        return await self._database.read(lambda tx: _held(tx, owner))


def _held(tx: Tx, owner: str) -> list[Lease]:
    rows = tx.rows(select(leases).where(leases.c.owner == owner))
    return sorted((Lease(row["name"], row["owner"], row["epoch"]) for row in rows), key=lambda lease: lease.name)


def _find(tx: Tx, names: Sequence[str]) -> dict[str, Lease]:
    found: dict[str, Lease] = {}
    for start in range(0, len(names), _STEP):
        for row in tx.rows(select(leases).where(leases.c.name.in_(names[start : start + _STEP]))):
            found[row["name"]] = Lease(row["name"], row["owner"], row["epoch"])
    return found
