"""A long run: many recorded streams on one node, watched from outside for growth, gaps and losses.

    python -m benchmarks.soak [--seconds 3600] [--streams 200] [--kbps 2000]
    python -m benchmarks.soak --demo --seconds 1800

With `--demo` it is the demo city that runs, as after `make run`. Otherwise the cameras are prepared loops in another
process (`safecity sim cameras`). Keys: `streams_running_min`, `gaps` (begun after all
streams ran) and `gaps_by_cause`, `packets_lost`,
`memory_growth_mib_per_hour` by process (least squares over the second half), `memory_mib` at the end and
`memory_mib_by_quarter` (the most of each), `cpu_ms_per_stream_second` of the media slots, `restarts`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.whole import Platform, until
from safecity.sim.load import LoadOptions, load_manifest

DEMO_STREAMS = 8


def admit(platform: Platform, options: LoadOptions) -> None:
    """Add the devices as an administrator would."""
    for device in load_manifest(options).devices:
        platform.post(
            "/devices", {"kind": "gb28181", "name": device.name, "code": device.code, "password": device.password}
        )


def slope(points: list[tuple[float, float]]) -> float:
    """Least squares, units of y per unit of x."""
    if len(points) < 2:
        return 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def peaks(points: list[tuple[float, float]]) -> list[float]:
    """The most of each quarter of the time: what grows for ever shows in all of them, what settles in the first."""
    cuts = [len(points) * number // 4 for number in range(5)]
    return [round(max((mib for _, mib in points[a:b]), default=0.0), 1) for a, b in pairwise(cuts)]


def cpu_seconds(platform: Platform) -> float:
    """CPU of the media slots so far."""
    ticks = 0
    for name, duty in platform.state()["duties"].items():
        if name.startswith("media"):
            fields = Path(f"/proc/{duty['pid']}/stat").read_text().rsplit(") ", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / 100


def resident_mib(platform: Platform) -> dict[str, float]:
    """Resident memory by process."""
    found: dict[str, float] = {}
    for name, duty in platform.state()["duties"].items():
        if duty["pid"]:
            found[name] = int(Path(f"/proc/{duty['pid']}/statm").read_text().split()[1]) * 4096 / 2**20
    return found


def running(platform: Platform) -> list[dict[str, Any]]:
    """Main streams that run now."""
    return [s for s in platform.get("/health")["streams"] if s["state"] == "running" and s["quality"] == "main"]


def gaps_since(platform: Platform, start_us: int, channels: list[str]) -> Counter[str]:
    """Gaps that began after `start_us`, by cause."""
    count: Counter[str] = Counter()
    for channel in channels:
        now = time.time_ns() // 1000
        timeline = platform.get(f"/channels/{channel}/timeline", start=iso(start_us), end=iso(now))
        # The last seconds are not committed yet: what touches the present is no gap.
        late = [gap for gap in timeline["gaps"] if gap["start_us"] > start_us and gap["end_us"] < now - 5_000_000]
        count.update(str(gap["cause"]) for gap in late)
    return count


def iso(us: int) -> str:
    """RFC 3339 for a query."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(us // 1_000_000))


def load_city(platform: Platform, options: argparse.Namespace) -> subprocess.Popen[bytes]:
    """Admit simulated cameras and start them in a process of their own."""
    load = LoadOptions(host="127.0.0.1", port=platform.state()["ports"]["sip-udp"], count=options.streams)
    admit(platform, load)
    command = [sys.executable, "-m", "safecity", "sim", "cameras", "--count", str(options.streams)]
    command += ["--platform", f"127.0.0.1:{load.port}", "--kbps", str(options.kbps)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def watch(platform: Platform, options: argparse.Namespace) -> dict[str, Any]:
    """Look from outside for the asked time; what was seen."""
    until(lambda: len(running(platform)) == options.streams, "all streams run", 300)
    start_us, began, cpu = time.time_ns() // 1000, time.monotonic(), cpu_seconds(platform)
    memory: dict[str, list[tuple[float, float]]] = {}
    lowest = options.streams
    while (elapsed := time.monotonic() - began) < options.seconds:
        time.sleep(min(10.0, max(0.1, options.seconds - elapsed)))
        lowest = min(lowest, len(running(platform)))
        for name, mib in resident_mib(platform).items():
            memory.setdefault(name, []).append((time.monotonic() - began, mib))
    elapsed = time.monotonic() - began
    streams = running(platform)
    gaps = gaps_since(platform, start_us, [s["channel"] for s in streams])
    return {
        "seconds": round(elapsed),
        "streams": options.streams,
        "streams_running_min": lowest,
        "gaps": gaps.total(),
        "gaps_by_cause": dict(gaps),
        "packets_lost": sum(s["packets_lost"] for s in streams),
        "cpu_ms_per_stream_second": round((cpu_seconds(platform) - cpu) * 1000 / elapsed / options.streams, 3),
        "memory_mib": {name: round(points[-1][1], 1) for name, points in memory.items()},
        "memory_mib_by_quarter": {name: peaks(points) for name, points in memory.items()},
        "memory_growth_mib_per_hour": {
            name: round(slope(points[len(points) // 2 :]) * 3600, 1) for name, points in memory.items()
        },
        "restarts": sum(duty["restarts"] for duty in platform.state()["duties"].values()),
    }


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--kbps", type=int, default=2000)
    parser.add_argument("--demo", action="store_true", help="the eight cameras of the demo city instead")
    parser.add_argument(
        "--max-gib", type=float, default=12, help="of the recording volume, so that retention works too"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="safecity-soak-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        (data / "safecity.toml").write_text(
            f'[[record.volumes]]\nname = "main"\npath = "volumes/main"\nmax_gib = {options.max_gib}\n', "utf-8"
        )
        platform = Platform(data, *(["--demo"] if options.demo else []))
        sender: subprocess.Popen[bytes] | None = None
        try:
            platform.start().setup()
            if options.demo:
                options.streams = DEMO_STREAMS
            else:
                sender = load_city(platform, options)
            result = watch(platform, options)
        finally:
            if sender is not None:
                sender.terminate()
                sender.wait()
            platform.stop()
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
