"""A plate whose frame was found, or half of which, is found by the colour of its ground."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from safecity.vision.plates.ground import coloured_ground
from safecity.vision.plates.straighten import rectangle

GREY, WHITE, DARK = (150, 152, 155), (230, 230, 230), (40, 40, 40)
BLUE, YELLOW, GREEN = (170, 80, 25), (25, 170, 225), (110, 190, 80)
LEFT, TOP, RIGHT, BOTTOM = 120, 90, 280, 140
PLATE = rectangle(LEFT, TOP, RIGHT, BOTTOM)


def street(ground: tuple[int, int, int], ink: tuple[int, int, int], around: tuple[int, int, int] = GREY) -> np.ndarray:
    """A plate with seven signs on a car, in the light noise of a camera."""
    picture = np.empty((240, 400, 3), np.uint8)
    picture[:] = around
    cv2.rectangle(picture, (LEFT, TOP), (RIGHT - 1, BOTTOM - 1), ground, -1)
    for place in range(7):
        x = LEFT + 8 + 21 * place
        cv2.rectangle(picture, (x + 3, TOP + 10), (x + 12, BOTTOM - 11), ink, 2)
    noise = np.random.default_rng(5).normal(0, 4, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def wider(left: int, top: int, right: int, bottom: int) -> NDArray[np.float32]:
    """The plate as it was found: so many pixels too far out on each side."""
    return rectangle(LEFT - left, TOP - top, RIGHT + right, BOTTOM + bottom)


@pytest.mark.parametrize(("ground", "ink"), [(BLUE, WHITE), (YELLOW, DARK), (GREEN, DARK)])
@pytest.mark.parametrize("sides", [(25, 12, 30, 15), (40, 10, 2, 4), (0, 0, 0, 0)])
def test_a_recess_that_was_found_for_a_plate_is_left_for_its_ground(
    ground: tuple[int, int, int], ink: tuple[int, int, int], sides: tuple[int, int, int, int]
) -> None:
    corners = coloured_ground(street(ground, ink), wider(*sides))
    assert corners is not None
    assert np.abs(corners - PLATE).max() <= 4


def test_what_was_cut_off_above_is_found_again() -> None:
    corners = coloured_ground(street(YELLOW, DARK), wider(0, -12, 0, 0))
    assert corners is not None
    assert np.abs(corners - PLATE).max() <= 4


def test_a_tilted_plate_stays_tilted() -> None:
    turn = cv2.getRotationMatrix2D((200, 115), 10, 1.0)
    picture = cv2.warpAffine(street(BLUE, WHITE), turn, (400, 240), borderValue=GREY).astype(np.uint8)
    truth, found = (cv2.transform(one[None], turn)[0] for one in (PLATE, wider(25, 12, 30, 15)))
    corners = coloured_ground(picture, found.astype(np.float32))
    assert corners is not None
    assert np.abs(corners - truth).max() <= 5


@pytest.mark.parametrize(
    ("picture", "why"),
    [
        (street(WHITE, DARK), "a plate without colour"),
        (street(BLUE, WHITE, around=BLUE), "a blue car goes on beyond it"),
        (street(GREY, GREY), "no plate at all"),
    ],
)
def test_what_has_no_ground_of_its_own_keeps_the_corners_it_has(picture: np.ndarray, why: str) -> None:
    assert coloured_ground(picture, wider(20, 10, 20, 10)) is None, why


def test_a_grey_plate_on_a_blue_car_is_the_patch_that_is_not_blue() -> None:
    corners = coloured_ground(street(GREY, DARK, around=BLUE), wider(20, 10, 20, 10))
    assert corners is not None
    assert np.abs(corners - PLATE).max() <= 4


def test_a_plate_at_the_edge_of_the_picture_does_no_harm() -> None:
    corners = PLATE - np.array([LEFT, TOP], np.float32)
    assert coloured_ground(street(BLUE, WHITE)[TOP:, LEFT:], corners) is None, "where it ends there nobody can see"
