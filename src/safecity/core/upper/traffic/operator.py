"""The operator of the flow: positions of vehicles in, what they drove of each road in each minute out.

A key is a group of vehicles and an item one of them: a turn hands all vehicles of a group to the matcher at once, and
only those that reported are written again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, Final, NamedTuple
from zlib import crc32

import numpy as np
from msgspec import Struct

from safecity.core.upper.flows.api import Item, Late, Record, State
from safecity.core.upper.traffic.memory import clear, put_back, taken
from safecity.core.upper.traffic.standing import Standing, Still, seen
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError
from safecity.model.facts.envelope import Event
from safecity.roads.conditions.spread import new_last, new_sums, spread_pairs
from safecity.roads.matching.online import Matched, Matcher
from safecity.roads.network.arrays import RoadNetwork, free_speeds

GROUPS: Final = 64
"""Fixed: vehicles are stored by group."""
SILENT_US: Final = 90 * SECOND_US
"""A vehicle that says nothing for so long has what it said decided, as far as it goes."""
AHEAD_US: Final = 300 * SECOND_US
"""A clock that is farther ahead is wrong: its vehicle would stand, and be heard of, until that time has come."""
GONE_US: Final = 1_800 * SECOND_US
"""Nothing is remembered of a vehicle after so long: it begins anew anyway (`MatchSettings.gap_seconds`)."""
STOOD_US: Final = 48 * 3600 * SECOND_US
"""Of one that stood: when it is heard of again it is told whether it has left."""
BITS: Final = 62
"""Of the mask by which different vehicles are told apart without being named."""
MAX_AT_ONCE: Final = 512
"""Vehicles that the matcher has before it."""


class Driven(NamedTuple):
    """What one hop of a vehicle adds to one direction of a road in one bucket: whole numbers, so that it makes no
    difference in which order and how often cut they are summed.

    bucket        begin, microseconds UTC
    millimetres, microseconds   driven, and how long that took
    square        millimetres times the square of milliseconds per metre: for the variance
    entered       1 where the vehicle came onto the edge
    bit           which of `BITS` stands for it
    """

    bucket: int
    edge: int
    millimetres: int
    microseconds: int
    square: int
    entered: int
    bit: int


class Known(Struct, frozen=True, array_like=True, gc=False):
    """What is known of a vehicle: on which network, when it was heard, whether positions wait, the matcher's memory,
    and whether it stands."""

    network: str
    heard: int
    waits: bool
    memory: bytes
    still: Still | None = None


class Sighted(NamedTuple):
    """A position of a vehicle; its speed (m/s) as it says it."""

    vehicle: str
    longitude: float
    latitude: float
    speed: float | None = None


def read_position(event: Event) -> Iterable[Record]:
    """`position.received` as a record; none where it says no place or time that can be believed, or of what is on no
    road."""
    body = event.body
    if body.get("travels") == "water" or event.at > event.seen + AHEAD_US:
        return
    longitude, latitude = body.get("longitude"), body.get("latitude")
    if not isinstance(longitude, int | float) or not isinstance(latitude, int | float):
        return
    # A platform speaks for many that move; a terminal names itself.
    vehicle = f"{body.get('device') or event.subject}/{body.get('code') or ''}"[:100]
    group = crc32(vehicle.encode("utf-8", "replace")) % GROUPS
    speed = body.get("speed")
    said = float(speed) if isinstance(speed, int | float) else None
    yield Record(f"g{group:02d}", event.at, Sighted(vehicle, float(longitude), float(latitude), said))


def too_late(_: Late) -> None:
    """A position that came when its time was over: the flow counts it, and it is not kept."""


class TrafficOperator:
    """On one network. `salt`: known to this platform alone, so that a mask tells nobody which vehicle it was."""

    version = 1
    item: Any = Known

    def __init__(self, network: RoadNetwork, name: str, salt: bytes, *, bucket_us: int = 60 * SECOND_US) -> None:
        self._name = name
        self._salt = salt
        self._bucket_us = bucket_us
        self._lengths = np.maximum(network.arrays.edge_length, np.float32(0.1))
        self._expected = free_speeds(network).astype(np.float64)
        self._twins = network.arrays.edge_twin
        self._matcher = Matcher(network, MAX_AT_ONCE)
        self._vehicles = self._matcher.vehicles
        self._last = new_last(MAX_AT_ONCE)
        self._sums = new_sums(1, network.edges)
        self.positions = 0
        """Taken since it was made; some of them again after a crash."""

    def process(self, batch: Sequence[Record], state: State) -> Iterable[Driven | Standing]:
        outputs: list[Driven | Standing] = []
        numbers: dict[str, int] = {}
        begin = 0
        for end, record in enumerate(batch):
            if record.value.vehicle not in numbers and len(numbers) == MAX_AT_ONCE:
                self._take(batch[begin:end], numbers, state, outputs)
                numbers, begin = {}, end
            numbers.setdefault(record.value.vehicle, len(numbers))
        self._take(batch[begin:], numbers, state, outputs)
        self._wake(state)
        return outputs

    def on_watermark(self, time: int, state: State) -> Iterable[Driven | Standing]:
        outputs: list[Driven | Standing] = []
        known = [(vehicle, one) for vehicle, one in state.items().items() if isinstance(one, Known)]
        gone = [
            vehicle for vehicle, one in known
            if one.heard <= time - _kept_us(one) or (one.network != self._name and not _stood(one))
        ]  # fmt: skip
        silent = [str(vehicle) for vehicle, one in known if one.waits and one.heard <= time - SILENT_US]
        for begin in range(0, len(silent), MAX_AT_ONCE):
            part = silent[begin : begin + MAX_AT_ONCE]
            numbers = {vehicle: number for number, vehicle in enumerate(part)}
            self._load(numbers, state)
            self._spread(self._matcher.flush(list(numbers.values())), numbers, outputs)
            self._store(numbers, state, {vehicle: state.get(vehicle).still for vehicle in part})
        for vehicle in gone:
            state.put(vehicle, None)
        self._wake(state)
        return outputs

    def upgrade(self, version: int, items: dict[Item, Any]) -> dict[Item, Any]:
        return items

    def _take(
        self, batch: Sequence[Record], numbers: dict[str, int], state: State, outputs: list[Driven | Standing]
    ) -> None:  # fmt: skip
        self._load(numbers, state)
        stills = self._stills(batch, numbers, state, outputs)
        found = [(numbers[one.vehicle], at, one.longitude, one.latitude) for _, at, one in batch]
        vehicle, us, lon, lat = (np.array(column) for column in zip(*found, strict=True))
        matched, _ = self._matcher.feed(vehicle, us, lon, lat)
        self._spread(matched, numbers, outputs)
        self._store(numbers, state, stills)
        self.positions += len(batch)

    def _stills(
        self, batch: Sequence[Record], numbers: dict[str, int], state: State, outputs: list[Driven | Standing]
    ) -> dict[str, Still | None]:
        known = {vehicle: state.get(vehicle) for vehicle in numbers}
        stills: dict[str, Still | None] = {vehicle: one.still if one else None for vehicle, one in known.items()}
        for _, at, one in batch:
            stills[one.vehicle], told = seen(stills[one.vehicle], at, one.longitude, one.latitude, one.speed)
            if told is not None:
                outputs.append(told._replace(vehicle=self._name_of(one.vehicle)))
        return stills

    def _load(self, numbers: dict[str, int], state: State) -> None:
        for vehicle, number in numbers.items():
            known = state.get(vehicle)
            clear(self._vehicles, self._last, number)
            if known is not None and known.network == self._name:
                try:
                    put_back(self._vehicles, self._last, number, known.memory)
                except InvalidError:  # of an older form: the vehicle begins anew
                    clear(self._vehicles, self._last, number)

    def _store(self, numbers: dict[str, int], state: State, stills: dict[str, Still | None]) -> None:
        v = self._vehicles
        for vehicle, number in numbers.items():
            memory = taken(v, self._last, number)
            heard, waits = int(v.heard[number]), bool(v.waiting[number] > 0)
            state.put(vehicle, Known(self._name, heard, waits, memory, stills[vehicle]))

    def _spread(self, matched: Matched, numbers: dict[str, int], outputs: list[Driven | Standing]) -> None:
        """Position by position: what a hop adds is rounded by itself."""
        bits = {number: self._bit(vehicle) for vehicle, number in numbers.items()}
        s = self._sums
        for n in range(len(matched)):
            number = int(matched.vehicle[n])
            before, first, end = int(self._last.edge[number]), matched.path_start[n], matched.path_start[n + 1]
            spread_pairs(
                self._lengths, self._expected, self._last, s, self._bucket_us, 0, matched.vehicle[n : n + 1],
                matched.us[n : n + 1], matched.edge[n : n + 1], matched.along[n : n + 1], matched.flags[n : n + 1],
                np.array((0, end - first)), matched.path[first:end], self._twins,
            )  # fmt: skip
            if s.bucket[0] < 0:
                continue
            bucket = int(s.bucket[0]) * self._bucket_us
            for edge in dict.fromkeys((before, *matched.path[first:end].tolist())):
                share, length = float(s.share[0, edge]), float(self._lengths[edge])
                if share > 0:
                    pace = float(s.pace[0, edge]) / share
                    millimetres = round(share * length * 1000)
                    outputs.append(
                        Driven(
                            bucket, edge, millimetres, round(millimetres * pace * 1000),
                            round(millimetres * (pace * 1000) ** 2), int(s.vehicles[0, edge]), bits[number],
                        )
                    )  # fmt: skip
                s.share[0, edge] = s.pace[0, edge] = s.square[0, edge] = 0
                s.vehicles[0, edge] = 0
            s.bucket[0] = -1

    def _bit(self, vehicle: str) -> int:
        digest = blake2b(vehicle.encode("utf-8", "replace"), key=self._salt, digest_size=8).digest()
        return int.from_bytes(digest, "big") % BITS

    def _name_of(self, vehicle: str) -> str:
        """That nobody reads a vehicle from."""
        return blake2b(vehicle.encode("utf-8", "replace"), key=self._salt, digest_size=16).hexdigest()

    def _wake(self, state: State) -> None:
        """When the first vehicle that waits has been silent for long, or the first one is to be forgotten."""
        times = [
            one.heard + (SILENT_US if one.waits else _kept_us(one))
            for one in state.items().values()
            if isinstance(one, Known)
        ]
        state.wake_at = min(times) if times else None


def _stood(one: Known) -> bool:
    return one.still is not None and one.still.told > 0


def _kept_us(one: Known) -> int:
    return STOOD_US if _stood(one) else GONE_US
