"""What a device that floods does to its neighbours: `python -m benchmarks.flood`.

A whole platform records well-behaved cameras (their own process, 2 Mbit/s each), a viewer watches each of them, and a
registered device floods in every way it can (`benchmarks.flooder`), one after the other. Every picture carries when it
was sent (`safecity.sim.stamp`), so the delay is from the camera to the viewer's socket, the whole way through.

Keys: `before_p95_ms` (quiet, all neighbours together), `during_p95_ms` by kind of flood, `ratio` of the worst kind to
before; `decoy_p95_ms` while the same datagrams go to a socket that nobody reads, which tells what the flooder itself
takes from the cores it shares with the platform (cameras and viewers, which would be other machines, go before
everything else where the system lets us); `worst_channel_ratio` of a single neighbour, and beside it
`quiet_channel_ratio`, what two quiet times differ by themselves. `packets_lost`, `pictures_missing` at the viewers,
`gaps` in the recordings, `offline` neighbours and `restarts`: over all of it. `cpu_percent` of the platform's duties in
each time, which tells more than a delay on a machine that does other things too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from benchmarks.soak import admit, gaps_since, running
from benchmarks.viewer import DELTA, KEY, Viewer
from benchmarks.whole import Platform, until
from safecity.media.formats.fmp4_read import read_fragment
from safecity.sim.load import LoadOptions
from safecity.sim.stamp import read_stamp

MAD = "34020000001320000066"
KINDS = ("own", "strangers", "doubled", "register", "message", "tcp")
FPS = 25
SETTLE_SECONDS = 2.0
"""Between two kinds: what the one before left behind belongs to neither."""


class Watch:
    """One neighbour as its viewer sees it: delays by phase, pictures that never came."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.delays: dict[str, list[float]] = {}
        self.missing = 0
        self._last = 0

    async def follow(self, url: str, phase: list[str]) -> None:
        """Until cancelled."""
        viewer = await Viewer.open(url)
        try:
            while True:
                message = await viewer.until(KEY, DELTA)
                now = time.time_ns() // 1000
                sent = read_stamp(message.payload)
                if sent is None:
                    continue
                if phase[0]:
                    self.delays.setdefault(phase[0], []).append((now - sent) / 1000)
                dts = read_fragment(message.payload).tracks[0].samples[0].dts
                if self._last:
                    self.missing += max(0, round((dts - self._last) * FPS / 90_000) - 1)
                self._last = dts
        finally:
            viewer.close()


def p95(values: list[float]) -> float:
    """Nearest rank."""
    return round(sorted(values)[min(len(values) - 1, int(len(values) * 0.95))], 2)


