"""Vehicle terminals at work: nothing that was acknowledged is lost, and the API answers meanwhile.

    python -m benchmarks.terminals [--count 10000] [--interval 10] [--seconds 60]

A whole platform is started, its terminals are put into its database, and a process of its own drives them: each sends a
position every `--interval` seconds. When all are online the API is asked in turn for lists, one device and alarms
(`api_p95_ms`). At the end every position that a terminal was told to be received must be in the history (`lost`).
CPU milliseconds per position are those of the duties signal and control.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.whole import Platform, until
from safecity.backends.database import open_by_url
from safecity.core.ground.devices.decide import Device, DeviceKind
from safecity.core.ground.devices.store import add
from safecity.core.ground.settings.api import touch_desired
from safecity.kit.ids import fresh
from safecity.ports.database import Tx
from safecity.sim.jt808.load import phone_of, plate_of

ASK_SECONDS = 0.1
PATIENCE_SECONDS = 300.0


def settings(count: int) -> None:
    """What the platform reads at start."""
    os.environ |= {
        "SAFECITY_JT808__ENABLED": "true",
        "SAFECITY_JT808__PORT": "0",
        "SAFECITY_JT808__ATTACHMENT_PORT": "0",
        "SAFECITY_JT808__HOST": "127.0.0.1",
        "SAFECITY_JT808__CONNECTIONS_PER_ADDRESS": str(min(50_000, count + 100)),
        "SAFECITY_JT808__CONNECTIONS_PER_SECOND": "10000",
    }


async def enrol(database: Path, count: int) -> list[str]:
    """Put terminals into the list, as many posts would do it."""
    opened = open_by_url(f"sqlite:{database}")
    ids = [fresh("dv") for _ in range(count)]

    def work(tx: Tx) -> None:
        for number, device in enumerate(ids):
            add(
                tx,
                Device(id=device, kind=DeviceKind.JT808, name=plate_of(number), code=phone_of(number), transport="tcp"),
                None,
            )
        touch_desired(tx)

    await opened.write(work)
    await opened.close()
    return ids


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def kept(data: Path) -> int:
    """Positions in the history."""
    found = 0
    for path in (data / "control" / "history").glob("*.db"):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as file:
            found += file.execute("SELECT count(*) FROM event WHERE kind = 'position.received'").fetchone()[0]
        file.close()
    return found


def measure(platform: Platform, ids: list[str], options: argparse.Namespace) -> dict[str, Any]:
    port = platform.state()["ports"]["jt808-tcp"]
    command = [sys.executable, "-m", "safecity", "sim", "terminals", "--platform", f"127.0.0.1:{port}"]
    command += ["--count", str(options.count), "--interval", str(options.interval)]
    pids = {duty: platform.pid(duty) for duty in ("signal", "control")}
    with subprocess.Popen(
        [*command, "--seconds", str(options.seconds + options.warm)], stdout=subprocess.PIPE
    ) as fleet:
        begun = time.monotonic()
        until(lambda: kept(platform.data) >= options.count, "each terminal has reported", PATIENCE_SECONDS)
        warm = time.monotonic() - begun
        took: list[float] = []
        before = {duty: cpu_seconds(pid) for duty, pid in pids.items()}
        first = kept(platform.data)
        paths = ["/devices?limit=100", f"/devices/{ids[0]}", "/alarms", "/tree", f"/devices/{ids[-1]}"]
        while fleet.poll() is None:
            asked = time.perf_counter()
            platform.api.get(paths[len(took) % len(paths)]).raise_for_status()
            took.append((time.perf_counter() - asked) * 1000)
            time.sleep(ASK_SECONDS)
        assert fleet.stdout is not None
        told = json.loads(fleet.stdout.read())
    used = {duty: cpu_seconds(pid) - before[duty] for duty, pid in pids.items()}
    positions = kept(platform.data) - first

    def drained() -> bool:
        return kept(platform.data) >= told["acknowledged"]

    with contextlib.suppress(AssertionError):  # then `lost` says how many
        until(drained, "the history has them all", PATIENCE_SECONDS)
    return {
        "terminals": options.count,
        "online": told["online"],
        "acknowledged": told["acknowledged"],
        "kept": kept(platform.data),
        "lost": max(0, told["acknowledged"] - kept(platform.data)),
        "waiting": told["waiting"],
        "connections": told["connections"],
        "warm_seconds": round(warm, 1),
        "api_asked": len(took),
        "api_p50_ms": round(statistics.median(took), 1),
        "api_p95_ms": round(statistics.quantiles(took, n=20)[-1], 1),
        "signal_cpu_ms_per_position": round(1000 * used["signal"] / max(1, positions), 3),
        "control_cpu_ms_per_position": round(1000 * used["control"] / max(1, positions), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--interval", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--warm", type=float, default=60.0, help="seconds for all of them to come in")
    options = parser.parse_args()
    settings(options.count)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        first = Platform(data, "--slots", "1").start().setup()
        first.stop()
        ids = asyncio.run(enrol(data / "control" / "control.db", options.count))
        platform = Platform(data, "--slots", "1").start()
        try:
            platform.sign_in()
            print(json.dumps(measure(platform, ids, options)))
        finally:
            platform.stop()


if __name__ == "__main__":
    main()
