"""The matcher: batches of positions of many vehicles in, decided edges out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from safecity.kit.errors import ExhaustedError, InvalidError
from safecity.roads.compiled import F32, I32, I64, U8
from safecity.roads.matching.settings import RING, TREE, MatchSettings
from safecity.roads.matching.state import Output, Vehicles, new_output, new_search, new_vehicles
from safecity.roads.matching.step import run_batch, run_flush
from safecity.roads.network.arrays import RoadNetwork

MAX_VEHICLES: Final = 200_000
"""Of one matcher: 16 KiB each."""
_PATH_PER_POSITION: Final = 8


@dataclass(frozen=True, slots=True)
class Matched:
    """M decided positions, of each vehicle in the order of time.

    vehicle [M], us [M] microseconds UTC, edge [M] (-1: off the roads), along [M] metres from its start, flags [M]
    (`StepFlag`). The edges entered since the vehicle's position before, the last one included, are
    path[path_start[i]:path_start[i+1]]; none when it stayed on its edge.
    """

    vehicle: I32
    us: I64
    edge: I32
    along: F32
    flags: U8
    path_start: I64
    path: I32

    def __len__(self) -> int:
        return len(self.vehicle)

    @classmethod
    def together(cls, parts: Sequence[Matched]) -> Matched:
        """One after the other; at least one."""
        if len(parts) == 1:
            return parts[0]
        shift = np.cumsum([0, *(len(part.path) for part in parts)])
        starts = [part.path_start[:-1] + more for part, more in zip(parts, shift, strict=False)]
        names = ("vehicle", "us", "edge", "along", "flags")
        columns = [np.concatenate([getattr(part, name) for part in parts]) for name in names]
        path = np.concatenate([part.path for part in parts])
        return cls(*columns, path_start=np.concatenate([*starts, shift[-1:]]), path=path)


class Matcher:
    """Online matching on one network with a fixed lag; knows `vehicles` vehicles by number, from 0.

    Not for several threads at once. The GIL is free while it computes.
    """

    def __init__(
        self, network: RoadNetwork, vehicles: int, settings: MatchSettings | None = None, *, ring: int = RING
    ) -> None:
        """`ring` positions of one vehicle can wait; more than usual makes the lag that long."""
        if not 0 < vehicles <= MAX_VEHICLES:
            raise ExhaustedError(f"{vehicles} vehicles are not in 1..{MAX_VEHICLES}", code="matching_vehicles")
        self._arrays = network.arrays
        self._ring = max(ring, RING)
        self._rules = (settings or MatchSettings()).rules()
        if self._ring > RING:
            self._rules = self._rules._replace(lag_points=self._ring, stand_us=2**62)
        self._vehicles = new_vehicles(vehicles, self._ring)
        self._search = new_search(network.nodes)

    @property
    def vehicles(self) -> Vehicles:
        """What is remembered of each, for whoever keeps it elsewhere between two batches."""
        return self._vehicles

    def feed(self, vehicle: ArrayLike, us: ArrayLike, lon: ArrayLike, lat: ArrayLike) -> tuple[Matched, U8]:
        """Take positions: numbers of vehicles, microseconds UTC, degrees, all [n]. What one vehicle sends is in the
        order of the arrays; vehicles may be mixed.

        Returns what could be decided by it, and a `Verdict` for each position. InvalidError `matching_shape` when the
        arrays differ in length.
        """
        numbers = np.asarray(vehicle, np.int64).reshape(-1)
        numbers = np.where((numbers >= 0) & (numbers < len(self._vehicles.newest)), numbers, -1).astype(np.int32)
        times = np.asarray(us, np.int64).reshape(-1)
        x, y = np.asarray(lon, np.float64).reshape(-1), np.asarray(lat, np.float64).reshape(-1)
        if not len(numbers) == len(times) == len(x) == len(y):
            raise InvalidError("arrays of different lengths", code="matching_shape")
        # One vehicle after the other: its memory is looked at once.
        order = np.argsort(numbers, kind="stable")
        numbers, times, x, y = numbers[order], times[order], x[order], y[order]
        verdicts = np.empty(len(numbers), np.uint8)
        parts, begin = list[Matched](), 0
        while begin < len(numbers) or not parts:
            out = self._room(len(numbers) - begin)
            begin = run_batch(
                self._arrays, self._search, self._vehicles, self._rules, out, numbers, times, x, y, verdicts, begin
            )
            parts.append(_taken(out))
        given = np.empty_like(verdicts)
        given[order] = verdicts
        return Matched.together(parts), given

    def flush(self, vehicle: ArrayLike) -> Matched:
        """Decide all that waits of these vehicles: a trip ends, or the answer is due. What comes next begins anew."""
        numbers = np.unique(np.asarray(vehicle, np.int64))
        numbers = numbers[(numbers >= 0) & (numbers < len(self._vehicles.newest))].astype(np.int32)
        parts, begin = list[Matched](), 0
        while begin < len(numbers) or not parts:
            out = self._room(self._ring * (len(numbers) - begin))
            begin = run_flush(self._vehicles, out, numbers, begin)
            parts.append(_taken(out))
        return Matched.together(parts)

    def silent_since(self, us: int) -> I32:
        """Vehicles with positions that wait, heard last at `us` or before."""
        v = self._vehicles
        return np.flatnonzero((v.waiting > 0) & (v.heard <= us)).astype(np.int32)

    def _room(self, positions: int) -> Output:
        positions = max(positions, 0) + 2 * self._ring
        return new_output(positions, _PATH_PER_POSITION * positions + 2 * self._ring * (TREE + 1))


def _taken(out: Output) -> Matched:
    n, edges = int(out.size[0]), int(out.size[1])
    return Matched(
        out.vehicle[:n],
        out.us[:n],
        out.edge[:n],
        out.along[:n],
        out.flags[:n],
        out.path_start[: n + 1],
        out.path[:edges],
    )