def cpu_seconds(platform: Platform) -> dict[str, float]:
    """Of each duty, so far."""
    found: dict[str, float] = {}
    for name, duty in platform.state()["duties"].items():
        fields = Path(f"/proc/{duty['pid']}/stat").read_text().rsplit(") ", 1)[1].split()
        found[name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


class Neighbours:
    """All of them, and the flooder on its leash."""

    def __init__(self, watches: list[Watch], flooder: subprocess.Popen[str], platform: Platform) -> None:
        self.watches = watches
        self.flooder = flooder
        self.platform = platform
        self.cpu: dict[str, dict[str, float]] = {}
        self.phase = [""]
        self.sent: dict[str, int] = {}

    async def measure(self, name: str, seconds: float, kind: str = "") -> None:
        """A time under one name; `kind` of flood, or quiet."""
        await asyncio.sleep(SETTLE_SECONDS)
        print(f"flood: {name}", file=sys.stderr)
        if kind:
            self._say(kind, seconds + 1.0)
            await asyncio.sleep(0.5)  # its beginning belongs to it: what it disturbs before it is blocked counts too
        before, began = cpu_seconds(self.platform), time.monotonic()
        self.phase[0] = name
        await asyncio.sleep(seconds)
        self.phase[0] = ""
        elapsed, after = time.monotonic() - began, cpu_seconds(self.platform)
        self.cpu[name] = {duty: round((after[duty] - used) / elapsed * 100, 1) for duty, used in before.items()}
        if kind:
            assert self.flooder.stdout is not None
            line = await asyncio.to_thread(self.flooder.stdout.readline)
            self.sent[kind] = json.loads(line)["sent"]

    def _say(self, kind: str, seconds: float) -> None:
        assert self.flooder.stdin is not None
        self.flooder.stdin.write(json.dumps({"kind": kind, "seconds": seconds}) + "\n")
        self.flooder.stdin.flush()

    def all_of(self, name: str) -> list[float]:
        """Delays of everybody in this time."""
        return [delay for watch in self.watches for delay in watch.delays.get(name, ())]

    def worst(self, name: str, base: str) -> float:
        """The largest ratio of p95 that one neighbour saw."""
        return round(
            max(p95(watch.delays[name]) / p95(watch.delays[base]) for watch in self.watches if name in watch.delays), 3
        )


async def follow_all(platform: Platform, flooder: subprocess.Popen[str], options: argparse.Namespace) -> Neighbours:
    """Viewers for everybody but the flooder, then the times one after the other."""
    headers = {"X-CSRF-Token": platform.csrf}
    base = f"{platform.base}/api/v1"
    watches = [Watch(stream["channel"]) for stream in running(platform) if stream["channel"] not in options.not_these]
    found = Neighbours(watches, flooder, platform)
    tasks: list[asyncio.Task[None]] = []
    async with httpx.AsyncClient(base_url=base, cookies=platform.api.cookies, headers=headers, timeout=30) as http:
        for watch in watches:
            answer = await http.post(f"/channels/{watch.channel}/live", json={"quality": "main"})
            answer.raise_for_status()
            tasks.append(asyncio.create_task(watch.follow(answer.json()["url"], found.phase)))
    await found.measure("warm", options.seconds / 2)
    await found.measure("before", options.seconds)
    await found.measure("quiet", options.seconds)
    await found.measure("decoy", options.seconds, "decoy")
    for kind in options.kinds:
        await found.measure(kind, options.seconds, kind)
    await found.measure("after", options.seconds / 2)
    for task in tasks:
        if task.done() and task.exception() is not None:
            raise task.exception()  # type: ignore[misc]
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return found


def go_before_everything() -> None:
    """Cameras and viewers would be other machines: what they need of the processors is no part of what is measured."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -15)
    with contextlib.suppress(OSError):
        os.setsid()
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text("-15", "ascii")


def start_flooder(platform: Platform) -> subprocess.Popen[str]:
    """Registered and sending."""
    device = {"kind": "gb28181", "name": "mad", "code": MAD, "password": "pass-of-the-mad", "transport": "udp"}
    platform.post("/devices", device)
    state = platform.state()
    rtp = ",".join(map(str, state["rtp_ports"]))
    tcp = ",".join(map(str, (state["ports"]["sip-udp"], state["ports"]["media"], *state["rtp_ports"][:4])))
    command = [sys.executable, "-m", "benchmarks.flooder", "--sip", str(state["ports"]["sip-udp"]), "--rtp", rtp]
    command += ["--tcp", tcp, "--code", MAD, "--password", "pass-of-the-mad"]
    flooder = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert flooder.stdout is not None
    assert json.loads(flooder.stdout.readline())["ready"]
    return flooder


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """A platform, its cameras, the flooder."""
    with tempfile.TemporaryDirectory(prefix="safecity-flood-") as folder, ExitStack() as stack:
        platform = Platform(Path(folder) / "data")
        stack.callback(platform.stop)
        platform.start().setup()
        load = LoadOptions(host="127.0.0.1", port=platform.state()["ports"]["sip-udp"], count=options.streams)
        flooder = start_flooder(platform)
        stack.callback(lambda: (flooder.stdin and flooder.stdin.close(), flooder.wait(20)))
        until(lambda: len(running(platform)) == 1, "the flooder sends", 60)
        options.not_these = {stream["channel"] for stream in running(platform)}
        go_before_everything()
        admit(platform, load)
        command = [sys.executable, "-m", "safecity", "sim", "cameras", "--count", str(options.streams)]
        command += ["--platform", f"127.0.0.1:{load.port}", "--kbps", str(options.kbps)]
        sender = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        stack.callback(lambda: (sender.terminate(), sender.wait(20)))
        until(lambda: len(running(platform)) == options.streams + 1, "all streams run", 120)
        known = {stream["channel"] for stream in running(platform)} - options.not_these
        start_us = time.time_ns() // 1000
        lost = {s["channel"]: s["packets_lost"] for s in running(platform)}
        found = asyncio.run(follow_all(platform, flooder, options))
        streams = [stream for stream in running(platform) if stream["channel"] in known]
        time.sleep(6)
        before, during = p95(found.all_of("before")), {kind: p95(found.all_of(kind)) for kind in options.kinds}
        ports = platform.get("/health")
        return {
            "streams": options.streams,
            "before_p95_ms": before,
            "quiet_p95_ms": p95(found.all_of("quiet")),
            "decoy_p95_ms": p95(found.all_of("decoy")),
            "during_p95_ms": during,
            "after_p95_ms": p95(found.all_of("after")),
            "ratio": round(max(during.values()) / before, 3),
            "ratio_to_decoy": round(max(during.values()) / p95(found.all_of("decoy")), 3),
            "worst_channel_ratio": max(found.worst(kind, "before") for kind in options.kinds),
            "quiet_channel_ratio": found.worst("quiet", "before"),
            "cpu_percent": found.cpu,
            "sent": found.sent,
            "packets_lost": sum(s["packets_lost"] - lost[s["channel"]] for s in streams),
            "pictures_missing": sum(watch.missing for watch in found.watches),
            "gaps": sum(gaps_since(platform, start_us, sorted(known)).values()),
            "offline": options.streams - len(streams),
            "restarts": sum(duty["restarts"] for duty in platform.state()["duties"].values()),
            "volumes": [one["state"] for one in ports["volumes"]],
        }


def main() -> int:
    """One JSON object last."""
    parser = argparse.ArgumentParser(prog="benchmarks.flood")
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--kbps", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=15, help="of each kind of flood, and of the quiet before")
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=KINDS)
    print(json.dumps(measure(parser.parse_args())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
