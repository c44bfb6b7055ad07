"""What a vehicle did before a crossing, told by its way alone: red lights and nothing that only looks like one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from benchmarks.enforcement import PLAN, controller, lamps, measure

from safecity.core.upper.violations import tables
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError
from safecity.sim import crossing
from safecity.sim.crossing import Stage
from safecity.vision.enforcement.judge import Judge, Offence, Sight
from safecity.vision.enforcement.lights import GREEN, RED, Lights
from safecity.vision.enforcement.scene import Exit, Lane, Scene, StopLine, Zone, read_scene, write_scene

ROAD = Scene(
    lanes=(
        Lane(
            number=1, area=((0.3, 0.5), (0.5, 0.5), (0.5, 1.0), (0.3, 1.0)), heading=(0.0, -1.0),
            turns=frozenset({"straight"}), signals={"straight": "s", "left": "l"},
        ),
    ),
    stop_lines=(StopLine(start=(0.2, 0.5), end=(0.6, 0.5)),),
    solid_lines=(((0.5, 0.55), (0.5, 0.95)),),
    exits=(
        Exit(turn="straight", area=((0.3, 0.0), (0.5, 0.0), (0.5, 0.25), (0.3, 0.25))),
        Exit(turn="left", area=((0.0, 0.25), (0.15, 0.25), (0.15, 0.5), (0.0, 0.5))),
    ),
    zones=(Zone(name="bus stop", area=((0.6, 0.5), (0.9, 0.5), (0.9, 1.0), (0.6, 1.0)), seconds=60),),
)  # fmt: skip


def way(*points: tuple[float, float], start: float = 100.0, step: float = 0.2, width: float = 0.08) -> list[Sight]:
    """A vehicle whose foot is at these places, one picture after the other."""
    return [
        Sight(round((start + number * step) * SECOND_US), (x - width / 2, y - 0.08, x + width / 2, y))
        for number, (x, y) in enumerate(points)
    ]


def straight(x: float = 0.4) -> list[Sight]:
    return way(*((x, 0.9 - 0.05 * number) for number in range(16)))


def lights(*said: tuple[float, str]) -> Lights:
    found = Lights()
    for second, colour in said:
        for signal in ("s", "l"):
            found.say(signal, round(second * SECOND_US), colour)
    return found


def kinds(sights: Sequence[Sight], shown: Lights, scene: Scene = ROAD) -> list[str]:
    return [one.kind for one in Judge(scene, shown).judge(sights)]


def test_who_drives_over_the_line_and_on_at_red_is_a_candidate_with_three_moments() -> None:
    (one,) = Judge(ROAD, lights((50, RED))).judge(straight())
    assert (one.kind, one.lane, one.light, one.light_source, one.signal) == ("red_light", 1, "red", "controller", "s")
    before, after, arrived = one.moments
    assert before.foot[1] > 0.5 >= after.foot[1]
    assert arrived.foot[1] <= 0.25
    assert before.at <= one.at <= after.at


@pytest.mark.parametrize(
    "shown",
    [
        [(50, GREEN)],
        [(50, RED), (101.0, GREEN)],  # green just before the line
        [(50, GREEN), (101.75, RED)],  # over the line, then red
        [(50, RED), (102.5, GREEN)],  # green before it was across: somebody has to have seen it wait
        [(-100, RED)],  # of whom nothing was heard for minutes
        [],
    ],
)  # fmt: skip
def test_where_red_is_not_sure_all_the_way_there_is_no_candidate(shown: list[tuple[float, str]]) -> None:
    assert kinds(straight(), lights(*shown)) == []


def test_who_stops_behind_the_line_arrives_nowhere() -> None:
    stops = way(*((0.4, 0.9 - 0.05 * number) for number in range(9)), *[(0.4, 0.47)] * 20)
    assert kinds(stops, lights((50, RED))) == []


def test_a_way_without_a_signal_is_free_at_red_and_one_that_the_arrows_forbid_is_not() -> None:
    left = way(*((0.4, 0.9 - 0.05 * n) for n in range(10)), *((0.4 - 0.04 * n, 0.45) for n in range(1, 10)))
    assert kinds(left, lights((50, GREEN))) == ["lane_disobeyed"]
    assert kinds(left, lights((50, RED))) == ["lane_disobeyed", "red_light"]
    free = Scene(
        lanes=(Lane(number=1, area=ROAD.lanes[0].area, heading=(0, -1), turns=frozenset({"left", "straight"})),),
        stop_lines=ROAD.stop_lines, exits=ROAD.exits,
    )  # fmt: skip
    assert kinds(left, lights((50, RED)), free) == []


def test_a_solid_line_is_crossed_and_not_touched() -> None:
    green = lights((50, GREEN))
    across = way(*((0.42 + 0.012 * number, 0.9 - 0.02 * number) for number in range(16)))
    assert kinds(across, green) == ["solid_line"]
    touches = way(*((0.42 + (0.085 if 5 < number < 9 else 0.0), 0.9 - 0.02 * number) for number in range(16)))
    assert kinds(touches, green) == []


def test_the_wrong_way_is_a_way_and_not_a_manoeuvre() -> None:
    green = lights((50, GREEN))
    assert kinds(way(*((0.4, 0.6 + 0.025 * number) for number in range(14))), green) == ["wrong_way"]
    assert kinds(way(*((0.4, 0.6 + 0.01 * number) for number in range(10))), green) == []  # backs up a little
    there_and_back = [0.6 + 0.03 * n for n in range(8)] + [0.81 - 0.03 * n for n in range(8)]
    assert kinds(way(*((0.4, y) for y in there_and_back)), green) == []


def test_standing_is_told_after_its_time_and_only_of_who_stands() -> None:
    stands = way(*[(0.7, 0.8)] * 62, step=1.0)
    (one,) = Judge(ROAD, Lights()).judge(stands)
    assert (one.kind, one.words) == ("illegal_stop", "bus stop")
    assert one.moments[-1].at - one.moments[0].at >= 60 * SECOND_US
    assert kinds(way(*[(0.7, 0.8)] * 59, step=1.0), Lights()) == []
    creeps = way(*((0.7, 0.55 + 0.006 * number) for number in range(70)), step=1.0)
    assert kinds(creeps, Lights()) == []


def test_a_scene_is_written_and_read_back_and_what_makes_no_sense_is_refused() -> None:
    assert read_scene(write_scene(ROAD)) == ROAD
    lane = write_scene(ROAD)["lanes"][0]
    for bad in (
        {"lanes": [{**lane, "area": [[0, 0], [1, 1]]}]}, {"lanes": [{**lane, "heading": [0, 0]}]},
        {"lanes": [{**lane, "turns": ["up"]}]}, {"lanes": [lane, lane]}, {"lanes": [{"number": 1}]},
        {"stop_lines": [[[0.1, 0.1], [0.1, 0.1]]]}, {"solid_lines": [[["a", 1], [0, 1]]]},
        {"zones": [{"name": "x", "area": [[0, 0], [2, 0], [0, 1]], "seconds": 20}]},
        {"zones": [{"name": "x", "area": [[0, 0], [1, 0], [0, 1]], "seconds": 5}]},
    ):  # fmt: skip
        with pytest.raises(InvalidError) as caught:
            read_scene(bad)
        assert caught.value.code == "scene_invalid"


SMALL = {name: max(1, number // 5) for name, number in PLAN.items()}


def test_of_staged_passages_nearly_every_red_light_becomes_a_record_and_nothing_wrong_does() -> None:
    said = measure(7, SMALL)
    assert said["red_lights"] == 20
    assert min(said["proposed_of_red"], said["confirmed_of_red"]) >= 18
    assert (said["wrong_proposed"], said["wrong_confirmed"]) == (0, 0)


def test_who_is_on_duty_is_never_a_record_also_not_where_a_person_has_to_read_the_plate() -> None:
    said = measure(7, {"on_duty": 40})
    assert said["on_duty_proposed"] == said["on_duty_void"] + said["on_duty_refused"] >= 36
    assert said["on_duty_refused"] > 0  # misread at first: not on the list before somebody had looked
    assert said["wrong_confirmed"] == 0


def test_what_is_judged_wrong_or_exempt_by_no_list_would_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Lights, "surely", lambda *_: RED)  # whatever it showed
        said = measure(7, {"on_green": 5})
        assert said["wrong_proposed"] == said["wrong_confirmed"] == 5
    monkeypatch.setattr(tables, "exempt", lambda *_: None)
    said = measure(7, {"on_duty": 5})
    assert said["wrong_confirmed"] == said["on_duty_proposed"] == 5


def test_neither_vehicles_behind_the_line_nor_those_turning_right_hide_behind_the_noise() -> None:
    """The kinds that only look like a red light, with twice the noise; by both kinds of lights."""
    from random import Random

    dice = Random(3)
    plan = dict.fromkeys(("behind_the_line", "right_on_red", "on_yellow", "at_the_line"), 15)
    for one in Stage(11, jitter=0.04, missed=0.12).passages(plan):
        for said in (controller, lamps):
            found: list[Offence] = Judge(crossing.scene(), said(dice, one)).judge(one.sights)
            assert found == [], one.what
