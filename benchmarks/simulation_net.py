"""A city for SUMO and for the product out of one map: the same arcs, the same turns.

The product imports the map its usual way. Each of its edges becomes an edge of SUMO's of the same number, and turns
that SUMO's junctions do not have become forbidden ones of the product's network, so that neither knows a way that the
other does not.
"""

from __future__ import annotations

import csv
import gzip
import importlib.util
import math
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree  # of files that SUMO wrote for us

import numpy as np

from benchmarks.town import town
from safecity.roads.network.arrays import METRES_PER_DEGREE, EdgeFlag, RoadClass, RoadNetwork, free_speeds, frozen
from safecity.roads.network.build import build_network
from safecity.roads.network.csvs import draft_from_csv

CITY_CENTRE = (18.02, 59.325, 18.10, 59.356)
"""Of Stockholm, degrees: 4.5 by 3.4 kilometres, from Kungsholmen to Gärdet and Gamla stan."""
_LANES = {RoadClass.MOTORWAY: 2, RoadClass.TRUNK: 2, RoadClass.PRIMARY: 2, RoadClass.SECONDARY: 2}
"""One way, where the map does not say; one on all others."""
LIMIT_FACTOR = 0.9
"""What the product takes an empty road to be driven at, of its limit (`free_speeds`)."""

Box = tuple[float, float, float, float]


def sumo_folder() -> Path | None:
    """Where the package `eclipse-sumo` lies; None where it is not installed."""
    found = importlib.util.find_spec("sumo")
    return Path(str(found.origin)).parent if found is not None and found.origin else None


