"""Map matching: positions per CPU second, and how much of the true way is found.

    python -m benchmarks.matching [--data FOLDER] [--interval 1|15|60] [--vehicles 128] [--each]

FOLDER holds tracks with their own networks and true ways (Kubicka et al., "Dataset for testing and training of
map-matching algorithms", IEEE Intelligent Vehicles 2015), each in a subfolder: `.track`, `.nodes`, `.arcs`, `.route`.
Every track is driven by many vehicles at once, each at another place of it, and matched online with the fixed lag, in
batches of 1,000 positions and more; at intervals above 1 s every n-th position counts, and the last one, where the trip
ends. CPU time of the calls alone, of the last one too that decides what waits, after the first call (which compiles).

`length_recall`: length of the true way that was matched, by the whole length of the true way; `length_wrong`: length
that was matched beside it (Newson & Krumm 2009, section 5, subtract and add the same lengths). A directed arc counts as
often as it is driven. The true way is known by whole arcs: what of the first lies before the first position, and of the
last behind the last one, cannot be matched and counts as not found.

Without FOLDER vehicles wander through a made town, which is harder than driving somewhere.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.driving import drive, wander
from benchmarks.town import town
from safecity.roads.matching.online import Matched, Matcher
from safecity.roads.matching.settings import MatchSettings
from safecity.roads.matching.state import StepFlag
from safecity.roads.network.arrays import RoadNetwork
from safecity.roads.network.build import build_network, distances
from safecity.roads.network.chains import join_chains
from safecity.roads.network.draft import Draft

LEAST_BATCH = 1000


@dataclass(frozen=True)
class Track:
    """A network, positions [n], and the true way as rows of the source. `pieces[e]` are the rows of an edge, each with
    the metres at which it begins and ends along it."""

    name: str
    network: RoadNetwork
    pieces: list[list[tuple[int, float, float]]]
    row_length: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    us: np.ndarray
    route: list[int]


def read_track(folder: Path) -> Track:
    """Arcs that run against each other become one road; bends are joined."""
    parts = {kind: _numbers(next(folder.glob(f"*.{kind}*"))) for kind in ("track", "nodes", "arcs", "route")}
    nodes, arcs = parts["nodes"], parts["arcs"].astype(int)
    draft, rows, by_ends = Draft(), dict[int, tuple[int, int]](), dict[tuple[int, int], int]()
    for key, (lon, lat) in enumerate(nodes):
        draft.add_node(key, lon, lat)
    against = dict[int, int]()
    along = dict[int, int]()
    for row, (tail, head) in enumerate(arcs.tolist()):
        other = by_ends.get((head, tail))
        if other is not None and not draft.backward[other]:
            draft.backward[other] = 1
            against[other] = row
        elif draft.add_row(row, tail, head):
            by_ends.setdefault((tail, head), draft.rows - 1)
            along[draft.rows - 1] = row
    del rows
    joined = join_chains(draft)
    built = build_network(joined.draft, label=folder.name)
    ends = nodes[arcs]
    length = distances(ends[:, 0, 0], ends[:, 0, 1], ends[:, 1, 0], ends[:, 1, 1])
    pieces: list[list[tuple[int, float, float]]] = [[] for _ in range(built.network.edges)]
    for number, chain in enumerate(joined.parts):
        for side in range(2):
            edge, at = int(built.row_edge[number, side]), 0.0
            if edge < 0:
                continue
            for part in chain if side == 0 else chain[::-1]:
                row = (against if part.turned != (side == 1) else along)[part.row]
                pieces[edge].append((row, at, at + float(length[row])))
                at += float(length[row])
    track = parts["track"]
    us = (track[:, 2] * 1e6).astype(np.int64)
    return Track(
        folder.name, built.network, pieces, length, track[:, 0].copy(), track[:, 1].copy(), us,
        parts["route"].astype(int).reshape(-1).tolist(),
    )  # fmt: skip


def _numbers(path: Path) -> np.ndarray:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return np.loadtxt(text.splitlines(), ndmin=2)


def made_tracks(count: int = 8, edges: int = 300) -> list[Track]:
    """Through one town of 6,400 junctions."""
    network = town(80)
    length = network.arrays.edge_length
    pieces = [[(edge, 0.0, float(metres))] for edge, metres in enumerate(length.tolist())]
    tracks = list[Track]()
    for seed in range(count):
        way = drive(network, wander(network, random.Random(seed), edges), seed=seed)
        tracks.append(Track(f"made {seed}", network, pieces, length, way.lon, way.lat, way.us, way.edges))
    return tracks


def thinned(track: Track, interval: int) -> np.ndarray:
    """Places of the positions that are sent, the last one among them."""
    due, picks = track.us[0], list[int]()
    for place, us in enumerate(track.us.tolist()):
        if us >= due:
            picks.append(place)
            due = us + interval * 1_000_000
    if picks[-1] != len(track.us) - 1:
        picks.append(len(track.us) - 1)
    return np.array(picks)


def matched_lengths(track: Track, result: Matched) -> Counter[int]:
    """Metres matched on each row of the source, of one vehicle's decided positions."""
    driven: Counter[int] = Counter()

    def add(edge: int, start: float, end: float) -> None:
        for row, begin, stop in track.pieces[edge]:
            metres = min(end, stop) - max(start, begin)
            if metres > 0:
                driven[row] += metres  # type: ignore[assignment]

    lengths = track.network.arrays.edge_length
    edge, at = -1, 0.0
    for n in range(len(result)):
        here, along, flags = int(result.edge[n]), float(result.along[n]), int(result.flags[n])
        path = result.path[result.path_start[n] : result.path_start[n + 1]].tolist()
        if here < 0:
            edge = -1
            continue
        if edge < 0 or flags & (StepFlag.START | StepFlag.BROKEN):
            edge, at = here, along
            continue
        if not path:  # a little back is noise, what was driven stays
            if along > at:
                add(edge, at, along)
                at = along
            continue
        add(edge, at, float(lengths[edge]))
        for passed in path[:-1]:
            add(passed, 0.0, float(lengths[passed]))
        add(here, 0.0, along)
        edge, at = here, along
    return driven


