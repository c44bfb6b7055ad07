"""Foretold times held against a simulated town: the whole way from positions to arrivals, where SUMO is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.eta import SIZES, prove
from benchmarks.eta_score import Told, gained, scored
from benchmarks.simulation_net import made, sumo_folder


@pytest.mark.slow
@pytest.mark.skipif(sumo_folder() is None, reason="needs eclipse-sumo (group `simulation`)")
def test_what_is_told_of_a_simulated_town_is_nearer_the_truth_than_an_empty_road(tmp_path: Path) -> None:
    found: Any = prove(made(14, tmp_path), SIZES["smoke"], tmp_path, 1)
    assert found["trips"][0] > 100
    assert found["arrived"] == found["trips"]
    assert found["eta"]["product"]["mae_s"] < found["eta"]["free_flow"]["mae_s"]
    assert found["advised"]["by_day"][0]["trips"] > 5


def test_errors_are_counted_as_they_are() -> None:
    trips = [
        Told(90.0, 100.0, 80.0, 110.0, 1_000.0),
        Told(330.0, 300.0, 200.0, 310.0, 3_000.0),
        Told(500.0, 1_000.0, 400.0, 900.0, 5_000.0),
    ]
    assert scored(trips) == {
        "trips": 3, "mae_s": 180.0, "median_ape": 10.0, "p90_ape": 42.0, "within_10_percent": 0.667,
        "within_2_minutes": 0.667, "bias_percent": -34.3, "bias_percent_by_length": [-10.0, 10.0, -50.0],
        "coverage_80": 0.667, "below_low": 0.0, "above_high": 0.333, "median_width_percent": 36.7,
    }  # fmt: skip
    assert "coverage_80" not in scored([Told(1.0, 2.0, np.nan, np.nan, 3.0)]), "where no interval was told"
    assert scored([]) == {"trips": 0}


def test_a_gain_is_of_the_same_drivers() -> None:
    told = gained([600.0, 300.0, 300.0], [500.0, 300.0, 380.0])
    assert (told["gain_s"], told["median_gain_s"], told["gain_percent"]) == (6.7, 0.0, 1.67)
    assert (told["better_by_1_minute"], told["worse_by_1_minute"]) == (0.333, 0.333)
