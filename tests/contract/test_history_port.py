"""One body for every engine of the port `History`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from safecity.backends.history import DAY_US, DayFiles
from safecity.backends.sqlitefile import open_file
from safecity.model.facts.envelope import Event
from safecity.ports.history import History

Open = Callable[[], AbstractAsyncContextManager[History]]


def event(at: int, subject: str = "ch_1", kind: str = "alarm.received", area: str = "/34/") -> Event:
    return Event(kind=kind, subject=subject, at=at, seen=at, id=f"ev_{at:020}_{subject}", area=area)


def files(folder: Path) -> Open:
    """One SQL file per day."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[History]:
        history = DayFiles(open_file, folder / "history")
        yield history
        await history.close()

    return opened


ENGINES: dict[str, Callable[[Path], Open]] = {"files": files}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    return ENGINES[request.param](tmp_path)


@pytest.fixture
async def history(engine: Open) -> AsyncIterator[History]:
    async with engine() as opened:
        yield opened


async def test_newest_first_over_the_border_of_days_and_page_by_page(history: History) -> None:
    times = [DAY_US * 20_000 + step for step in (-2, -1, 0, 1)]
    await history.append([event(at) for at in times])
    page = await history.find(0, DAY_US * 30_000, limit=3)
    assert [e.at for e in page] == times[:0:-1]
    rest = await history.find(0, DAY_US * 30_000, before=(page[-1].at, page[-1].id), limit=3)
    assert [e.at for e in rest] == times[:1]


async def test_an_event_appended_twice_is_found_once(history: History) -> None:
    await history.append([event(5), event(5)])
    await history.append([event(5)])
    assert len(await history.find(0, DAY_US)) == 1


async def test_found_by_kind_subject_area_and_time(history: History) -> None:
    await history.append(
        [event(1, "a"), event(2, "b", kind="device.went_online"), event(3, "b", area="/35/"), event(DAY_US, "a")]
    )
    assert [e.at for e in await history.find(0, DAY_US, subject="b")] == [3, 2]
    assert [e.at for e in await history.find(0, DAY_US, kinds=["device.went_online"])] == [2]
    assert [e.at for e in await history.find(0, 2 * DAY_US, area="/35/")] == [3]
    assert [e.at for e in await history.find(1, 3)] == [2, 1]


async def test_days_past_retention_are_gone_and_the_others_are_not(history: History) -> None:
    await history.append([event(DAY_US * day + 5) for day in (1, 2, 3)])
    assert await history.drop_before(3 * DAY_US) == 2
    assert [e.at for e in await history.find(0, DAY_US * 10)] == [3 * DAY_US + 5]


async def test_all_is_found_after_a_restart(engine: Open) -> None:
    async with engine() as first:
        await first.append([event(5), event(DAY_US + 5)])
    async with engine() as second:
        assert [e.at for e in await second.find(0, 2 * DAY_US)] == [DAY_US + 5, 5]
        await second.append([event(5)])
        assert len(await second.find(0, 2 * DAY_US)) == 2


async def test_more_days_than_are_kept_open_are_found_too(history: History) -> None:
    times = [DAY_US * day + 5 for day in range(1, 31)]
    await history.append([event(at) for at in times])
    assert [e.at for e in await history.find(0, DAY_US * 40)] == times[::-1]
