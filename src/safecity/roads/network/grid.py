"""Edges near a point: a uniform grid whose cells list the segments that touch them."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from safecity.kit.errors import InvalidError
from safecity.roads.compiled import F64, I32, compiled
from safecity.roads.network.arrays import METRES_PER_DEGREE, RoadArrays

CELL_METRES: Final = 100.0
CELLS_PER_POINT: Final = 4
"""At most: a few roads far apart must not make a grid of a billion empty cells."""
LEAST_CELLS: Final = 1024


def build_grid(lon: F64, lat: F64, shape: I32) -> tuple[F64, I32, I32]:
    """`frame`, `cell_start` and `cell_segment` of `RoadArrays`. InvalidError `roads_too_many`."""
    west, south, east, north = lon.min(), lat.min(), lon.max(), lat.max()
    row = CELL_METRES / METRES_PER_DEGREE
    column = row / max(math.cos(math.radians((south + north) / 2)), 0.05)
    most = max(LEAST_CELLS, CELLS_PER_POINT * len(lon))
    while True:
        columns, rows = (east - west) // column + 1, (north - south) // row + 1
        if columns * rows <= most:
            break
        column, row = column * 1.3, row * 1.3
    frame = np.array([west, south, column, row, columns, rows])
    shape = shape.astype(np.int32)
    sizes = np.zeros(int(columns * rows) + 1, np.int64)
    _visit(lon, lat, shape, frame, sizes, np.zeros(0, np.int32))
    start = np.cumsum(sizes) - sizes
    if start[-1] > np.iinfo(np.int32).max:
        raise InvalidError("more pieces of road in the index than 31 bits count", code="roads_too_many")
    segments = np.empty(start[-1], np.int32)
    _visit(lon, lat, shape, frame, start.copy(), segments)
    return frame, start.astype(np.int32), segments


@compiled
def _visit(lon: F64, lat: F64, shape: I32, frame: F64, at: np.ndarray, segments: I32) -> None:
    """Count the segments of each cell (`segments` empty), or write them down at `at`."""
    columns, rows = int(frame[4]), int(frame[5])
    for p in range(len(lon) - 1):
        if shape[p] != shape[p + 1]:
            continue
        x1, y1 = (lon[p] - frame[0]) / frame[2], (lat[p] - frame[1]) / frame[3]
        x2, y2 = (lon[p + 1] - frame[0]) / frame[2], (lat[p + 1] - frame[1]) / frame[3]
        if y1 > y2:
            x1, y1, x2, y2 = x2, y2, x1, y1
        for row in range(max(int(y1), 0), min(int(y2), rows - 1) + 1):
            a, b = x1, x2  # where the segment is within this row
            if y2 > y1:
                a = x1 + (x2 - x1) * min(max((row - y1) / (y2 - y1), 0.0), 1.0)
                b = x1 + (x2 - x1) * min(max((row + 1 - y1) / (y2 - y1), 0.0), 1.0)
            for column in range(max(int(min(a, b)), 0), min(int(max(a, b)), columns - 1) + 1):
                cell = row * columns + column
                if len(segments):
                    segments[at[cell]] = p
                at[cell] += 1


@compiled
def nearest_shapes(a: RoadArrays, lon: float, lat: float, radius: float, shapes: I32, gaps: F64, alongs: F64) -> int:
    """The shapes within `radius` metres, nearest first, as many as `shapes` has room for; returns how many.

    `shapes` their numbers, `gaps` metres to them, `alongs` metres from their first point to the nearest place.
    """
    frame = a.frame
    columns, rows = int(frame[4]), int(frame[5])
    metres_lat = METRES_PER_DEGREE
    metres_lon = METRES_PER_DEGREE * math.cos(math.radians(lat))
    reach_lon, reach_lat = radius / max(metres_lon, 1.0), radius / metres_lat
    west = math.floor((lon - reach_lon - frame[0]) / frame[2])
    east = math.floor((lon + reach_lon - frame[0]) / frame[2])
    south = math.floor((lat - reach_lat - frame[1]) / frame[3])
    north = math.floor((lat + reach_lat - frame[1]) / frame[3])
    if not (west < columns and east >= 0 and south < rows and north >= 0):  # a NaN is nowhere either
        return 0
    room, found = len(shapes), 0
    limit = radius * radius
    for row in range(max(south, 0), min(north, rows - 1) + 1):
        for column in range(max(west, 0), min(east, columns - 1) + 1):
            cell = row * columns + column
            for k in range(a.cell_start[cell], a.cell_start[cell + 1]):
                p = a.cell_segment[k]
                x, y = (a.point_lon[p] - lon) * metres_lon, (a.point_lat[p] - lat) * metres_lat
                dx = (a.point_lon[p + 1] - a.point_lon[p]) * metres_lon
                dy = (a.point_lat[p + 1] - a.point_lat[p]) * metres_lat
                square = dx * dx + dy * dy
                t = -(x * dx + y * dy) / square if square > 0 else 0.0
                t = min(max(t, 0.0), 1.0)
                gx, gy = x + t * dx, y + t * dy
                gap = gx * gx + gy * gy
                if gap > limit:
                    continue
                shape = a.point_shape[p]
                place = -1
                for n in range(found):
                    if shapes[n] == shape:
                        place = n
                if place >= 0:
                    if gap >= gaps[place]:
                        continue
                elif found < room:
                    place = found
                    found += 1
                else:
                    place = room - 1
                    if gap >= gaps[place]:
                        continue
                while place > 0 and gaps[place - 1] > gap:
                    shapes[place], gaps[place], alongs[place] = shapes[place - 1], gaps[place - 1], alongs[place - 1]
                    place -= 1
                shapes[place] = shape
                gaps[place] = gap
                alongs[place] = a.point_along[p] + t * (a.point_along[p + 1] - a.point_along[p])
    for n in range(found):
        gaps[n] = math.sqrt(gaps[n])
    return found


@compiled
def _near(a: RoadArrays, lon: float, lat: float, radius: float, edges: I32, gaps: F64, alongs: F64) -> int:
    room = len(edges) // 2
    shapes, shape_gaps, shape_alongs = np.empty(room, np.int32), np.empty(room), np.empty(room)
    found = nearest_shapes(a, lon, lat, radius, shapes, shape_gaps, shape_alongs)
    count = 0
    for n in range(found):
        for side in range(2):
            edge = a.shape_edge[2 * shapes[n] + side]
            if edge >= 0:
                edges[count], gaps[count] = edge, shape_gaps[n]
                alongs[count] = a.edge_length[edge] - shape_alongs[n] if side else shape_alongs[n]
                count += 1
    return count


def edges_near(a: RoadArrays, lon: float, lat: float, radius: float, most: int = 16) -> tuple[I32, F64, F64]:
    """Edges within `radius` metres of a place, nearest first, of at most `most` shapes: their numbers, metres to them,
    and metres from their start to the nearest place. Empty for a place that is none."""
    edges, gaps, alongs = np.empty(2 * most, np.int32), np.empty(2 * most), np.empty(2 * most)
    count = _near(a, lon, lat, radius, edges, gaps, alongs)
    return edges[:count], gaps[:count], alongs[:count]
