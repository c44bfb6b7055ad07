"""Run every benchmark at full size, one after the other, and print what each said.

python -m benchmarks.all [NAME ...]
"""

from __future__ import annotations

import datetime
import json
import platform
import subprocess
import sys
from pathlib import Path

COMMANDS: dict[str, list[str]] = {
    "ingest": ["--streams", "200", "--seconds", "30"],
    "viewers": ["--viewers", "200"],
    "first_frame": ["--joins", "100"],
    "latency": [],
    "timeline": [],
    "playback": [],
    "signalling": [],
    "terminals": ["--count", "10000"],
    "crash": ["--kills", "50"],
    "search": ["--objects", "20000000"],
    "viid": ["--restarts", "20"],
    "watches": ["--whole"],
    "enforcement": [],
    "desk": [],
    "linear_road": ["--data", "../shared/data/traffic/linear_road_dev"],
    "matching": ["--data", "../shared/data/traffic/mapmatch_world_dev"],
    "routing": [],
    "eta": ["--data", "../shared/data/traffic/stockholm_network"],
    "vision": ["--seconds", "60"],
    "movement": ["--minutes", "60"],
    "body_colours": [],
    "lanes": [],
    "spot_speed": [],
    "road_file": [],
}


def cpu_name() -> str:
    """As the kernel names it."""
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main() -> int:
    names = sys.argv[1:] or list(COMMANDS)
    results: dict[str, object] = {}
    for name in names:
        command = [sys.executable, "-m", f"benchmarks.{name}", *COMMANDS.get(name, [])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        last = done.stdout.strip().splitlines()[-1:] or [""]
        try:
            results[name] = json.loads(last[0])
        except ValueError:
            results[name] = {"failed": done.stderr[-2000:]}
        print(name, json.dumps(results[name]), flush=True)
    print(
        json.dumps(
            {
                "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
                "cpu": cpu_name(),
                "python": platform.python_version(),
                "results": results,
            }
        )
    )
    return int(any(isinstance(r, dict) and "failed" in r for r in results.values()))


if __name__ == "__main__":
    sys.exit(main())
