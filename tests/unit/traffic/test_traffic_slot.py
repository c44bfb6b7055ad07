"""The duty says how it stands: without a network, with a damaged one, without a disk; and takes up what comes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.contract.traffic_city import open_own
from tests.ladder import NORTH, SOUTH, STEP, ladder

from safecity.backends.bus import EmbeddedBus
from safecity.backends.sqlitefile import open_file
from safecity.core.upper.traffic import slot as slots
from safecity.core.upper.traffic.slot import TrafficSlot
from safecity.kit.clock import SystemClock
from safecity.kit.errors import NotFoundError, SafecityError, UnavailableError
from safecity.model.facts.traffic_calls import (
    ApplyTraffic,
    AskNetwork,
    AskRoutes,
    AskTraffic,
    TrafficClosure,
    TrafficFigures,
)
from safecity.roads.network.versions import current_version, put_version

SOON = 60.0


class Duty:
    """The slot with what it stands on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bus = EmbeddedBus(open_file, folder / "bus.db")
        self.changed = asyncio.Event()
        self.refused: SafecityError | None = None
        self.slot = TrafficSlot(folder / "roads", self._open, self.bus, SystemClock(), changed=self.changed.set)
        self.running = asyncio.get_running_loop().create_task(self.slot.run())

    def _open(self) -> Any:
        if self.refused is not None:
            raise self.refused
        return open_own(self.folder)

    async def ask(self, message: Any) -> Any:
        return await self.slot.handlers()[type(message)](message)

    async def state(self) -> str:
        figures = await self.ask(AskTraffic())
        assert isinstance(figures, TrafficFigures)
        return figures.state

    async def until(self, probe: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(SOON):
            while not await probe():
                assert not self.running.done() or self.running.exception() is None
                await asyncio.sleep(0.01)

    async def becomes(self, state: str) -> None:
        async def there() -> bool:
            return await self.state() == state

        await self.until(there)

    def bring(self, label: str = "ladder") -> str:
        network = ladder()
        return put_version(
            self.folder / "roads", type(network)(network.arrays, label), dropped={}, sources=(), at_us=1
        ).version  # fmt: skip


@pytest.fixture
async def duty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Duty]:
    monkeypatch.setattr(slots, "LOOK_SECONDS", 0.02)
    made = Duty(tmp_path)
    yield made
    made.running.cancel()
    await asyncio.gather(made.running, return_exceptions=True)
    await made.bus.close()


async def test_without_a_network_it_says_so_and_takes_up_the_first_and_the_next(duty: Duty) -> None:
    await duty.becomes("no_network")
    with pytest.raises(UnavailableError) as refused:
        await duty.ask(AskNetwork())
    assert refused.value.code == "traffic_no_network"
    version = duty.bring()
    await duty.becomes("ready")
    assert (await duty.ask(AskNetwork())).version == version == current_version(duty.folder / "roads")
    assert not duty.changed.is_set()
    duty.bring("another")
    async with asyncio.timeout(SOON):
        await duty.changed.wait()


async def test_no_way_is_told_before_closures_are_known_and_none_leads_over_them(duty: Duty) -> None:
    duty.bring()
    await duty.becomes("ready")
    ask = AskRoutes(SOUTH, NORTH, SystemClock().now_us())
    with pytest.raises(UnavailableError) as refused:
        await duty.ask(ask)
    assert refused.value.code == "traffic_loading"
    across = tuple((x, 59.3 + 2.5 * STEP) for x in (18.0, 18.0 + STEP / 0.5105))
    every = tuple(TrafficClosure(f"cl_{n}", (place,), True, 0) for n, place in enumerate(across))
    await duty.ask(ApplyTraffic(1, every[:1], "Asia/Shanghai"))
    assert (await duty.ask(ask)).routes[0].metres > 2_500, "round it"
    await duty.ask(ApplyTraffic(2, every, "Asia/Shanghai"))
    with pytest.raises(NotFoundError) as nowhere:
        await duty.ask(ask)
    assert nowhere.value.code == "route_closed"
    await duty.ask(ApplyTraffic(3, (), "Asia/Shanghai"))
    assert (await duty.ask(ask)).routes[0].metres == pytest.approx(2_000, abs=5)


async def test_a_damaged_network_is_named_and_a_good_one_in_its_place_is_taken_up(duty: Duty) -> None:
    elsewhere, roads = duty.folder / "elsewhere", duty.folder / "roads"
    version = put_version(elsewhere, ladder(), dropped={}, sources=(), at_us=1).version
    whole = (elsewhere / f"{version}.roads").read_bytes()
    roads.mkdir()
    (roads / f"{version}.roads").write_bytes(whole[:-1] + bytes((whole[-1] ^ 1,)))
    for name in (f"{version}.json", "current"):
        (roads / name).write_bytes((elsewhere / name).read_bytes())
    await duty.becomes("network_damaged")
    assert "digest" in (await duty.ask(AskTraffic())).detail
    put_version(roads, ladder(), dropped={}, sources=(), at_us=2)
    await duty.becomes("ready")


async def test_it_waits_for_its_disk(duty: Duty) -> None:
    duty.refused = UnavailableError("full", code="disk_full")
    duty.bring()
    await duty.becomes("no_storage")
    duty.refused = None
    await duty.becomes("ready")


WITHOUT = """
import asyncio, sys
from pathlib import Path
sys.modules["numba"] = None
import safecity.server.roles.traffic
heavy = [name for name in ("numpy", "sqlalchemy", "fastapi") if name in sys.modules]
from safecity.core.upper.traffic.api import TrafficSlot
from safecity.kit.clock import SystemClock
from safecity.kit.errors import UnavailableError
from safecity.model.facts.traffic_calls import AskNetwork, AskTraffic

async def main() -> None:
    slot = TrafficSlot(Path(sys.argv[1]), lambda: None, None, SystemClock())
    running = asyncio.create_task(slot.run())
    ask = slot.handlers()
    while (await ask[AskTraffic](AskTraffic())).state == "loading":
        await asyncio.sleep(0.01)
    try:
        await ask[AskNetwork](AskNetwork())
    except UnavailableError as error:
        print(error.code, heavy, running.done())
    running.cancel()

asyncio.run(main())
"""


def test_where_the_extra_is_not_installed_it_says_so_and_loads_nothing_heavy(tmp_path: Path) -> None:
    put_version(tmp_path, ladder(), dropped={}, sources=(), at_us=1)
    command = [sys.executable, "-c", WITHOUT, str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split(maxsplit=1)
    assert said == ["traffic_not_installed", "[] False\n"]