def score(track: Track, driven: Counter[int]) -> tuple[float, float, float]:
    """Metres of the whole true way, of it matched, and matched beside it."""
    truth: Counter[int] = Counter()
    for row in track.route:
        truth[row] += track.row_length[row]
    right = sum(min(metres, driven.get(row, 0.0)) for row, metres in truth.items())
    return sum(truth.values()), right, sum(driven.values()) - right


def run(track: Track, interval: int, vehicles: int, settings: MatchSettings) -> tuple[int, float, list[Matched]]:
    """Positions, CPU seconds, and what was decided of vehicle 0."""
    picks = thinned(track, interval)
    lon, lat, us = track.lon[picks], track.lat[picks], track.us[picks]
    each = max(1, -(-LEAST_BATCH // vehicles))
    matcher = Matcher(track.network, vehicles, settings)
    chunks = -(-len(picks) // each)
    # Vehicle k sets out k mod `stagger` batches later, so that a batch holds many places of the track.
    stagger = max(1, min(chunks, 64))
    results, spent, sent = list[Matched](), 0.0, 0
    for turn in range(chunks + stagger - 1):
        places, numbers = list[np.ndarray](), list[np.ndarray]()
        for k in range(vehicles):
            chunk = turn - k % stagger
            if 0 <= chunk < chunks:
                places.append(np.arange(chunk * each, min((chunk + 1) * each, len(picks))))
                numbers.append(np.full(len(places[-1]), k))
        if not places:  # fewer vehicles than turns
            continue
        place, number = np.concatenate(places), np.concatenate(numbers)
        batch = number.astype(np.int32), us[place], lon[place], lat[place]
        begun = time.process_time()
        decided, _ = matcher.feed(*batch)
        spent += time.process_time() - begun
        sent += len(place)
        results.append(_only(decided, 0))
    begun = time.process_time()
    decided = matcher.flush(np.arange(vehicles))
    spent += time.process_time() - begun
    results.append(_only(decided, 0))
    return sent, spent, results


def _only(result: Matched, vehicle: int) -> Matched:
    chosen = np.flatnonzero(result.vehicle == vehicle)
    paths = [result.path[result.path_start[n] : result.path_start[n + 1]] for n in chosen]
    starts = np.concatenate(([0], np.cumsum([len(path) for path in paths], dtype=np.int64)))
    return Matched(
        result.vehicle[chosen], result.us[chosen], result.edge[chosen], result.along[chosen], result.flags[chosen],
        starts, np.concatenate(paths) if paths else result.path[:0],
    )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of tracks")
    parser.add_argument("--interval", type=int, default=1, help="seconds between positions")
    parser.add_argument("--vehicles", type=int, default=128, help="that drive every track")
    parser.add_argument("--each", action="store_true", help="say it for every track too")
    options = parser.parse_args()
    settings = MatchSettings()
    folders = sorted(options.data.iterdir()) if options.data else []
    tracks = [read_track(folder) for folder in folders if folder.is_dir()] if options.data else made_tracks()
    if not tracks:
        print(f"no tracks in {options.data}", file=sys.stderr)
        return 2
    warm = Matcher(tracks[0].network, 1, settings)
    warm.feed(*([values] for values in (0, tracks[0].us[0], tracks[0].lon[0], tracks[0].lat[0])))
    warm.flush([0])
    points, seconds, sums, broken = 0, 0.0, np.zeros(3), 0
    for track in tracks:
        sent, spent, results = run(track, options.interval, options.vehicles, settings)
        result = Matched.together(results)
        lengths = np.array(score(track, matched_lengths(track, result)))
        points, seconds, sums = points + sent, seconds + spent, sums + lengths
        broken += int(np.count_nonzero(result.flags & (StepFlag.BROKEN | StepFlag.OFF_ROAD)))
        if options.each:
            recall, wrong = lengths[1] / lengths[0], lengths[2] / lengths[0]
            print(
                f"{track.name} {recall:.4f} wrong {wrong:.4f} of {lengths[0]:.0f} m, {sent / spent:.0f}/s",
                file=sys.stderr,
            )
    print(
        json.dumps(
            {
                "benchmark": "matching", "interval_s": options.interval, "tracks": len(tracks), "points": points,
                "points_per_cpu_second": round(points / seconds), "length_recall": round(sums[1] / sums[0], 4),
                "length_wrong": round(sums[2] / sums[0], 4), "broken_or_off_road": broken,
            }
        )
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
