"""A rendered street whose road is measured: vehicles are told with about how fast they drove, and without it where
nothing is drawn. The networks are the platform's own."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from safecity.backends.inference import OnnxInference
from safecity.core.ground.passages.readings import reading_details
from safecity.kit.clock import SECOND_US
from safecity.model.facts.vision_calls import PlateTask
from safecity.sim.scene.street import DAY, FAR, LANES, NEAR, Street
from safecity.sim.scene.world import GROUND, VANISH, VIEW
from safecity.vision.camera import offence, vehicle
from safecity.vision.enforcement.calibration import Calibration
from safecity.vision.enforcement.judge import Offence
from safecity.vision.enforcement.lights import Lights
from safecity.vision.enforcement.scene import Scene
from safecity.vision.enforcement.speed import Speed
from safecity.vision.enforcement.watching import Caught, SceneWatch
from safecity.vision.plates.recognise import open_recogniser
from safecity.vision.plates.watching import Passed, PlateWatch

WIDTH, HEIGHT, FPS, SECONDS = 1280, 720, 5, 9
NOON = 1_790_000_000 * SECOND_US
METRES, DEPTH_M = 3.5 / 320, 16.0
"""Lanes are 3.5 m wide; a unit of depth is 16 m, so that vehicles drive 39 to 49 km/h."""
Shown = tuple[int, NDArray[np.uint8], dict[str, int]]
TASK = PlateTask(channel="ch_1", slot="media-0", tollgate="tg_1")


def rectangle() -> Calibration:
    """Two lanes, from the middle of the picture to its front."""

    def seen(across: float, scale: float) -> tuple[float, float]:
        return (VANISH[0] + across * scale) / VIEW[0], (VANISH[1] + GROUND * scale) / VIEW[1]

    return Calibration(
        corners=(seen(-320, 0.9), seen(320, 0.9), seen(320, 0.4), seen(-320, 0.4)), width_m=640 * METRES,
        length_m=(1 / 0.4 - 1 / 0.9) * DEPTH_M, camera_height_m=GROUND * METRES,
    )  # fmt: skip


@pytest.fixture(scope="module")
def film() -> list[Shown]:
    """Moments, pictures, and the lane of each plate in them."""
    street = Street(seed=7, channel=1, light=DAY)

    def pictures() -> Iterator[Shown]:
        for number in range(SECONDS * FPS):
            at = NOON + number * SECOND_US // FPS
            painted = street.render(at, WIDTH, HEIGHT).buffer.reshape(-1, WIDTH)
            there = {one.plate: int(one.id[0]) for one in street.truth(at, WIDTH, HEIGHT).objects if one.plate}
            yield at, cv2.cvtColor(painted, cv2.COLOR_YUV2BGR_I420).astype(np.uint8), there

    return list(pictures())


def watched(film: list[Shown], scene: Scene | None) -> tuple[list[Passed], PlateWatch, list[int]]:
    """Who passed; and how often a picture was kept as evidence."""
    kept: list[int] = []

    def encode(picture: NDArray[np.uint8], most: int) -> bytes:
        kept.append(most)
        return b"jpeg"

    reader = open_recogniser(OnnxInference(1), countries=frozenset({"cn"}))
    watch = PlateWatch(reader, None, None if scene is None else SceneWatch(scene, Lights(), encode))
    passed = [one for at, picture, _ in film for one in watch.look(at, picture)]
    return [*passed, *watch.end()], watch, kept


def test_vehicles_of_a_street_whose_road_is_measured_are_told_with_about_how_fast_they_drove(film: list[Shown]) -> None:
    passed, watch, kept = watched(film, Scene(calibration=rectangle()))
    lanes: dict[str, int] = {plate: lane for _, _, there in film for plate, lane in there.items()}
    told = [one for one in passed if one.speed is not None and one.seen.text in lanes]
    assert len(told) >= 4
    for one in told:
        assert one.speed is not None
        true: float = (FAR - NEAR) * DEPTH_M / LANES[lanes[one.seen.text]].seconds * 3.6
        assert abs(one.speed.kmh - true) <= 2 * one.speed.uncertainty_kmh
        assert one.speed.uncertainty_kmh < 0.15 * true
    assert kept == [], "a road that is measured alone has no offences, hence no evidence"
    said = vehicle(TASK, told[0], watch)
    assert said.speed is not None
    assert told[0].speed is not None
    assert reading_details(said)["speed"] == {
        "estimated": True, "kmh": told[0].speed.kmh, "uncertainty_kmh": told[0].speed.uncertainty_kmh,
        "looks": told[0].speed.looks, "metres": told[0].speed.metres,
    }  # fmt: skip


def test_where_no_road_is_measured_no_speed_is_told(film: list[Shown]) -> None:
    passed, watch, _ = watched(film[:25], Scene())
    assert passed
    assert all(one.speed is None for one in passed)
    assert "speed" not in reading_details(vehicle(TASK, passed[0], watch))


def test_an_offence_carries_the_estimate_beside_its_evidence(film: list[Shown]) -> None:
    _, watch, _ = watched(film[:1], None)
    what = Offence("red_light", NOON, ())
    caught = Caught(what, "皖A12345", 0.9, "blue", (), b"", 0, speed=Speed(47.0, 3.0, 9, 22.0))
    said = offence(TASK, caught, 100, watch)
    assert said.speed is not None
    assert (said.speed.kmh, said.speed.uncertainty_kmh) == (47.0, 3.0)