@dataclass(frozen=True)
class Plane:
    """Metres east and north of a place, for SUMO, which knows no degrees."""

    lon: float
    lat: float

    @property
    def scale(self) -> tuple[float, float]:
        """Metres of one degree, east and north."""
        return METRES_PER_DEGREE * math.cos(math.radians(self.lat)), METRES_PER_DEGREE

    def metres(self, lon: float, lat: float) -> tuple[float, float]:
        """Of a place in degrees."""
        east, north = self.scale
        return (lon - self.lon) * east, (lat - self.lat) * north

    def degrees(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of places in metres."""
        east, north = self.scale
        return self.lon + x / east, self.lat + y / north


@dataclass(frozen=True)
class SimulatedCity:
    """`network` as the product has it; `file` as SUMO has it; `driven` [n] edges that both have; `lanes` [E]."""

    network: RoadNetwork
    file: Path
    plane: Plane
    driven: np.ndarray
    lanes: np.ndarray


def stockholm(data: Path, folder: Path, box: Box = CITY_CENTRE) -> SimulatedCity:
    """From a folder with `nodes.csv.gz` and `edges.csv.gz` (OSMnx), what lies within the box. Needs SUMO."""
    signals, said = _cut(data, folder, box)
    network = build_network(draft_from_csv(folder / "nodes.csv", folder / "edges.csv"), label="simulated").network
    return make_city(network, folder, signals, said)


def made(side: int, folder: Path) -> SimulatedCity:
    """A made town, with signals where two of its main roads cross. Needs SUMO."""
    network = town(side, gone=0.0)
    a = network.arrays
    large = (a.edge_class <= RoadClass.PRIMARY).astype(np.int64)
    crossed = np.bincount(a.edge_to, large, network.nodes) >= 4
    return make_city(network, folder, {int(key) for key in a.node_key[crossed]}, {})


def make_city(network: RoadNetwork, folder: Path, signals: set[int], said: dict[int, int]) -> SimulatedCity:
    """Traffic signals by the keys of nodes; what ways, by their keys, say of their lanes."""
    sumo = sumo_folder()
    assert sumo is not None
    a = network.arrays
    plane = Plane(float(a.node_lon.mean()), float(a.node_lat.mean()))
    main = np.flatnonzero(((a.edge_flags & EdgeFlag.ISLAND) == 0) & (a.edge_from != a.edge_to))
    kinds = [RoadClass(one) for one in a.edge_class.tolist()]
    lanes = np.array([said.get(key, _LANES.get(kind, 1)) for key, kind in zip(a.edge_key.tolist(), kinds, strict=True)])
    _write_sources(network, main, lanes, signals, plane, folder)
    file = folder / "city.net.xml"
    command = [
        str(sumo / "bin" / "netconvert"), "--node-files", str(folder / "city.nod.xml"), "--edge-files",
        str(folder / "city.edg.xml"), "--output-file", str(file), "--offset.disable-normalization", "--tls.join",
        "--tls.default-type", "actuated", "--no-turnarounds.except-deadend", "--junctions.limit-turn-speed", "5.5",
        "--no-warnings", "--seed", "1",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, text=True)
    return _same_turns(SimulatedCity(network, file, plane, main, lanes))


def _cut(data: Path, folder: Path, box: Box) -> tuple[set[int], dict[int, int]]:
    """Write what lies within; nodes with traffic signals, and what ways say of their lanes."""
    west, south, east, north = box
    inside, signals, lanes = set[str](), set[int](), dict[int, int]()
    with (folder / "nodes.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("osmid", "x", "y"))
        for row in _rows(data / "nodes.csv.gz"):
            if west <= float(row["x"]) <= east and south <= float(row["y"]) <= north:
                inside.add(row["osmid"])
                writer.writerow((row["osmid"], row["x"], row["y"]))
                if row["highway"] == "traffic_signals":
                    signals.add(int(row["osmid"]))
    with (folder / "edges.csv").open("w", newline="") as file:
        names = ("u", "v", "osmid", "highway", "maxspeed", "tunnel", "bridge", "junction", "wkt")
        writer = csv.writer(file)
        writer.writerow(names)
        for row in _rows(data / "edges.csv.gz"):
            if row["u"] in inside and row["v"] in inside:
                writer.writerow([row[name] for name in names])
                said = "".join(one if one.isdigit() else " " for one in row["lanes"]).split()
                if said:
                    both = row["oneway"] != "1"
                    count = max(1, min(map(int, said)) // (2 if both else 1))
                    lanes[int(row["osmid"].strip("[] ").split(",")[0])] = min(count, 4)
    return signals, lanes


def _rows(path: Path) -> Iterator[dict[str, str]]:
    csv.field_size_limit(1_000_000)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _write_sources(
    network: RoadNetwork, main: np.ndarray, lanes: np.ndarray, signals: set[int], plane: Plane, folder: Path
) -> None:
    a = network.arrays
    nodes = ElementTree.Element("nodes")
    for node in np.unique(np.concatenate((a.edge_from[main], a.edge_to[main]))).tolist():
        x, y = plane.metres(float(a.node_lon[node]), float(a.node_lat[node]))
        lit = int(a.node_key[node]) in signals and a.in_start[node + 1] - a.in_start[node] > 1
        kind = "traffic_light" if lit else "priority"
        ElementTree.SubElement(nodes, "node", id=f"n{node}", x=f"{x:.2f}", y=f"{y:.2f}", type=kind)
    edges = ElementTree.Element("edges")
    limits = free_speeds(network) / LIMIT_FACTOR
    for edge in main.tolist():
        line = [plane.metres(float(lon), float(lat)) for lon, lat in network.line(edge)]
        ElementTree.SubElement(
            edges, "edge", {
                "id": str(edge), "from": f"n{a.edge_from[edge]}", "to": f"n{a.edge_to[edge]}",
                "numLanes": str(lanes[edge]), "speed": f"{limits[edge]:.2f}",
                "priority": str(10 - int(a.edge_class[edge])),
                "spreadType": "right" if a.edge_twin[edge] >= 0 else "center",
                "shape": " ".join(f"{x:.2f},{y:.2f}" for x, y in line),
            },
        )  # fmt: skip
    ElementTree.ElementTree(nodes).write(folder / "city.nod.xml")
    ElementTree.ElementTree(edges).write(folder / "city.edg.xml")


def _same_turns(city: SimulatedCity) -> SimulatedCity:
    """Turns that SUMO's junctions lack are forbidden ones, except straight back: both know where that is possible."""
    there = set[tuple[int, int]]()
    kept = set[int]()
    for _, element in ElementTree.iterparse(city.file):
        if element.tag == "connection" and not element.get("from", ":").startswith(":"):
            there.add((int(element.get("from", "")), int(element.get("to", ""))))
        elif element.tag == "edge" and not element.get("id", ":").startswith(":"):
            kept.add(int(element.get("id", "")))
    a = city.network.arrays
    bans = set[int](a.ban.tolist())
    for edge in sorted(kept):
        node = int(a.edge_to[edge])
        for following in range(int(a.out_start[node]), int(a.out_start[node + 1])):
            if (edge, following) not in there and following != a.edge_twin[edge]:
                bans.add(edge << 32 | following)
    ban = np.array(sorted(bans), np.int64)
    flags = a.edge_flags.copy()
    flags[ban >> 32] |= np.uint8(EdgeFlag.BANS)
    arrays = a._replace(ban=frozen(ban, "ban"), edge_flags=frozen(flags, "edge_flags"))
    driven = np.array(sorted(kept), np.int64)
    return replace(city, network=replace(city.network, arrays=arrays), driven=driven)
