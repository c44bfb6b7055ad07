"""Electronic police: staged passages over a crossing, red lights among them, from trajectories to confirmed records.

    python -m benchmarks.enforcement [--seed 1] [--scale 1]

500 passages with 100 red lights by default, drawn by `sim.crossing` with what a detector gets wrong (boxes that
tremble, 6 % missing, 3 % of the plates misread, 2 % not read), with vehicles that stand behind the line, turn right at
red, are over the line before red begins, or are on duty. The lights come from a controller's feed whose clock is off
by up to 0.15 s, half of it told late; and for every other passage from lamps in the picture that flicker wrongly for
0.2 s.

`proposed_of_red`     of the red lights, how many became candidates (wanted >= 90 of 100)
`wrong_proposed`      candidates of vehicles that did nothing
`wrong_confirmed`     of those, how many the rules of the review let through, were both people to pass all they may
                      (wanted 0); vehicles on duty among them
`on_duty_void`        of the vehicles on duty that were proposed, how many were void by rule
`evidence_unfit`      candidates that nobody can confirm as they are, with what they lack
`plates_to_correct`   candidates whose plate was read wrong: a reviewer has to see it
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

from safecity.core.upper.violations.api import Evidence, Kind, Violation, lacking
from safecity.kit.clock import SECOND_US
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


def candidate(one: Staged, offence: Offence) -> Violation:
    """As it is proposed, with the pictures that the moments stand for."""
    return Violation(
        id="vi", kind=Kind(offence.kind), plate=one.read, plate_read=one.read, confidence=one.confidence,
        place_name="crossing", lane=offence.lane, at=offence.at, seen=offence.at, clock_error_ms=CLOCK_ERROR_MS,
        light=offence.light, light_source=offence.light_source, origin="bench", reference=one.plate, keep_until=0,
        pictures=tuple(_picture(sight, offence.light) for sight in offence.moments),
    )  # fmt: skip


def _picture(sight: Sight, light: str) -> Evidence:
    return Evidence(
        key="k", sha256="", size=1, kind="14", format="jpeg", width=1920, height=1080, at=sight.at, box=sight.box,
        light=light,
    )  # fmt: skip


def measure(seed: int, plan: dict[str, int]) -> dict[str, Any]:
    """All figures of one run."""
    staged = Stage(seed).passages(plan)
    dice, scene = Random(seed + 1), crossing.scene()
    exempt = {one.plate for one in staged if one.on_duty}
    found: list[tuple[Staged, Violation]] = []
    spent = 0.0
    for number, one in enumerate(staged):
        lights = (lamps if number % 2 else controller)(dice, one)
        judge = Judge(scene, lights, CLOCK_ERROR_MS * 1000)
        before = time.perf_counter()
        offences = judge.judge(one.sights)
        spent += time.perf_counter() - before
        found += [(one, candidate(one, offence)) for offence in offences]
    return figures(staged, found, exempt) | {"judge_ms": round(1000 * spent / max(len(staged), 1), 3)}


def figures(staged: Sequence[Staged], found: Sequence[tuple[Staged, Violation]], exempt: set[str]) -> dict[str, Any]:
    """What came of it."""
    red = [one for one in staged if one.ran_red]
    proposed = {id(one) for one, each in found if one.ran_red and each.kind is Kind.RED_LIGHT}
    wrong = [(one, each) for one, each in found if not (one.ran_red and each.kind is Kind.RED_LIGHT)]
    void = [one for one, each in wrong if one.on_duty and each.plate in exempt]
    # Reviewers read the plate in the picture: one on duty that was misread is found on the list at the review.
    confirmed = [one for one, each in wrong if not (each.unfit or lacking(each)) and one.plate not in exempt]
    lacks = Counter(what for _, each in found for what in lacking(each))
    return {
        "passages": len(staged),
        "red_lights": len(red),
        "proposed_of_red": len(proposed),
        "wrong_proposed": len([one for one, _ in wrong if not one.on_duty]),
        "wrong_kinds": dict(Counter(one.what for one, _ in wrong if not one.on_duty)),
        "wrong_confirmed": len(confirmed),
        "on_duty_proposed": len([one for one, _ in wrong if one.on_duty]),
        "on_duty_void": len(void),
        "evidence_unfit": sum(bool(lacking(each)) for _, each in found),
        "lacks": dict(lacks),
        "plates_to_correct": sum(bool(each.plate) and each.plate != one.plate for one, each in found),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0)
    asked = parser.parse_args()
    plan = {name: round(number * asked.scale) for name, number in PLAN.items()}
    print(json.dumps(measure(asked.seed, plan)))


if __name__ == "__main__":
    main()
