"""A batch is filed as its sightings one by one; what is said again, corrected or taken back leaves nothing twice."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from tests.unit.passages.vehicles import NOON, gate, seen

from safecity.backends.database import SqlDatabase
from safecity.core.ground.passages import store
from safecity.core.ground.passages.api import Filed, Place, Sighting, file, forget
from safecity.core.ground.passages.filing import spans
from safecity.kit.ids import fresh
from safecity.ports.database import Tx


def kept(tx: Tx, place: Place) -> list[tuple[str, int, int, frozenset[str]]]:
    found = store.near(tx, place.id, [(0, 1 << 60)])
    of = store.sightings_of(tx, [one.id for one in found])
    for one in found:
        assert one.sightings == len(of[one.id]), "the row says how many it was made of"
    return sorted((one.plate, one.at, one.sightings, one.sources) for one in found)


@pytest.mark.parametrize("seed", range(6))
async def test_a_batch_is_filed_as_its_sightings_one_by_one(seed: int, database: SqlDatabase) -> None:
    dice = Random(seed)
    plates = [f"皖A{dice.randrange(10_000, 99_999)}" for _ in range(30)]
    told: list[Sighting] = []
    for vehicle, plate in enumerate(plates):
        for origin in ("camera", "reader", "antenna"):
            after = vehicle * 2.5 + dice.uniform(0, 1.5)
            read = "" if dice.random() < 0.1 else plate
            told.append(seen(len(told), after, plate=read, origin=origin, lane=dice.choice([None, 1, 2])))
    dice.shuffle(told)
    told += [replace(one, id=fresh("sg")) for one in dice.sample(told, 10)]
    alone, together = gate(), gate()

    def one_by_one(tx: Tx) -> list[Filed]:
        return [outcome for one in told for outcome in file(tx, alone, [one])]

    def in_parts(tx: Tx) -> list[Filed]:
        other = [replace(one, id=fresh("sg"), origin=f"other {one.origin}") for one in told]
        outcomes: list[Filed] = []
        while other:
            size = dice.randrange(1, 40)
            outcomes += file(tx, together, other[:size])
            other = other[size:]
        return outcomes

    assert await database.write(one_by_one) == await database.write(in_parts)
    assert await database.read(lambda tx: kept(tx, alone)) == await database.read(lambda tx: kept(tx, together))


async def test_said_again_corrected_and_taken_back(database: SqlDatabase) -> None:
    place, one = gate(), seen(1, plate="皖A12345")
    other = seen(2, 0.5, plate="皖A12345", origin="reader")

    async def filed(*many: Sighting) -> list[Filed]:
        return await database.write(lambda tx: file(tx, place, [replace(each, id=fresh("sg")) for each in many]))

    assert await filed(one, other, one) == [Filed.NEW, Filed.FUSED, Filed.KNOWN]
    assert await filed(one, replace(one, plate="皖C99999"), other) == [Filed.KNOWN, Filed.CORRECTED, Filed.KNOWN]
    assert [row[0] for row in await database.read(lambda tx: kept(tx, place))] == ["皖A12345", "皖C99999"]
    assert await filed(replace(one, plate="皖C99999", seen=one.seen + 1)) == [Filed.KNOWN]
    assert await database.write(lambda tx: forget(tx, "camera", ["1", "unknown"], NOON)) == 1
    assert [row[0] for row in await database.read(lambda tx: kept(tx, place))] == ["皖A12345"]
    assert await filed(seen(3, plate="first"), seen(3, plate="second")) == [Filed.NEW, Filed.CORRECTED]
    assert [row[0] for row in await database.read(lambda tx: kept(tx, place))] == ["second", "皖A12345"]


async def test_two_places_and_two_hours_are_told_apart(database: SqlDatabase) -> None:
    here, there = gate(), gate()
    await database.write(lambda tx: file(tx, here, [seen(1, plate="皖A12345"), seen(2, 3600, plate="皖A12345")]))
    await database.write(lambda tx: file(tx, there, [seen(3, plate="皖A12345")]))
    assert len(await database.read(lambda tx: kept(tx, here))) == 2
    assert len(await database.read(lambda tx: kept(tx, there))) == 1


@pytest.mark.parametrize("order", [1, -1])
async def test_a_vehicle_in_a_jam_is_filed_alike_at_once_and_one_by_one(order: int, database: SqlDatabase) -> None:
    """A camera that says every three seconds who stands before it would else make a passage of minutes, or several."""
    told = [seen(number, number * 3.0, plate="皖A12345") for number in range(12)][::order]
    alone, together = gate(), gate()

    def one_by_one(tx: Tx) -> None:
        for one in told:
            file(tx, alone, [one])

    others = [replace(one, id=fresh("sg"), origin="other") for one in told]
    await database.write(one_by_one)
    await database.write(lambda tx: file(tx, together, others))
    rows = await database.read(lambda tx: kept(tx, alone))
    assert rows == await database.read(lambda tx: kept(tx, together))
    assert [count for _, _, count, _ in rows] == [3, 3, 3, 3], "none spans more than two windows"


async def test_who_named_the_wrong_place_corrects_it(database: SqlDatabase) -> None:
    wrong, right, one = gate(), gate(), seen(1, plate="皖A12345")

    async def filed(place: Place) -> list[Filed]:
        return await database.write(lambda tx: file(tx, place, [replace(one, id=fresh("sg"))]))

    assert await filed(wrong) == [Filed.NEW]
    assert await filed(right) == [Filed.CORRECTED]
    assert await database.read(lambda tx: kept(tx, wrong)) == []
    assert [row[0] for row in await database.read(lambda tx: kept(tx, right))] == ["皖A12345"]
    assert await filed(right) == [Filed.KNOWN]


def test_stretches_of_time_are_joined_where_they_touch() -> None:
    assert spans([50, 10, 11], 5) == [(5, 16), (45, 55)]
    assert spans([10, 20], 5) == [(5, 25)]
    assert spans([], 5) == []
