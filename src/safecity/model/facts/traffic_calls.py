"""What control and the duty `traffic` (address `traffic`) say to one another.

Fields are only ever added at the end. Places are longitude and latitude in degrees (WGS-84), times microseconds UTC.
"""

from __future__ import annotations

from safecity.model.facts.media_calls import Message

Point = tuple[float, float]
Line = tuple[Point, ...]


class TrafficClosure(Message, frozen=True):
    """Roads that nobody may drive on from `start` to `end` (None: until further notice).

    line        where: one point names the road that is nearest, several the roads along them
    both_ways   the other direction too; else the direction in which the line runs
    """

    id: str
    line: Line
    both_ways: bool
    start: int
    end: int | None = None


class ApplyTraffic(Message, frozen=True):
    """All closures there are; in force when it is answered. `zone`: name of the local time. `days`: dates that are
    another kind of day than their day of the week says (`kit.daykinds`). Answer: Done."""

    revision: int
    closures: tuple[TrafficClosure, ...]
    zone: str = "UTC"
    days: dict[str, str] = {}


class AskTraffic(Message, frozen=True):
    """Answer: TrafficFigures."""


class TrafficFigures(Message, frozen=True):
    """How the duty stands. `state` is `no_network`, `not_installed`, `network_damaged`, `no_storage`,
    `loading` or `ready`.

    version    of the network; `revision`: of the closures it was told, 0: none yet
    positions  read since it started; `unplaced` closures and `unplaced_tolls` fit no road;
               `detail` what is wrong with the network
    """

    state: str
    version: str = ""
    revision: int = 0
    positions: int = 0
    unplaced: tuple[str, ...] = ()
    detail: str = ""
    unplaced_tolls: tuple[str, ...] = ()


class AskNetwork(Message, frozen=True):
    """Answer: NetworkDescribed."""


class NetworkDescribed(Message, frozen=True):
    """The network in force. `bounds`: west, south, east, north; `dropped`: what was left out of the import, by reason;
    `islands`: edges that lead nowhere."""

    version: str
    label: str
    credit: str
    imported_at: int
    sources: tuple[str, ...]
    nodes: int
    edges: int
    islands: int
    kilometres: float
    bounds: tuple[float, float, float, float]
    dropped: dict[str, int]


class AskRoutes(Message, frozen=True):
    """Ways from `start` to `end`, setting out at `at`, the best one first, at most `count`; `least`: as in
    AskConditions. `vehicle`: class that tolls are told for; `avoid_tolls`: whatever time it takes. Answer: RoutesFound,
    or the error `no_road_near`, `only_islands_near`, `no_route`, `route_closed` or `route_island`."""

    start: Point
    end: Point
    at: int
    count: int = 3
    least: int = 1
    vehicle: str = "car"
    avoid_tolls: bool = False


class RouteFound(Message, frozen=True):
    """One way. Between `low` and `high` lies the real time in 80 of 100 cases; `free_seconds`: on empty roads;
    `measured_metres`: so far of it is known from vehicles that drive there now. `share`: of drivers who had better be
    sent over it, so that not all jump onto the best one; all over the usual way where none is worth it. `toll`: minor
    units of the currency."""

    line: Line
    metres: float
    seconds: float
    low: float
    high: float
    free_seconds: float
    measured_metres: float
    share: float = 1.0
    toll: int = 0


class RoutesFound(Message, frozen=True):
    """At least one. `currency` of tolls, empty where none are known."""

    routes: tuple[RouteFound, ...]
    currency: str = ""


class AskConditions(Message, frozen=True):
    """Edges in a box: those that vehicles were measured on, or (`everything`) all, the important ones first.

    least  vehicles that an edge must have been driven by for its speed to be told
    limit  edges in the answer
    """

    west: float
    south: float
    east: float
    north: float
    least: int
    limit: int = 2_000
    everything: bool = False


class EdgeCondition(Message, frozen=True):
    """One direction of a road. `level` A (free) to F, empty where no speed is told. `vehicles`: at least so many
    different ones; `age_seconds`: since the last of them. `flow`: vehicles an hour, where they are counted."""

    edge: int
    line: Line
    road_class: int
    free_kmh: float
    speed_kmh: float | None = None
    level: str = ""
    vehicles: int = 0
    age_seconds: float | None = None
    closed: bool = False
    flow: float | None = None


