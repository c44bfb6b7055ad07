"""How many expressways of Linear Road one core keeps up with, every answer right.

`python -m benchmarks.linear_road --data ../shared/data/traffic/linear_road_dev [--copies 15] [--commit-seconds 1]`

So many copies of the expressway go through one runner of flows on the embedded bus and database, pinned to one core.
Each second of input is one event per copy; it is published, read, computed and committed (state, place and answers in
one transaction), and the answers are published. Nothing is paced. `l_rating_per_core` is copies x seconds of input /
CPU seconds of all that, sweeping out what was read and threads of bus and database included; making the input out of
the file and judging the answers are not in it. `l_rating_worst_minute` is the same of the dearest minute.
`max_response_s` is what a reader would have waited: a second of input comes when its time has come, and waits until
what came before is through; how long that took is measured by the wall, for `max_response_cpu_s` by the CPU.

Every answer of every copy is compared with the expected file: `wrong_answers` (other than expected, or given twice) and
`missing_answers`. For a balance the one before the latest charge is right too, as the rules have it.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, takewhile
from pathlib import Path

from benchmarks.linear_road_query import BALANCE, EXPENDITURE, PACKED, POSITION, START, flow
from safecity.backends.bus import EmbeddedBus
from safecity.backends.database import open_database
from safecity.backends.sqlitefile import open_file
from safecity.core.upper.flows.api import FlowRunner, status
from safecity.kit.clock import SECOND_US, FakeClock
from safecity.model.facts.envelope import Event

Answer = tuple[int, ...]


def lines(path: Path) -> Iterator[list[int]]:
    """The numbers of each line."""
    with gzip.open(path, "rt", encoding="ascii") as file:
        for line in file:
            yield [int(word) for word in line.split(",")]


def seconds(folder: Path, until: int) -> list[tuple[int, bytes]]:
    """The input before a second, packed by second."""
    found: list[tuple[int, bytes]] = []
    rows = (row for row in lines(folder / "positions_1xway_0-1500s.dat.gz") if row[0] in (0, 2, 3))
    for second, reports in groupby(takewhile(lambda row: row[1] < until, rows), key=lambda row: row[1]):
        packed = [
            PACKED.pack(kind, vehicle, speed, lane, direction, segment, position, query, max(day, 0))
            for kind, _, vehicle, speed, _, lane, direction, segment, position, query, *_, day in reports
        ]
        found.append((second, b"".join(packed)))
    return found


@dataclass
class Judge:
    """What must be said, in the shape of `Answers`, and what is right instead of it."""

    wanted: dict[Answer, int] = field(default_factory=dict[Answer, int])
    instead: dict[Answer, Answer] = field(default_factory=dict[Answer, Answer])
    wrong: Counter[int] = field(default_factory=Counter[int])
    examples: list[Answer] = field(default_factory=list[Answer])

    @classmethod
    def of(cls, folder: Path, until: int) -> Judge:
        """From the expected file, up to a second; the wall clock in its third column is left out."""
        judge = cls()
        balances: dict[int, Answer] = {}
        for kind, *rest in lines(folder / "expected_out.dat.gz"):
            if rest[1 if kind == POSITION else 0] >= until:
                continue
            if kind == POSITION:
                vehicle, second, _, lav, toll = rest
                answer: Answer = (POSITION, vehicle, second, lav, toll)
            elif kind == 1:
                second, _, _, segment, direction, vehicle = rest
                answer = (1, second, segment, direction, vehicle)
            elif kind in (BALANCE, 5):
                second, _, result, query, balance = rest
                answer = (BALANCE, second, result, query, balance)
                if kind == 5:
                    judge.instead[answer] = balances[query]
                    continue
                balances[query] = answer
            else:
                second, _, query, toll = rest
                answer = (EXPENDITURE, second, query, toll)
            judge.wanted[answer] = len(judge.wanted)
        return judge

    def hear(self, given: bytearray, answers: list[list[int]]) -> None:
        """Answers of one copy; `given` marks what it has said."""
        for each in answers:
            answer = tuple(each)
            index = self.wanted.get(answer)
            if index is None and answer in self.instead:
                index = self.wanted[self.instead[answer]]
            if index is None or given[index]:
                self.wrong[answer[0]] += 1
                self.examples.append(answer)
            else:
                given[index] = 1


@dataclass
class Run:
    """What was measured, second by second."""

    cpu: list[float] = field(default_factory=list[float])
    response: list[float] = field(default_factory=list[float])
    response_cpu: list[float] = field(default_factory=list[float])


async def measure(folder: Path, data: Path, copies: int, commit_seconds: int, until: int) -> dict[str, object]:
    """Everything, on the core this process may use."""
    judge, reports = Judge.of(data, until), seconds(data, until)
    past = {(vehicle, day, way): toll for vehicle, day, way, toll in lines(data / "historical_tolls.dat.gz")}
    given = [bytearray(len(judge.wanted)) for _ in range(copies)]
    database, bus = open_database(f"sqlite:///{folder}/control.db"), EmbeddedBus(open_file, folder / "bus.db")
    runner = FlowRunner(database, bus, flow(past), FakeClock(START))
    run, free, free_cpu = Run(), 0.0, 0.0
    for at in range(0, len(reports), commit_seconds):
        part = reports[at : at + commit_seconds]
        events = [
            Event(
                kind="linear_road.reported", subject=str(copy), at=START + second * SECOND_US,
                seen=START + second * SECOND_US, id=f"ev_{copy}_{second}", body={"reports": packed},
            )
            for second, packed in part
            for copy in range(copies)
        ]  # fmt: skip
        wall, cpu = time.perf_counter(), time.process_time()
        # What everybody has read goes, as it does in a platform that runs for long.
        if at and at // commit_seconds % 100 == 0:
            await bus.sweep(1 << 62)
        await bus.publish(events)
        while await runner.step():
            pass
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        free, free_cpu = max(free, part[-1][0]) + wall, max(free_cpu, part[-1][0]) + cpu
        run.cpu.append(cpu)
        run.response.append(free - part[0][0])
        run.response_cpu.append(free_cpu - part[0][0])
        while found := await bus.pull("judge", ["linear_road.answered"], 1000):
            for _, event in found:
                judge.hear(given[int(event.subject)], event.body["answers"])
            await bus.acknowledge("judge", found[-1][0])
    how = await database.read(lambda tx: status(tx, "linear_road"))
    await bus.close()
    await database.close()
    per_minute = max(60 // commit_seconds, 1)
    dearest = max(sum(run.cpu[at : at + per_minute]) for at in range(0, len(run.cpu), per_minute))
    tuples = copies * sum(len(packed) // PACKED.size for _, packed in reports)
    duration = reports[-1][0]
    return {
        "wrong_answers": judge.wrong.total(),
        "missing_answers": sum(one.count(0) for one in given),
        "l_rating_per_core": round(copies * duration / sum(run.cpu), 1),
        "l_rating_worst_minute": round(copies * per_minute * commit_seconds / dearest, 1),
        "max_response_s": round(max(run.response), 3),
        "max_response_cpu_s": round(max(run.response_cpu), 3),
        "copies": copies,
        "commit_seconds": commit_seconds,
        "tuples": tuples,
        "answers": sum(one.count(1) for one in given),
        "cpu_seconds": round(sum(run.cpu), 2),
        "cpu_us_per_tuple": round(1e6 * sum(run.cpu) / tuples, 2),
        "set_aside": how.letters,
        "examples_of_wrong": judge.examples[:5],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--copies", type=int, default=15, help="expressways that really run")
    parser.add_argument("--commit-seconds", type=int, default=1, help="seconds of input in one transaction")
    parser.add_argument("--until", type=int, default=1 << 30, help="stop before this second of the input")
    options = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory(prefix="safecity-linear-road-") as folder:
        work = measure(Path(folder), options.data, options.copies, options.commit_seconds, options.until)
        print(json.dumps(asyncio.run(work)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
