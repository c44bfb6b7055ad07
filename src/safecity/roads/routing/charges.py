"""What ways cost beside time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from safecity.kit.errors import InvalidError
from safecity.roads.compiled import F64, I64


@dataclass(frozen=True, slots=True)
class Charges:
    """What driving along an edge costs beside time, as the seconds that it is worth: `seconds` [n, B] for edges [n], by
    the B parts of the local day in which the edge is entered. Supplied by whoever knows tariffs, caps and what a minute
    is worth. `along` [n]: metres from the start of the edge to where it is paid, so that who sets out behind that place
    or ends before it pays nothing, and of an edge there may be several; without it paid at the start, one for each."""

    edges: ArrayLike
    seconds: ArrayLike
    along: ArrayLike | None = None

    @property
    def table(self) -> F64:
        """`seconds` as numbers."""
        return np.asarray(self.seconds, np.float64)

    @property
    def places(self) -> F64:
        """`along` of each."""
        return np.zeros(np.shape(self.edges)) if self.along is None else np.asarray(self.along, np.float64)

    def check_places(self) -> None:
        """InvalidError `route_charges` unless each is paid at a place."""
        if self.places.shape != np.shape(self.edges) or np.isnan(self.places).any():
            raise InvalidError("not a place along the edge for every charge", code="route_charges")

    def passed(self, edge: int, length: float, *, after: float = -math.inf, until: float = math.inf) -> I64:
        """Rows that are paid between two places along an edge of that length. What is said to be paid beyond either of
        its ends is paid there: lengths are known less exactly than places."""
        places = np.clip(self.places, 0.0, length)
        return np.flatnonzero((np.asarray(self.edges) == edge) & (places > after) & (places <= until))
