"""A large network as a file: its size, and what loading it takes.

    python -m benchmarks.road_file [--side 1050]

A town of that many junctions along a side (1,050: 4.2 million arcs) is made, stored, and read again in a process of its
own: `load_s` until every array is checked (wall time, the file in the page cache), `load_cpu_s`, and `memory_mb` at
most, pages of the file among it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.town import town
from safecity.roads.network.store import read_network, write_network


def load(path: Path) -> dict[str, object]:
    """In a process that did nothing before."""
    begun, cpu = time.perf_counter(), time.process_time()
    network = read_network(path)
    return {
        "arcs": network.edges,
        "file_mb": round(network.size_bytes / 1e6),
        "load_s": round(time.perf_counter() - begun, 2),
        "load_cpu_s": round(time.process_time() - cpu, 2),
        "memory_mb": round(peak_bytes() / 1e6),
    }


def peak_bytes() -> int:
    """Of this process since it began; what `getrusage` says includes the one it was forked from."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--side", type=int, default=1050, help="junctions along a side of the made town")
    parser.add_argument("--load", type=Path, help="only read this file")
    options = parser.parse_args()
    if options.load:
        print(json.dumps(load(options.load)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "roads.bin"
        begun = time.process_time()
        write_network(town(options.side, gone=0.0, one_way=0.1), path)
        built = round(time.process_time() - begun, 1)
        command = [sys.executable, "-m", "benchmarks.road_file", "--load", str(path)]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    print(json.dumps({"benchmark": "road_file", **json.loads(told), "build_cpu_s": built}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
