"""One file for one network: magic, version, a description of the arrays, the arrays, and a digest over all of them.

    0   8   "SCROADS\\0"
    8   4   version of the format, little-endian
    12  4   length of the description
    16  32  SHA-256 of everything behind byte 48
    48  n   description: JSON, `_Description`
    ... the arrays, little-endian, each at a multiple of 64 bytes

It is read by mapping it: processes share its pages, and a network larger than the memory still loads. The digest finds
damage; that no index points outside of its array is checked apart, since the kernels do not look again.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from safecity.kit.errors import InvalidError
from safecity.roads.network.arrays import DTYPES, RoadArrays, RoadNetwork

MAGIC: Final = b"SCROADS\0"
VERSION: Final = 1
_HEAD: Final = struct.Struct("<8sII32s")
_ALIGN: Final = 64
_MAX_DESCRIPTION: Final = 65_536


class _Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    count: int
    offset: int


class _Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    label: str
    credit: str
    arrays: tuple[_Place, ...]


def write_network(network: RoadNetwork, path: Path) -> None:
    """All or nothing: a reader sees the old file or the whole new one."""
    places, offset = list[_Place](), 0
    for name, values in zip(RoadArrays._fields, network.arrays, strict=True):
        places.append(_Place(name, len(values), offset))
        offset += _padded(values.nbytes)
    text = msgspec.json.encode(_Description(network.label, network.credit, tuple(places)))
    if len(text) > _MAX_DESCRIPTION:
        raise InvalidError("label or credit too long", code="roads_label")
    body = text + b"\0" * (_padded(_HEAD.size + len(text)) - _HEAD.size - len(text))
    digest = hashlib.sha256(body)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with fresh.open("wb") as file:
            file.write(_HEAD.pack(MAGIC, VERSION, len(text), b""))
            file.write(body)
            for values in network.arrays:
                for piece in (values.data.cast("B"), b"\0" * (_padded(values.nbytes) - values.nbytes)):
                    digest.update(piece)
                    file.write(piece)
            file.seek(0)
            file.write(_HEAD.pack(MAGIC, VERSION, len(text), digest.digest()))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def read_network(path: Path) -> RoadNetwork:
    """Mapped, read-only. InvalidError `roads_file` with the reason (`why`) for what is no such file, of another
    version, cut off, damaged, or inconsistent in itself."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < _HEAD.size:
            raise _bad("too short")
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    magic, version, length, digest = _HEAD.unpack_from(mapped)
    if magic != MAGIC:
        raise _bad("not a road network")
    if version != VERSION:
        raise _bad(f"version {version}, known is {VERSION}")
    if length > _MAX_DESCRIPTION or _HEAD.size + length > len(mapped):
        raise _bad("too short")
    if hashlib.sha256(memoryview(mapped)[_HEAD.size :]).digest() != digest:
        raise _bad("damaged: the digest differs")
    try:
        told = msgspec.json.decode(mapped[_HEAD.size : _HEAD.size + length], type=_Description)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _bad("no description") from error
    if tuple(one.name for one in told.arrays) != RoadArrays._fields:
        raise _bad("other arrays than expected")
    start, views = _padded(_HEAD.size + length), list[np.ndarray]()
    for place in told.arrays:
        kind = DTYPES[place.name]
        offset = start + place.offset
        if (
            place.count < 0
            or place.offset < 0
            or place.offset % _ALIGN
            or offset + place.count * kind.itemsize > len(mapped)
        ):
            raise _bad(f"{place.name} lies outside of the file")
        views.append(np.frombuffer(mapped, kind, place.count, offset) if place.count else _nothing(kind))
    arrays = RoadArrays(*views)
    why = inconsistency(arrays)
    if why:
        raise _bad(why)
    return RoadNetwork(arrays, told.label, told.credit)


def inconsistency(a: RoadArrays) -> str:
    """What would lead a kernel outside of an array, or astray; empty when all is well."""
    nodes, edges, points, shapes = len(a.node_key), len(a.edge_key), len(a.point_lon), len(a.shape_edge) // 2
    sizes = {
        "node_lon": nodes, "node_lat": nodes, "out_start": nodes + 1, "in_start": nodes + 1, "in_edge": edges,
        "edge_from": edges, "edge_to": edges, "edge_length": edges, "edge_class": edges, "edge_limit": edges,
        "edge_flags": edges, "edge_shape": edges, "edge_twin": edges, "shape_edge": 2 * shapes,
        "shape_start": shapes + 1, "point_lat": points, "point_along": points, "point_shape": points, "frame": 6,
    }  # fmt: skip
    for name, size in sizes.items():
        if len(getattr(a, name)) != size:
            return f"{name}: {len(getattr(a, name))} entries instead of {size}"
    columns, rows = a.frame[4], a.frame[5]
    whole = columns % 1 == 0 and rows % 1 == 0
    if not (np.isfinite(a.frame).all() and min(a.frame[2:]) > 0 and columns * rows < 2**31 and whole):
        return "frame: not a grid"
    if len(a.cell_start) != int(columns * rows) + 1:
        return "cell_start: not one per cell"
    ends = {"out_start": edges, "in_start": edges, "shape_start": points, "cell_start": len(a.cell_segment)}
    for name, end in ends.items():
        values = getattr(a, name)
        if values[0] != 0 or values[-1] != end or (np.diff(values) < 0).any():
            return f"{name}: not ascending from 0 to {end}"
    limits = {
        "in_edge": (0, edges), "edge_from": (0, nodes), "edge_to": (0, nodes), "edge_shape": (0, shapes),
        "edge_twin": (-1, edges), "shape_edge": (-1, edges), "point_shape": (0, shapes),
        "cell_segment": (0, points - 1),
    }  # fmt: skip
    for name, (low, high) in limits.items():
        values = getattr(a, name)
        if len(values) and not (low <= values.min() and values.max() < high):
            return f"{name}: outside of {low}..{high - 1}"
    if (np.diff(a.shape_start) < 2).any():
        return "shape_start: a shape of less than two points"
    for name in ("node_lon", "node_lat", "point_lon", "point_lat", "edge_length", "point_along"):
        values = getattr(a, name)
        if not np.isfinite(values).all() or np.abs(values).max(initial=0) > (
            5e6 if name.startswith(("edge", "point_a")) else 180
        ):
            return f"{name}: not a number that can be"
    if (a.edge_length < 0).any():
        return "edge_length: negative"
    if len(a.ban) and ((np.diff(a.ban) <= 0).any() or a.ban[0] < 0 or (a.ban >> 32).max() >= edges):
        return "ban: not ascending pairs of edges"
    if (a.edge_from != np.repeat(np.arange(nodes), np.diff(a.out_start))).any():
        return "out_start: does not fit edge_from"
    return ""


def _nothing(kind: np.dtype[np.generic]) -> np.ndarray:
    empty = np.zeros(0, kind)
    empty.flags.writeable = False
    return empty


def _padded(size: int) -> int:
    return -(-size // _ALIGN) * _ALIGN


def _bad(why: str) -> InvalidError:
    return InvalidError(f"road network: {why}", code="roads_file", params={"why": why})
