"""What a signal showed: a feed that comes late or breaks off, lamps that flicker, dazzle and reflect the sun."""

from __future__ import annotations

import numpy as np
import pytest

from safecity.kit.clock import SECOND_US
from safecity.vision.enforcement.lamps import Lamps, LampWatch, read_lamps
from safecity.vision.enforcement.lights import DARK, GREEN, LAMPS, RED, UNKNOWN, YELLOW, Lights

REGIONS = {RED: (0.4, 0.1, 0.6, 0.3), YELLOW: (0.4, 0.4, 0.6, 0.6), GREEN: (0.4, 0.7, 0.6, 0.9)}
LIT = {RED: (40, 40, 240), YELLOW: (40, 200, 240), GREEN: (160, 230, 60)}


def at(seconds: float) -> int:
    return round(seconds * SECOND_US)


def signal(*lit: str, everything: int = 25, colour: tuple[int, int, int] | None = None) -> np.ndarray:
    """A signal head of three lamps, some of them lit."""
    picture = np.full((200, 100, 3), everything, np.uint8)
    for name in lit:
        left, top, right, bottom = REGIONS[name]
        picture[round(top * 200) : round(bottom * 200), round(left * 100) : round(right * 100)] = colour or LIT[name]
    return picture


def test_a_state_holds_until_the_next_and_is_unknown_before_the_first() -> None:
    lights = Lights()
    lights.say("north", at(10), GREEN)
    lights.say("north", at(40), YELLOW)
    lights.say("north", at(43), RED)
    assert [lights.state("north", at(second)) for second in (9, 10, 39.9, 42, 60)] == [
        UNKNOWN, GREEN, GREEN, YELLOW, RED,
    ]  # fmt: skip
    assert lights.state("south", at(60)) == UNKNOWN
    assert lights.since("north", at(60)) == at(43)


def test_over_a_change_nothing_is_sure() -> None:
    lights = Lights()
    lights.say("north", at(10), YELLOW)
    lights.say("north", at(13), RED)
    assert lights.surely("north", at(13), at(20)) == RED
    assert lights.surely("north", at(12.9), at(20)) == UNKNOWN
    lights.say("north", at(15), RED)  # said again it is no change
    assert (lights.surely("north", at(13), at(20)), lights.since("north", at(20))) == (RED, at(13))


def test_what_comes_late_and_out_of_order_is_put_where_it_belongs() -> None:
    ordered, mixed = Lights(), Lights()
    said = [(at(10), RED), (at(40), GREEN), (at(70), YELLOW), (at(73), RED)]
    for moment, colour in said:
        ordered.say("n", moment, colour)
    for number in (2, 0, 3, 1):
        mixed.say("n", *said[number])
    for second in range(5, 80):
        assert ordered.state("n", at(second)) == mixed.state("n", at(second))


def test_a_feed_that_broke_off_is_not_believed_for_ever() -> None:
    lights = Lights()
    lights.say("n", at(0), RED)
    assert lights.state("n", at(180)) == RED
    assert lights.state("n", at(181)) == UNKNOWN
    lights.say("n", at(300), RED)  # it was silent for too long to say what was between
    assert (lights.state("n", at(250)), lights.state("n", at(301))) == (UNKNOWN, RED)


def test_a_camera_that_looks_at_lamps_keeps_no_dead_controller_alive() -> None:
    lights = Lights()
    lights.say("n", at(0), RED)
    for second in range(400):
        lights.alive("n", at(second))  # the lamps cannot be read: dazzled, or behind a lorry
    assert lights.state("n", at(180)) == RED
    assert lights.state("n", at(300)) == UNKNOWN


def test_lamps_speak_only_where_no_controller_does_and_neither_proves_what_the_other_said() -> None:
    lights = Lights()
    lights.say("n", at(0), GREEN)
    lights.say("n", at(10), RED, LAMPS)  # brake lights before the lamps
    assert (lights.state("n", at(11)), lights.source("n")) == (GREEN, "controller")
    for second in (400, 401, 402):
        lights.say("n", at(second), RED, LAMPS)
    assert (lights.surely("n", at(400), at(402)), lights.source("n")) == (RED, LAMPS)
    lights.say("n", at(403), RED)
    assert lights.surely("n", at(400), at(403)) == UNKNOWN  # nobody says for both
    assert lights.state("n", at(404)) == RED


@pytest.mark.parametrize("colour", [RED, YELLOW, GREEN])
def test_a_lamp_is_read_by_brightness_and_hue(colour: str) -> None:
    seen = read_lamps(signal(colour), REGIONS)
    assert seen.colour == colour
    assert seen.sure > 0.8


def test_what_is_no_lamp_is_no_colour() -> None:
    assert read_lamps(signal(), REGIONS).colour == DARK
    assert read_lamps(signal(everything=230), REGIONS).colour == UNKNOWN  # the low sun in all lenses
    assert read_lamps(signal(RED, colour=(250, 250, 250)), REGIONS).colour == UNKNOWN  # a headlight
    assert read_lamps(signal(RED, GREEN), REGIONS).colour == UNKNOWN  # a fault
    assert read_lamps(signal(RED), {}).colour == UNKNOWN


def test_a_flicker_is_no_change_and_a_change_is_dated_to_its_beginning() -> None:
    watch = LampWatch()
    told: list[tuple[float, str]] = []
    for number in range(60):  # ten pictures a second
        second = number / 10
        shown = RED if second < 3 else GREEN
        colour = YELLOW if number in (10, 20, 21) else shown
        change = watch.look(at(second), Lamps(colour, 0.9))
        if change is not None:
            told.append((change[0] / SECOND_US, change[1]))
    assert told == [(0.0, RED), (3.0, GREEN)]


def test_a_lamp_that_nobody_is_sure_of_ends_what_was_known() -> None:
    watch = LampWatch()
    for number in range(6):
        watch.look(at(number / 10), Lamps(RED, 0.9))
    told = [change for number in range(6, 14) if (change := watch.look(at(number / 10), Lamps(RED, 0.1)))]
    assert told == [(at(0.6), UNKNOWN)]
