"""What the matcher believes about positions and drivers."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Final, NamedTuple

from safecity.kit.errors import InvalidError

SECOND: Final = 1_000_000


class Rules(NamedTuple):
    """`MatchSettings` as the kernels take them: metres, microseconds, and costs that are negative logarithms."""

    sigma: float
    tail: float
    radius: float
    beta: float
    beta_per_metre: float
    spacing: float
    u_turn: float
    banned_turn: float
    off_road: float
    off_road_change: float
    broken: float
    hopeless: float
    detour: float
    fastest: float
    gap_us: int
    lag_us: int
    stand_us: int
    lag_points: int
    outliers: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchSettings:
    """After Newson & Krumm, "Hidden Markov map matching through noise and sparseness", ACM SIGSPATIAL GIS 2009: a
    position lies around its road with the deviation `sigma_metres` (their section 4.1), and the way driven between two
    positions is longer than the straight line by an exponential amount of mean `beta` (section 4.2). Here `beta` grows
    with the distance, since what one does not see between two positions grows with it.

    tail_sigmas           beyond so many deviations the cost grows linearly: reflections are farther off than a normal
                          distribution allows
    radius_metres         roads farther away are not thought of
    spacing_metres        a position nearer to the last one taken tells nothing new and is passed over (their section 5
                          does so within two deviations)
    u_turn_metres, banned_turn_metres
                          what turning round, and turning where it is forbidden, counts as way
    off_road, off_road_change, broken
                          costs of a position off the roads, of leaving or joining them, and of a hop to a road that
                          cannot be reached
    hopeless              states worse than the best one by more are given up
    detour_metres         ways longer than the straight line by more (plus that line once more) are not looked for
    fastest_mps           faster than this is a jump: the position is passed over, and after `outliers` of them in a row
                          a new trip begins there
    gap_seconds           silent for longer: a new trip
    lag_seconds, lag_points    a position is decided when both have passed behind it, or earlier when the ring is full,
                          or when the vehicle has not moved on for four times so long
    """

    sigma_metres: float = 6.0
    tail_sigmas: float = 3.0
    radius_metres: float = 50.0
    beta_metres: float = 8.0
    beta_per_metre: float = 0.03
    spacing_metres: float = 25.0
    u_turn_metres: float = 60.0
    banned_turn_metres: float = 150.0
    off_road: float = 20.0
    off_road_change: float = 15.0
    broken: float = 40.0
    hopeless: float = 12.0
    detour_metres: float = 1_500.0
    fastest_mps: float = 70.0
    gap_seconds: float = 900.0
    lag_seconds: float = 30.0
    lag_points: int = 5
    outliers: int = 3

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not (math.isfinite(value) and 0 <= value <= 1e6):
                raise InvalidError(f"{one.name}: {value} is not in 0..1e6", code="matching_settings")
        if (
            min(self.sigma_metres, self.beta_metres, self.radius_metres, self.fastest_mps) < 0.1
            or self.radius_metres > 500
        ):
            raise InvalidError("a deviation, radius or speed that is none", code="matching_settings")
        if not 1 <= self.lag_points <= RING - 2:
            raise InvalidError(f"lag_points: {self.lag_points} is not in 1..{RING - 2}", code="matching_settings")

    def rules(self) -> Rules:
        """For the kernels."""
        # Of one type each, whatever the caller wrote: another type would be another kernel.
        return Rules(
            sigma=float(self.sigma_metres),
            tail=float(self.tail_sigmas),
            radius=float(self.radius_metres),
            beta=float(self.beta_metres),
            beta_per_metre=float(self.beta_per_metre),
            spacing=float(self.spacing_metres),
            u_turn=float(self.u_turn_metres),
            banned_turn=float(self.banned_turn_metres),
            off_road=float(self.off_road),
            off_road_change=float(self.off_road_change),
            broken=float(self.broken),
            hopeless=float(self.hopeless),
            detour=float(self.detour_metres),
            fastest=float(self.fastest_mps),
            gap_us=int(self.gap_seconds * SECOND),
            lag_us=int(self.lag_seconds * SECOND),
            stand_us=int(STANDING_LAGS * self.lag_seconds * SECOND),
            lag_points=int(self.lag_points),
            outliers=int(self.outliers),
        )


STANDING_LAGS: Final = 4
"""Who stands for so many lags is not waited for: longer than a traffic light, and how he came there is settled."""
RING: Final = 12
"""Positions of one vehicle that can wait for their decision."""
STATES: Final = 12
"""Of one position: off the road, and the nearest edges, both directions counted."""
TREE: Final = 160
"""Edges of all ways that lead to one position's states, shared beginnings counted once."""
