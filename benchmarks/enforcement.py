"""Electronic police: staged passages over a crossing, red lights among them, from trajectories to confirmed records.

    python -m benchmarks.enforcement [--seed 1] [--scale 1]

500 passages with 100 red lights by default, drawn by `sim.crossing` with what a detector gets wrong (boxes that
tremble, 6 % missing, 3 % of the plates misread, 2 % not read), with vehicles that stand behind the line, turn right at
red, are over the line before red begins, or are on duty. The lights come from a controller's feed whose clock is off
by up to 0.15 s, half of it told late; and for every other passage from lamps in the picture that flicker wrongly for
0.2 s.

What the judge finds is proposed to the platform itself (a database and pictures in a folder, the vehicles on duty on
its list of exempt ones), and two people review it who read each plate right and pass all that they may.

`proposed_of_red`     of the red lights, how many became candidates (wanted >= 90 of 100)
`confirmed_of_red`    of the red lights, how many became records
`wrong_proposed`      candidates of vehicles that did nothing
`wrong_confirmed`     records of vehicles that did nothing or were on duty (wanted 0)
`on_duty_void`        of the vehicles on duty that were proposed, how many were void by rule at once
`on_duty_refused`     of those, how many were found on the list when a person had read the plate
`evidence_unfit`      candidates that nobody can confirm as they are, with what they lack
`plates_to_correct`   candidates whose plate was read wrong: a reviewer has to see it
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from safecity.backends.database import open_database
from safecity.backends.files import open_blobs
from safecity.core.ground.access.api import Actor, Grant, Role
from safecity.core.ground.loose.api import Loose
from safecity.core.upper.violations.api import (
    Kind,
    Proposing,
    Rules,
    Shown,
    State,
    Violation,
    Violations,
    ViolationSettings,
    lacking,
)
from safecity.kit.clock import SECOND_US, FakeClock
from safecity.kit.errors import ConflictError
from safecity.kit.ids import fresh
from safecity.protocols.gat1400.pictures import Picture
from safecity.sim import crossing
from safecity.sim.crossing import Stage, Staged
from safecity.vision.enforcement.judge import Judge, Offence, Sight
from safecity.vision.enforcement.lamps import Lamps, LampWatch
from safecity.vision.enforcement.lights import GREEN, RED, Lights

PLAN = {
    "on_red": 100, "on_green": 160, "left_on_green": 40, "on_yellow": 40, "right_on_red": 60, "behind_the_line": 40,
    "at_the_line": 50, "on_duty": 10,
}  # fmt: skip
CLOCK_ERROR_MS = 200
NOW = 1_700_000_000 * SECOND_US
"""Long after all that is staged."""


def controller(dice: Random, one: Staged) -> Lights:
    """A feed around one passage: its clock is off, and half of it comes out of order."""
    lights, off = Lights(), dice.uniform(-0.15, 0.15)
    start = one.crossed - 100
    said = [
        (round((second + off) * SECOND_US), signal, colour)
        for signal in crossing.PHASES
        for second, colour in crossing.changes(signal, start, one.crossed + 100)
    ]
    late = dice.sample(said, len(said) // 2)
    for at, signal, colour in [each for each in said if each not in late] + late:
        lights.say(signal, at, colour)
    return lights


def lamps(dice: Random, one: Staged) -> Lights:
    """Looks at the lamps ten times a second; now and then they are wrong for two tenths of one."""
    lights = Lights()
    for signal in crossing.PHASES:
        watch, second = LampWatch(), one.crossed - 40
        wrong_until = 0.0
        while second < one.crossed + 60:
            if dice.random() < 0.01:
                wrong_until = second + 0.2
            true = crossing.colour(signal, second)
            shown = (GREEN if true == RED else RED) if second < wrong_until else true
            at = round(second * SECOND_US)
            change = watch.look(at, Lamps(shown, 0.9))
            if change is not None:
                lights.say(signal, change[0], change[1], "lamps")
            lights.alive(signal, at)
            second += 0.1
    return lights


@dataclass(frozen=True, slots=True)
class Outcome:
    """A candidate as it was proposed, and as it ended; `refused`: why a review could not pass it."""

    one: Staged
    proposed: Violation
    ended: Violation
    refused: str = ""

    @property
    def right(self) -> bool:
        return self.one.ran_red and self.proposed.kind is Kind.RED_LIGHT


@dataclass(frozen=True, slots=True)
class Desk:
    """The way from candidate to record, and the two people on it."""

    proposing: Proposing
    violations: Violations
    rules: Rules

    @classmethod
    @asynccontextmanager
    async def opened(cls, folder: Path) -> AsyncIterator[Desk]:
        """With nothing in it."""
        database = await asyncio.to_thread(open_database, f"sqlite:///{folder}/control.db")
        blobs, clock, settings = open_blobs(folder / "blobs"), FakeClock(NOW), ViolationSettings()
        loose = Loose(database, blobs, clock)
        yield cls(
            Proposing(database, loose, clock, settings), Violations(database, blobs, loose, clock, settings),
            Rules(database),
        )  # fmt: skip
        await blobs.close()
        await database.close()

    async def exempt(self, one: Staged) -> None:
        """Put on the list of those on duty."""
        values = {"plate": one.plate, "duty": "ambulance", "reason": "staged", "since": 0, "until": None, "area": ""}
        await self.rules.add_exemption(person("second"), values)

    async def through(self, one: Staged, offence: Offence, number: int) -> Outcome:
        """Proposed, and reviewed by two people who look at the pictures: they see the plate as it is."""
        asked = candidate(one, offence, f"{number}/{offence.kind}")
        proposed, _ = await self.proposing.propose(asked, [_picture(each, offence.light) for each in offence.moments])
        if proposed.state is State.VOID:
            return Outcome(one, proposed, proposed)
        try:
            await self.violations.review(person("first"), proposed.id, revision=None, plate=one.plate)
            confirmed = await self.violations.confirm(person("second"), proposed.id, revision=None)
        except ConflictError as error:
            return Outcome(one, proposed, proposed, error.code)
        return Outcome(one, proposed, confirmed)


def person(name: str) -> Actor:
    return Actor(user=f"us_{name}", name=name, session="", grants=(Grant(Role.SUPERVISOR),), at=NOW)


def candidate(one: Staged, offence: Offence, reference: str) -> Violation:
    """As our own analysis proposes it."""
    return Violation(
        id=fresh("vi"), kind=Kind(offence.kind), plate=one.read, plate_read=one.read, confidence=one.confidence,
        place_name="crossing", lane=offence.lane, at=offence.at, seen=NOW, clock_error_ms=CLOCK_ERROR_MS,
        light=offence.light, light_source=offence.light_source, origin="bench", reference=reference, keep_until=NOW,
    )  # fmt: skip


def _picture(sight: Sight, light: str) -> Shown:
    """Which picture it is counts here, not what is on it."""
    return Shown(Picture(str(sight.at).encode(), "jpeg", 1920, 1080, "14"), sight.at, sight.box, light)


def measure(seed: int, plan: dict[str, int]) -> dict[str, Any]:
    """All figures of one run."""
    staged = Stage(seed).passages(plan)
    dice, scene = Random(seed + 1), crossing.scene()
    found: list[tuple[Staged, Offence]] = []
    spent = 0.0
    for number, one in enumerate(staged):
        lights = (lamps if number % 2 else controller)(dice, one)
        judge = Judge(scene, lights, CLOCK_ERROR_MS * 1000)
        before = time.perf_counter()
        offences = judge.judge(one.sights)
        spent += time.perf_counter() - before
        found += [(one, offence) for offence in offences]
    with tempfile.TemporaryDirectory() as folder:
        ended = asyncio.run(reviewed(Path(folder), staged, found))
    return figures(staged, ended) | {"judge_ms": round(1000 * spent / max(len(staged), 1), 3)}


async def reviewed(folder: Path, staged: Sequence[Staged], found: Sequence[tuple[Staged, Offence]]) -> list[Outcome]:
    """What came of each on the platform."""
    async with Desk.opened(folder) as desk:
        for one in staged:
            if one.on_duty:
                await desk.exempt(one)
        return [await desk.through(one, offence, number) for number, (one, offence) in enumerate(found)]


def figures(staged: Sequence[Staged], ended: Sequence[Outcome]) -> dict[str, Any]:
    """What came of all."""
    right, wrong = [each for each in ended if each.right], [each for each in ended if not each.right]
    idle = [each for each in wrong if not each.one.on_duty]
    on_duty = [each for each in wrong if each.one.on_duty]
    lacks = Counter(what for each in ended for what in lacking(each.proposed))
    return {
        "passages": len(staged),
        "red_lights": sum(one.ran_red for one in staged),
        "proposed_of_red": len({id(each.one) for each in right}),
        "confirmed_of_red": len({id(each.one) for each in right if each.ended.state is State.CONFIRMED}),
        "wrong_proposed": len(idle),
        "wrong_kinds": dict(Counter(each.one.what for each in idle)),
        "wrong_confirmed": sum(each.ended.state is State.CONFIRMED for each in wrong),
        "on_duty_proposed": len(on_duty),
        "on_duty_void": sum(each.ended.state is State.VOID for each in on_duty),
        "on_duty_refused": sum(each.refused == "violation_exempt" for each in on_duty),
        "evidence_unfit": sum(bool(lacking(each.proposed)) for each in ended),
        "lacks": dict(lacks),
        "plates_to_correct": sum(
            bool(each.proposed.plate) and each.proposed.plate != each.one.plate for each in ended
        ),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0)
    asked = parser.parse_args()
    plan = {name: round(number * asked.scale) for name, number in PLAN.items()}
    print(json.dumps(measure(asked.seed, plan)))


if __name__ == "__main__":
    main()
