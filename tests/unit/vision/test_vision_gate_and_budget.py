"""Whether a picture is worth a look, and what each camera may cost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from safecity.vision.budget import LEAST_FPS, Need, grants
from safecity.vision.gate import HEIGHT, WIDTH, MotionGate, shrink

rng = np.random.default_rng(1)
ROAD: NDArray[np.uint8] = rng.integers(60, 90, (HEIGHT, WIDTH)).astype(np.uint8)


def with_car(x: int) -> NDArray[np.uint8]:
    picture = ROAD.copy()
    picture[30:36, x : x + 10] = 200
    return picture


def noisy(seed: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).integers(-5, 6, ROAD.shape)
    return np.clip(ROAD.astype(int) + noise, 0, 255).astype(np.uint8)


def test_the_first_picture_is_looked_at() -> None:
    assert MotionGate().pass_(ROAD)


def test_noise_is_no_motion_and_a_car_is() -> None:
    gate = MotionGate()
    gate.pass_(ROAD)
    assert not any(gate.pass_(noisy(seed)) for seed in range(10))
    assert gate.pass_(with_car(20))
    assert gate.pass_(with_car(40)), "and when it drives on"
    assert not gate.pass_(with_car(40)), "not while it stands"
    assert gate.pass_(ROAD), "and when it has gone"


def test_a_cloud_before_the_sun_is_no_motion() -> None:
    gate = MotionGate()
    gate.pass_(ROAD)
    assert not gate.pass_((ROAD - 25).astype(np.uint8))


def test_what_creeps_in_too_slowly_to_be_motion_is_looked_at_in_the_end() -> None:
    gate = MotionGate(at_least=5)
    assert [gate.pass_(ROAD) for _ in range(11)] == [True, *[False] * 4, True, *[False] * 4, True]


def test_another_size_of_picture_is_a_new_beginning() -> None:
    gate = MotionGate()
    gate.pass_(ROAD)
    assert gate.pass_(ROAD[:10])


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (54, 96), (1080, 1920), (2160, 3840)])
def test_any_picture_is_shrunk(size: tuple[int, int]) -> None:
    small = shrink(np.full(size, 7, np.uint8))
    assert small.shape == (HEIGHT, WIDTH)
    assert (small == 7).all()


def need(name: str, priority: int = 3, fps: float = 5, decode: float = 0.1, look: float = 0.02) -> Need:
    return Need(name=name, priority=priority, fps=fps, decode=decode, look=look)


def test_where_there_is_enough_everybody_gets_what_they_want() -> None:
    assert grants([need("a"), need("b", fps=2)], 1.0) == {"a": 5, "b": 2}


def test_in_overload_the_less_important_look_less_often() -> None:
    granted = grants([need("gate", 1), need("yard", 5)], 0.35)
    assert granted["gate"] == 5
    assert 0 < granted["yard"] < 5


def test_equals_share_alike() -> None:
    granted = grants([need("a"), need("b")], 0.3)
    assert granted["a"] == granted["b"] == pytest.approx(2.5)


def test_what_cannot_be_looked_at_often_enough_is_not_pretended() -> None:
    granted = grants([need(f"c{number}") for number in range(10)], 0.45)
    assert {fps for fps in granted.values() if fps} == {5.0} or min(fps for fps in granted.values() if fps) >= LEAST_FPS
    assert any(fps == 0 for fps in granted.values())


def test_who_wants_key_frames_alone_takes_nothing_from_those_after_it() -> None:
    assert grants([need("a", 1, fps=0, decode=0.4), need("b", 2)], 0.3) == {"a": 0, "b": 5}


@given(
    st.lists(st.tuples(st.integers(1, 5), st.floats(0, 30), st.floats(0, 1), st.floats(0, 0.5)), max_size=20),
    st.floats(0, 8),
)
def test_the_budget_is_never_overdrawn(wishes: list[tuple[int, float, float, float]], cores: float) -> None:
    needs = [need(f"c{i}", p, fps, decode, look) for i, (p, fps, decode, look) in enumerate(wishes)]
    granted = grants(needs, cores)
    spent = sum(one.decode + granted[one.name] * one.look for one in needs if granted[one.name] > 0)
    assert spent <= cores + 1e-6
    assert all(0 <= granted[one.name] <= one.fps + 1e-9 for one in needs)
