"""Networks by version in a folder: each is a file that never changes, and one of them is in force.

roads/1f0c3a....roads   the network (`store.py`); its name begins its digest
roads/1f0c3a....json    where it is from, and what was left out of it
roads/current           the version in force
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from safecity.kit.errors import InvalidError, NotFoundError
from safecity.roads.network.arrays import EdgeFlag, RoadNetwork
from safecity.roads.network.store import read_network, write_network

KEPT: Final = 3
"""Versions that stay: the one in force, and those before it, for whoever still reads them or wants one back."""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A network that was imported. `bounds`: west, south, east, north; `dropped`: left out, by reason; `islands`: edges
    that are no part of the largest whole. `imported_at`: microseconds UTC."""

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


def put_version(
    folder: Path, network: RoadNetwork, *, dropped: Mapping[str, int], sources: tuple[str, ...], at_us: int
) -> Version:
    """Keep it, and put it in force: whoever asks from now on gets the whole new one."""
    folder.mkdir(parents=True, exist_ok=True)
    waiting = folder / f".import.{os.getpid()}"
    try:
        write_network(network, waiting)
        name = _digest(waiting)
        waiting.replace(folder / f"{name}.roads")
    finally:
        waiting.unlink(missing_ok=True)
    a = network.arrays
    both = a.edge_twin >= 0
    metres = float(a.edge_length[~both].sum() + a.edge_length[both].sum() / 2)
    told = Version(
        version=name, label=network.label, credit=network.credit, imported_at=at_us, sources=sources,
        nodes=network.nodes, edges=network.edges, islands=int(np.count_nonzero(a.edge_flags & EdgeFlag.ISLAND)),
        kilometres=round(metres / 1000, 3), dropped=dict(dropped),
        bounds=(
            float(a.point_lon.min()), float(a.point_lat.min()), float(a.point_lon.max()), float(a.point_lat.max()),
        ),
    )  # fmt: skip
    _write(folder / f"{name}.json", msgspec.json.format(msgspec.json.encode(told), indent=2))
    _write(folder / "current", name.encode())
    _forget(folder, name)
    return told


def current_version(folder: Path) -> str:
    """The name of the one in force; empty where there is none."""
    try:
        name = (folder / "current").read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return name if name.isalnum() else ""


def described(folder: Path, name: str) -> Version:
    """NotFoundError `roads_version` for one that is not there, InvalidError `roads_file` where it cannot be read."""
    try:
        return msgspec.json.decode((folder / f"{name}.json").read_bytes(), type=Version)
    except FileNotFoundError as error:
        raise NotFoundError(f"no network {name}", code="roads_version", params={"version": name}) from error
    except (OSError, msgspec.MsgspecError) as error:
        raise InvalidError(f"{name}: {error}", code="roads_file", params={"why": str(error)}) from error


def read_version(folder: Path, name: str) -> RoadNetwork:
    """Mapped. As `described`, and `read_network`."""
    path = folder / f"{name}.roads"
    if not path.exists():
        raise NotFoundError(f"no network {name}", code="roads_version", params={"version": name})
    return read_network(path)


def _digest(path: Path) -> str:
    """Of the file's own header."""
    with path.open("rb") as file:
        return file.read(48)[16:].hex()[:12]


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _forget(folder: Path, current: str) -> None:
    files = sorted(folder.glob("*.roads"), key=lambda one: one.stat().st_mtime, reverse=True)
    kept = {current, *(one.stem for one in files[:KEPT])}
    for path in (*files, *folder.glob("*.json")):
        if path.stem not in kept:
            path.unlink(missing_ok=True)
