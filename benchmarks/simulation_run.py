"""A day in SUMO, ten seconds at a time: where the probes are, whom advice could still reach, and how long all took."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree  # of files that SUMO wrote for us
from xml.sax.saxutils import quoteattr

import numpy as np

from benchmarks.simulation_demand import Day, Trip
from benchmarks.simulation_net import SimulatedCity, sumo_folder

STEP_SECONDS: Final = 10
"""Between two positions of a probe."""
TELEPORT_SECONDS: Final = 240
"""Who has stood so long at a junction that is locked is set down behind it; how many were is told."""
BLOCKED_SECONDS: Final = 20
"""Who stands so long in the middle of a junction is driven around: people wave each other through, models do not."""
OVERTIME_SECONDS: Final = 3_600
"""After the last hour, for those on their way."""
OBSTACLE_KIND: Final = "obstacle"


@dataclass(frozen=True)
class Outcome:
    """depart: when it set out, seconds since midnight; seconds: until it arrived; waited: before it could set out."""

    depart: float
    seconds: float
    waited: float

    @property
    def whole(self) -> float:
        """From the wish to drive to the arrival."""
        return self.waited + self.seconds


@dataclass(frozen=True)
class Moment:
    """`at` seconds since midnight; probes [n] by name, and where they are in metres [n]; those who set out next."""

    at: int
    names: list[str]
    x: np.ndarray
    y: np.ndarray
    leaving: list[Trip]


class SimulatedDay:
    """Run it by iterating over `moments`, then ask for `outcomes`."""

    def __init__(self, city: SimulatedCity, day: Day, folder: Path, seed: int) -> None:
        self._city, self._day, self._seed = city, day, seed
        folder.mkdir(parents=True, exist_ok=True)
        self._routes, self._told = folder / "day.rou.xml", folder / "trips.xml"
        self._sumo: Any = None
        self.teleported = 0
        """Set down behind a locked junction."""
        self.most = 0
        """On the roads at once."""

    def moments(self) -> Iterator[Moment]:
        """Until all have arrived."""
        traci = _traci()
        folder = sumo_folder()
        assert folder is not None
        self._write()
        begin = self._day.trips[0].depart // STEP_SECONDS * STEP_SECONDS
        end = self._day.trips[-1].depart + OVERTIME_SECONDS
        options = {
            "--net-file": self._city.file, "--route-files": self._routes, "--tripinfo-output": self._told,
            "--begin": begin, "--seed": self._seed, "--time-to-teleport": TELEPORT_SECONDS, "--step-length": 1,
            "--default.speeddev": 0.1, "--xml-validation": "never", "--no-step-log": "true", "--no-warnings": "true",
            "--route-steps": 0, "--ignore-junction-blocker": BLOCKED_SECONDS,
        }  # fmt: skip
        command = [str(folder / "bin" / "sumo"), *(str(word) for pair in options.items() for word in pair)]
        label = f"day{id(self)}"
        with contextlib.redirect_stdout(sys.stderr):  # it says there how often it knocked
            traci.start(command, label=label)
        self._sumo = sumo = traci.getConnection(label)
        probes = {one.name for one in self._day.trips if one.probe}
        place = traci.constants.VAR_POSITION
        waiting, at = list(reversed(self._day.trips)), begin
        try:
            while at < end and (waiting or sumo.simulation.getMinExpectedNumber() > 0):
                found = sumo.vehicle.getAllSubscriptionResults()
                names = sorted(found)
                spots = np.array([found[name][place] for name in names]).reshape(-1, 2)
                leaving = list[Trip]()
                while waiting and waiting[-1].depart < at + STEP_SECONDS:
                    leaving.append(waiting.pop())
                yield Moment(at, names, spots[:, 0], spots[:, 1], leaving)
                at += STEP_SECONDS
                sumo.simulationStep(float(at))
                for name in sumo.simulation.getDepartedIDList():
                    if name in probes:
                        sumo.vehicle.subscribe(name, [place])
                self.teleported += sumo.simulation.getStartingTeleportNumber()
                self.most = max(self.most, sumo.vehicle.getIDCount())
        finally:
            sumo.close()

    def send(self, trip: Trip, way: tuple[int, ...]) -> None:
        """Over another way; before it sets out, at the moment in which it is leaving."""
        self._sumo.vehicle.setRoute(trip.name, [str(edge) for edge in way])

    def outcomes(self) -> dict[str, Outcome]:
        """By the name of the trip, of those who arrived."""
        found = dict[str, Outcome]()
        for _, element in ElementTree.iterparse(self._told):
            if element.tag == "tripinfo" and element.get("vType") != OBSTACLE_KIND:
                depart, took, waited = (float(element.get(key, "nan")) for key in ("depart", "duration", "departDelay"))
                found[element.get("id", "")] = Outcome(depart, took, waited)
        return found

    def _write(self) -> None:
        a = self._city.network.arrays
        lines = [(one.depart, self._trip(one)) for one in self._day.trips]
        for number, one in enumerate(self._day.obstacles):
            middle = float(a.edge_length[one.edge]) / 2
            lines.append(
                (
                    one.begin,
                    f'<vehicle id="o{number}" type="{OBSTACLE_KIND}" depart="{one.begin}" departLane="0" departPos="0">'
                    f'<route edges="{one.edge}"/>'
                    f'<stop lane="{one.edge}_0" endPos="{middle:.1f}" duration="{one.seconds}"/></vehicle>',
                )
            )
        with self._routes.open("w", encoding="utf-8") as file:
            file.write("<routes>\n")
            file.write('<vType id="car" vClass="passenger" impatience="0.5"/>\n')
            file.write(f'<vType id="{OBSTACLE_KIND}" vClass="passenger"/>\n')
            file.writelines(f"{line}\n" for _, line in sorted(lines, key=lambda one: one[0]))
            file.write("</routes>\n")

    def _trip(self, trip: Trip) -> str:
        way = quoteattr(" ".join(map(str, trip.way)))
        return (
            f'<vehicle id="{trip.name}" type="car" depart="{trip.depart}" departLane="best" departPos="base" '
            f'departSpeed="0" arrivalPos="max"><route edges={way}/></vehicle>'
        )


def _traci() -> Any:
    """SUMO's own client, of its tools."""
    folder = sumo_folder()
    tools = str(folder / "tools") if folder is not None else ""
    if tools not in sys.path:
        sys.path.append(tools)
    return importlib.import_module("traci")
