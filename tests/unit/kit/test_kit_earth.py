"""Short ways on the globe, in metres."""

from __future__ import annotations

import pytest

from safecity.kit.earth import METRES_OF_DEGREE, metres_between, plane


def test_a_degree_of_longitude_is_shorter_the_farther_north_it_is() -> None:
    assert metres_between((18.0, 59.3), (18.0005, 59.3)) == pytest.approx(28.4, abs=0.1)
    assert metres_between((18.0, 0.0), (18.0005, 0.0)) == pytest.approx(55.6, abs=0.1)
    assert metres_between((18.0, 59.3), (18.0, 59.3005)) == pytest.approx(55.6, abs=0.1)


def test_a_place_lies_east_and_north_of_another_across_the_date_line_too() -> None:
    assert plane((179.999, 0.0), (-179.999, 0.001)) == pytest.approx(
        (0.002 * METRES_OF_DEGREE, 0.001 * METRES_OF_DEGREE)
    )
    assert plane((-179.999, 0.001), (179.999, 0.0)) == pytest.approx(
        (-0.002 * METRES_OF_DEGREE, -0.001 * METRES_OF_DEGREE)
    )