class ConditionsFound(Message, frozen=True):
    """Answer to AskConditions. `left_out`: edges in the box beyond the limit."""

    edges: tuple[EdgeCondition, ...]
    left_out: int
    at: int


class AskJams(Message, frozen=True):
    """Answer: JamsFound. `least`: as in AskConditions."""

    least: int


class Jam(Message, frozen=True):
    """Roads on which traffic is below two fifths of its free speed, and that hang together."""

    id: str
    began_at: int
    place: Point
    metres: float
    speed_kmh: float
    lines: tuple[Line, ...]
    ended_at: int | None = None


class JamsFound(Message, frozen=True):
    """Those that last, the longest way first."""

    jams: tuple[Jam, ...]


class FindRoads(Message, frozen=True):
    """Which roads a closure would close. Answer: RoadsFound, or the error `no_road_near`."""

    line: Line
    both_ways: bool


class RoadsFound(Message, frozen=True):
    """Their lines."""

    lines: tuple[Line, ...]
    metres: float


class RoadCount(Message, frozen=True):
    """What was counted at a place beside a road in [since, until).

    point       the place or one lane of it; `site`: whose points lie beside one another and are summed
    bearing     degrees from north in the direction of travel, None: not known
    speed_kmh   harmonic mean, None: not measured
    """

    point: str
    site: str
    place: Point
    bearing: float | None
    since: int
    until: int
    vehicles: int
    speed_kmh: float | None = None


class ApplyCounts(Message, frozen=True):
    """Counts of the last minutes: with what was told before, or (`anew`) in its place. Answer: Done."""

    counts: tuple[RoadCount, ...]
    anew: bool = True


class AskIncidents(Message, frozen=True):
    """Answer: IncidentsFound. `least`: of fewer vehicles only those are told that a person confirmed. `dismissed`: also
    those of which a person said that they are none."""

    least: int
    dismissed: bool = False


class RoadIncident(Message, frozen=True):
    """Vehicles that stand where others drive. `kind` is `stopped` or `accident` (a probable one), `state` `open`,
    `confirmed`, `dismissed` or `ended`; `why` it ended: `moved`, `silent`, `lost`, `cleared`."""

    id: str
    kind: str
    state: str
    place: Point
    vehicles: int
    began_at: int
    changed_at: int
    decided_by: str = ""
    why: str = ""


class IncidentsFound(Message, frozen=True):
    """Those that last, the newest first."""

    incidents: tuple[RoadIncident, ...]


class RoadToll(Message, frozen=True):
    """What it costs to drive past a place, or over a border.

    bearing    degrees from north, of the direction that pays; None: both
    amounts    minor units of the currency, by parts of the local day that are equally long: 1, 2, 3, 4, 6, 8, 12, 16,
               24, 32, 48 or 96 of them, for all vehicles on all days; () where `tables` say it
    tables     name of the TollTables that say what whom it costs, where that differs
    border     a ring in place of the one place, its last point joined to the first; `crossing` is which way over it is
               paid for, `in`, `out` or `both`
    begins, ends   the first and last local day on which it is paid (`2026-01-01`), empty: ever
    """

    place: Point
    bearing: float | None
    amounts: tuple[int, ...]
    tables: str = ""
    border: Line = ()
    crossing: str = "both"
    begins: str = ""
    ends: str = ""


class TollTable(Message, frozen=True):
    """What vehicles of some classes pay on days of some kinds (`kit.daykinds`); `amounts` as of a RoadToll. A name may
    have several; whom and when none of them speaks of, pays nothing."""

    name: str
    vehicles: tuple[str, ...]
    days: tuple[str, ...]
    amounts: tuple[int, ...]


class ApplyTolls(Message, frozen=True):
    """All tolls there are, and what an hour is worth to a driver (minor units, more than 0): routes weigh the one
    against the other. In force when it is answered. Answer: Done."""

    tolls: tuple[RoadToll, ...]
    hour_worth: int
    currency: str
    tables: tuple[TollTable, ...] = ()


class FindTolled(Message, frozen=True):
    """Which roads pay these. Answer: RoadsFound, or the error `no_road_near`."""

    tolls: tuple[RoadToll, ...]


class JudgeIncident(Message, frozen=True):
    """What a person says of it: `confirmed`, `dismissed`, `known_stop` (dismissed, and vehicles may stand there), or
    `cleared`. Answer: IncidentsFound with this one, or the error `not_found` or `incident_state`."""

    incident: str
    verdict: str
    by: str
