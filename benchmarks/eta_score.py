"""How good foretold times are, and what advice gained: realised times alone are counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LENGTHS = ((0.0, 2_500.0), (2_500.0, 4_000.0), (4_000.0, np.inf))
"""Metres: short, middling and long trips of a city centre."""


@dataclass(frozen=True)
class Told:
    """Of one trip: seconds that were told and seconds that it took; the interval, NaN where none was told; metres."""

    told: float
    took: float
    low: float
    high: float
    metres: float


def scored(trips: Sequence[Told]) -> dict[str, object]:
    """Errors in seconds and per cent, bias (told less took) in per cent of what they took, shares 0..1."""
    if not trips:
        return {"trips": 0}
    told, took, low, high, metres = np.array([(t.told, t.took, t.low, t.high, t.metres) for t in trips]).T
    error = told - took
    share = np.abs(error) / took
    result: dict[str, object] = {
        "trips": len(trips),
        "mae_s": round(float(np.abs(error).mean()), 1),
        "median_ape": round(float(np.median(share)) * 100, 1),
        "p90_ape": round(float(np.percentile(share, 90)) * 100, 1),
        "within_10_percent": round(float((share <= 0.1).mean()), 3),
        "within_2_minutes": round(float((np.abs(error) <= 120).mean()), 3),
        "bias_percent": round(float(error.sum() / took.sum()) * 100, 1),
        "bias_percent_by_length": [
            round(float(error[part].sum() / took[part].sum()) * 100, 1) if part.any() else None
            for part in ((metres >= first) & (metres < end) for first, end in LENGTHS)
        ],
    }
    if np.isfinite(low).all():
        result["coverage_80"] = round(float(((low <= took) & (took <= high)).mean()), 3)
        result["below_low"] = round(float((took < low).mean()), 3)
        result["above_high"] = round(float((took > high).mean()), 3)
        result["median_width_percent"] = round(float(np.median((high - low) / took)) * 100, 1)
    return result


def gained(before: Sequence[float], after: Sequence[float]) -> dict[str, float]:
    """Of the same drivers, seconds: positive is a gain."""
    one, other = np.array(before), np.array(after)
    gain = one - other
    return {
        "trips": len(one),
        "mean_s": round(float(one.mean()), 1),
        "gain_s": round(float(gain.mean()), 1),
        "gain_percent": round(float(gain.sum() / one.sum()) * 100, 2),
        "median_gain_s": round(float(np.median(gain)), 1),
        "better_by_1_minute": round(float((gain > 60).mean()), 3),
        "worse_by_1_minute": round(float((gain < -60).mean()), 3),
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Over seeds."""
    return {"mean": round(float(np.mean(values)), 2), "least": min(values), "most": max(values)}
