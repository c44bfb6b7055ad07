"""Foretold times and advice, held against what really happened in a simulated city.

    python -m benchmarks.eta --data FOLDER [--size full]      (FOLDER: nodes.csv.gz, edges.csv.gz of Stockholm)
    python -m benchmarks.eta --data FOLDER --size morning     (two hours of four days instead of two peaks of six)
    python -m benchmarks.eta --size smoke                     (a made town, seconds)

Needs the package `eclipse-sumo` (group `simulation`), a traffic simulator by itself: every vehicle follows, changes
lanes, waits at signals. The city centre of Stockholm is driven through on some working days by commuters and others;
some vehicles stand in the way, differently on each day. One vehicle in twenty tells every ten seconds where it is, five
metres wrong. Those positions go through the platform's own traffic duty: its bus, its flow, matching, sums, usual days,
speeds of now. Nothing else of the simulation is told to it.

*Arrival.* On days that it has not learnt from, each driver's time over the way that is driven is asked for at
departure: `product`, and beside it `free_flow` (an empty road), `profile` (the usual day alone) and `last_speed` (the
last speed that was measured of each road, else an empty one). Judged by what the trips took.

*Advice.* The same day once more, with every tenth driver taking what the product advises at departure, drawn over its
alternatives as it spreads drivers. Gains are of the same drivers between the two days, waiting to set out included;
`others` are all who kept their way. `advised_eta`: what was told them against what it took them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.eta_score import Told, gained, scored, spread
from benchmarks.simulation_demand import Day, Demand, Trip, Wishes
from benchmarks.simulation_net import SimulatedCity, made, stockholm, sumo_folder
from benchmarks.simulation_product import DAY_SECONDS, MONDAY_US, Product
from benchmarks.simulation_run import STEP_SECONDS, Moment, Outcome, SimulatedDay
from safecity.kit.clock import SECOND_US
from safecity.roads.network.arrays import free_speeds
from safecity.roads.routing.router import Router
from safecity.roads.routing.times import RoadTimes

WORST = ((7.5, 9.0), (16.0, 18.0))
"""Hours of the peaks."""


@dataclass(frozen=True)
class Size:
    """learnt, judged: so many days."""

    wishes: Wishes
    learnt: int
    judged: int


SIZES = {
    "smoke": Size(Wishes(((7.5, 8.0),), 250, probes=0.3, obstacles=1), 1, 1),
    "morning": Size(Wishes(((7.0, 9.0),), 8_500, obstacles=2), 2, 2),
    "full": Size(Wishes(((7.0, 9.5), (16.0, 18.0)), 17_000), 3, 3),
}


@dataclass(frozen=True)
class Driven:
    """A day as it went without advice."""

    moments: list[Moment]
    outcomes: dict[str, Outcome]
    teleported: int
    most: int


@dataclass(frozen=True)
class Judged:
    """What was told at departure, by estimator; `worst`: in the hours of the peaks."""

    told: dict[str, list[Told]]
    worst: dict[str, list[Told]]


@dataclass(frozen=True)
class Advised:
    """Outcomes with advice; what those who took it were told; predicted gains, seconds."""

    outcomes: dict[str, Outcome]
    told: list[Told]
    predicted: list[float]
    teleported: int


def drive(city: SimulatedCity, day: Day, folder: Path, seed: int) -> Driven:
    """Everybody over the usual way."""
    run = SimulatedDay(city, day, folder, seed)
    moments = list(run.moments())
    return Driven(moments, run.outcomes(), run.teleported, run.most)


async def learn(city: SimulatedCity, days: list[Driven], folder: Path) -> int:
    """One working day after the other; how many positions."""
    product = Product(city.network, folder, city.plane.degrees)
    await product.start(0)
    for number, day in enumerate(days):
        for moment in day.moments:
            await product.hear(number, moment)
        await product.end_of_day()
    await product.close()
    return product.positions


async def judge(city: SimulatedCity, day: Day, driven: Driven, weekday: int, folder: Path) -> Judged:
    """Ask at every departure, and compare with what it took."""
    product = Product(city.network, folder, city.plane.degrees)
    await product.start(weekday)
    network = city.network
    usual = product.city.times.arrays
    profile = Router(
        RoadTimes(network, usual._replace(extra=usual.extra * 0, measured=np.full_like(usual.measured, -np.inf)))
    )
    length = network.arrays.edge_length.astype(np.float64)
    last = free = free_speeds(network).astype(np.float64)
    leaving: dict[int, list[tuple[Trip, Outcome]]] = {}
    for trip in day.trips:
        outcome = driven.outcomes.get(trip.name)
        if outcome is not None:
            leaving.setdefault(int(outcome.depart) // STEP_SECONDS * STEP_SECONDS, []).append((trip, outcome))
    judged = Judged({}, {})
    for moment in driven.moments:
        await product.hear(weekday, moment)
        now = product.city.live.now.speed
        last = np.where(np.isfinite(now), now, last)
        for trip, outcome in leaving.get(moment.at, ()):
            way = np.array(trip.way)
            metres = float(length[way].sum())
            at = MONDAY_US + weekday * DAY_SECONDS * SECOND_US + round(outcome.depart * SECOND_US)
            ours = product.city.router.along(way, at)
            found = {
                "product": (ours.seconds, ours.low, ours.high),
                "profile": (profile.along(way, at).seconds, np.nan, np.nan),
                "last_speed": (float((length[way] / last[way]).sum()), np.nan, np.nan),
                "free_flow": (float((length[way] / free[way]).sum()), np.nan, np.nan),
            }
            peak = any(first <= outcome.depart / 3600 < end for first, end in WORST)
            for name, (told, low, high) in found.items():
                one = Told(told, outcome.seconds, low, high, metres)
                judged.told.setdefault(name, []).append(one)
                if peak:
                    judged.worst.setdefault(name, []).append(one)
    await product.close()
    return judged


async def advise(city: SimulatedCity, day: Day, weekday: int, folder: Path, seed: int) -> Advised:
    """The day again, with advice for those who follow it."""
    product = Product(city.network, folder, city.plane.degrees)
    await product.start(weekday)
    run, chance = SimulatedDay(city, day, folder / "sumo", seed), np.random.default_rng(seed)
    routes, predicted = {}, list[float]()
    for moment in run.moments():
        await product.hear(weekday, moment)
        for trip in moment.leaving:
            if not trip.follows:
                continue
            route = product.advice(trip.way, float(chance.random()))
            if route is not None:
                usual = product.city.router.along(np.array(trip.way), product.clock.now_us())
                predicted.append(usual.seconds - route.seconds)
                routes[trip.name] = route
                run.send(trip, tuple(int(edge) for edge in route.edges))
    await product.close()
    outcomes = run.outcomes()
    told = [
        Told(route.seconds, outcomes[name].seconds, route.low, route.high, route.metres)
        for name, route in routes.items()
        if name in outcomes
    ]
    return Advised(outcomes, told, predicted, run.teleported)


def _judge(city: SimulatedCity, day: Day, driven: Driven, weekday: int, folder: Path) -> Judged:
    return asyncio.run(judge(city, day, driven, weekday, folder))


def _advise(city: SimulatedCity, day: Day, weekday: int, folder: Path, seed: int) -> Advised:
    return asyncio.run(advise(city, day, weekday, folder, seed))


def prove(
    city: SimulatedCity,
    size: Size,
    folder: Path,
    processes: int,
    seed: int = 1,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, object]:
    """All of it."""
    demand = Demand(city, size.wishes, seed)
    say(f"{len(demand.habits)} commuters")
    learnt = [demand.day(number) for number in range(size.learnt)]
    days = [demand.day(100 + number) for number in range(size.judged)]
    weekday = size.learnt
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        runs = [
            pool.submit(drive, city, day, folder / f"day{day.number}", seed + day.number) for day in (*learnt, *days)
        ]
        driven = [one.result() for one in runs]
        say(f"driven: most at once {[one.most for one in driven]}, teleported {[one.teleported for one in driven]}")
        positions = asyncio.run(learn(city, driven[: size.learnt], folder / "learnt"))
        say(f"learnt from {positions} positions")
        plain = driven[size.learnt :]
        asked, told = [], []
        for day, one in zip(days, plain, strict=True):
            for kind in ("judged", "advised"):
                shutil.copytree(folder / "learnt", folder / f"{kind}{day.number}")
            told.append(pool.submit(_advise, city, day, weekday, folder / f"advised{day.number}", seed + day.number))
            asked.append(pool.submit(_judge, city, day, one, weekday, folder / f"judged{day.number}"))
        judged, advised = [one.result() for one in asked], [one.result() for one in told]
    return {
        "commuters": len(demand.habits),
        "trips": [len(day.trips) for day in days],
        "arrived": [len(one.outcomes) for one in plain],
        "on_the_roads_at_once": [one.most for one in driven],
        "teleported": [one.teleported for one in driven],
        "positions_learnt": positions,
        "eta": _eta([one.told for one in judged]),
        "eta_peak": _eta([one.worst for one in judged]),
        "advised_eta": scored([told for one in advised for told in one.told]),
        **_gains(days, plain, advised),
    }


def _eta(days: list[dict[str, list[Told]]]) -> dict[str, object]:
    names = days[0] if days else {}
    return {
        name: scored([told for day in days for told in day.get(name, ())])
        | {"mae_s_by_day": [scored(day.get(name, ())).get("mae_s") for day in days]}
        for name in names
    }


def _gains(days: list[Day], plain: list[Driven], advised: list[Advised]) -> dict[str, object]:
    result: dict[str, object] = {}
    for name, follows in (("advised", True), ("others", False)):
        found = []
        for day, before, after in zip(days, plain, advised, strict=True):
            both = [
                (before.outcomes[one.name].whole, after.outcomes[one.name].whole)
                for one in day.trips
                if one.follows is follows and one.name in before.outcomes and one.name in after.outcomes
            ]
            found.append(gained(*zip(*both, strict=True)))
        result[name] = {
            "gain_percent": spread([one["gain_percent"] for one in found]),
            "gain_s": spread([one["gain_s"] for one in found]),
            "by_day": found,
        }
    result["predicted_gain_s"] = [round(float(np.mean(one.predicted)), 1) for one in advised]
    result["teleported_advised"] = [one.teleported for one in advised]
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with nodes.csv.gz and edges.csv.gz")
    parser.add_argument("--size", choices=sorted(SIZES), default="")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="of who drives when, and of the simulator's own chances")
    options = parser.parse_args()
    if sumo_folder() is None:
        print(json.dumps({"benchmark": "eta", "left_out": "the package eclipse-sumo is not installed"}))
        return 0
    size = options.size or ("full" if options.data else "smoke")
    begun = time.perf_counter()

    def say(text: str) -> None:
        print(f"{time.perf_counter() - begun:6.0f} s  {text}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        city = stockholm(options.data, folder) if options.data else made(14, folder)
        say(f"{len(city.driven)} edges")
        found = prove(city, SIZES[size], folder, options.processes, options.seed, say)
    print(
        json.dumps(
            {
                "benchmark": "eta", "size": size, "seed": options.seed, "edges": len(city.driven), **found,
                "wall_s": round(time.perf_counter() - begun),
            }
        )
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
