"""What is summed of the traffic is what was driven, once, whatever happens to the process that follows it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.contract.traffic_city import followed, network, open_own, placed, summed, totals, traffic

from safecity.backends.bus import EmbeddedBus
from safecity.backends.sqlitefile import open_file
from safecity.core.upper.traffic.operator import TrafficOperator
from safecity.kit.clock import SECOND_US, FakeClock

KILLS = 3
"""Of each kind."""


async def test_a_process_that_is_killed_again_and_again_sums_what_one_sums_that_lives(tmp_path: Path) -> None:
    events = traffic()
    bus = EmbeddedBus(open_file, tmp_path / "bus.db")
    await bus.publish(events)
    await bus.close()
    command = [sys.executable, "-m", "tests.contract.traffic_city", str(tmp_path), str(KILLS), "5"]
    killed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert killed == [str(KILLS), str(KILLS)], "each died, and the last one did not"
    database = open_own(tmp_path)
    sums = await summed(database)
    await database.close()
    expected = totals(TrafficOperator(network(), "x", b"salt"), events)
    assert {(one.bucket, one.edge): one[2:6] for one in sums} == expected
    assert sum(one.millimetres for one in sums) > 3_000_000, "kilometres were driven"


@pytest.mark.parametrize("limit", [1, 7, 1000])
async def test_it_makes_no_difference_how_the_stream_is_cut(tmp_path: Path, limit: int) -> None:
    events = traffic(3)
    bus, database = EmbeddedBus(open_file, tmp_path / "bus.db"), open_own(tmp_path)
    await bus.publish(events)
    following = await followed(database, bus, placed(tmp_path), FakeClock(events[-1].at + SECOND_US), events=limit)
    while await following.step():
        pass
    expected = totals(TrafficOperator(network(), "x", b"salt"), events)
    assert {(one.bucket, one.edge): one[2:6] for one in await summed(database)} == expected
    await bus.close()
    await database.close()
