"""Where a place lies in a shape, in metres, against what other ways to reckon it say."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.core.upper.fleet.shapes import Shape, ShapeKind
from safecity.kit.earth import METRES_OF_DEGREE as DEGREE
from safecity.kit.earth import metres_between
from safecity.kit.errors import InvalidError

HOME = (118.37, 31.33)
SHRINK = math.cos(math.radians(HOME[1]))


def at(east: float, north: float) -> tuple[float, float]:
    """So many metres from home."""
    return HOME[0] + east / DEGREE / SHRINK, HOME[1] + north / DEGREE


ANGLE = [(0, 0), (400, 0), (400, 100), (100, 100), (100, 400), (0, 400)]
METRES = st.floats(-800, 800)


@given(METRES, METRES)
def test_in_a_polygon_with_a_notch(east: float, north: float) -> None:
    shape = Shape(ShapeKind.POLYGON, tuple(at(*corner) for corner in ANGLE))
    depth = cv2.pointPolygonTest(np.array(ANGLE, np.float32), (east, north), measureDist=True)
    assert shape.depth(at(east, north)) == pytest.approx(depth, abs=0.5)


@given(METRES, METRES)
def test_along_a_route(east: float, north: float) -> None:
    line = [(-300, -300), (0, 0), (300, 0)]
    dense = [(-300 + 0.5 * n, -300 + 0.5 * n) for n in range(601)] + [(0.5 * n, 0) for n in range(601)]
    nearest = min(math.hypot(east - x, north - y) for x, y in dense)
    shape = Shape(ShapeKind.ROUTE, tuple(at(*corner) for corner in line), 60)
    assert shape.depth(at(east, north)) == pytest.approx(30 - nearest, abs=1)


@given(METRES, METRES, st.sampled_from(list(ShapeKind)))
def test_what_is_said_to_be_far_is(east: float, north: float, kind: ShapeKind) -> None:
    points = {
        ShapeKind.CIRCLE: (at(0, 0),), ShapeKind.RECTANGLE: (at(0, 0), at(200, 100)),
        ShapeKind.POLYGON: tuple(at(*corner) for corner in ANGLE), ShapeKind.ROUTE: (at(0, 0), at(200, 100)),
    }  # fmt: skip
    shape = Shape(kind, points[kind], {ShapeKind.CIRCLE: 150.0, ShapeKind.ROUTE: 50.0}.get(kind, 0.0))
    if shape.is_far(at(east, north), 25):
        assert shape.depth(at(east, north)) < -24


def test_a_circle_and_a_rectangle_given_by_any_two_corners() -> None:
    circle = Shape(ShapeKind.CIRCLE, (HOME,), 100)
    assert circle.depth(at(0, 0)) == pytest.approx(100)
    assert circle.depth(at(60, 80)) == pytest.approx(0, abs=0.1)
    for corners in ((at(0, 0), at(200, 100)), (at(200, 0), at(0, 100))):
        rectangle = Shape(ShapeKind.RECTANGLE, corners)
        assert rectangle.depth(at(100, 30)) == pytest.approx(30, abs=0.1)
        assert rectangle.depth(at(230, 140)) == pytest.approx(-50, abs=0.1)


@pytest.mark.parametrize(
    ("kind", "points", "metres"),
    [
        (ShapeKind.CIRCLE, (HOME,), 5),
        (ShapeKind.CIRCLE, (HOME, HOME), 50),
        (ShapeKind.CIRCLE, ((float("nan"), 1.0),), 50),
        (ShapeKind.RECTANGLE, (HOME, HOME), 0),
        (ShapeKind.POLYGON, (HOME, at(1, 1), at(2, 2)), 0),
        (ShapeKind.ROUTE, (HOME, HOME), 50),
        (ShapeKind.POLYGON, ((0.0, 0.0), (90.0, 0.0), (0.0, 80.0)), 0),
    ],
)
def test_what_encloses_nothing_is_no_shape(
    kind: ShapeKind, points: tuple[tuple[float, float], ...], metres: float
) -> None:
    with pytest.raises(InvalidError):
        Shape(kind, points, metres)


def test_the_line_where_the_date_changes_is_no_wall() -> None:
    island = Shape(ShapeKind.CIRCLE, ((179.999, 0.0),), 500)
    assert metres_between((179.999, 0.0), (-179.999, 0.0)) == pytest.approx(222, rel=0.01)
    assert island.depth((-179.999, 0.0)) == pytest.approx(278, rel=0.01)
    assert not island.is_far((-179.999, 0.0), 25)
    square = Shape(ShapeKind.RECTANGLE, ((117.9, 31.0), (118.1, 31.2)))
    assert square.is_far((-62.0, 31.1), 25)
    assert square.depth((-62.0, 31.1)) < 0  # on the other side of the globe, and not in the middle of it
