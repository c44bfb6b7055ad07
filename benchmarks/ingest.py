"""What receiving and recording cost: `python -m benchmarks.ingest --streams 200 --seconds 30`.

Cameras in another process send 1080p25 H.264 at 2 Mbit/s as program streams over UDP (pre-packetised, staggered); this
process receives, puts in order, demuxes and records them as a media slot does. The figure is CPU time (user and
system) of this process alone, after two seconds of start-up, per stream and second. On a real network card add the
kernel's receive work (0.2-0.4 ms), which the loopback charges to the sender.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from safecity.media.receive.options import ReceiveOptions
from safecity.media.receive.receiver import Receiver
from safecity.media.streams import Streams
from safecity.model.values.media import Quality, StreamKey

PORTS = 16
WARM_SECONDS = 2.0


def listen(count: int) -> dict[int, socket.socket]:
    """UDP ports of the loopback."""
    ports: dict[int, socket.socket] = {}
    for _ in range(count):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        ports[sock.getsockname()[1]] = sock
    return ports


def resident() -> int:
    """Bytes of this process in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


class Lag:
    """How late the loop wakes a task that asks for 10 ms."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            self.worst = max(self.worst, time.monotonic() - before - 0.01)

    def stop(self) -> None:
        """No more watching."""
        self._task.cancel()


async def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """One run."""
    streams = Streams()
    base = resident()
    receiver = Receiver(
        streams,
        listen(PORTS),
        {},
        options=ReceiveOptions(buffer_bytes=arguments.rcvbuf, coalesce_ms=arguments.coalesce_ms),
    )
    receiver.start()
    keys = [StreamKey(f"ch_{number:026d}", Quality.MAIN) for number in range(arguments.streams)]
    targets: list[tuple[int, int]] = []
    for number, key in enumerate(keys):
        ssrc = 200_000_001 + number
        targets.append((receiver.prepare(key, ssrc), ssrc))
        receiver.confirm(key, ssrc, "127.0.0.1")
    recording = None
    if arguments.record:
        from benchmarks.ingest_store import Recording

        folder = Path(tempfile.mkdtemp(prefix="safecity-ingest-", dir=arguments.directory))
        recording = Recording(folder, streams, keys)
        await recording.start()
    sender = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.ingest_sender", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert sender.stdin is not None
    assert sender.stdout is not None
    total = arguments.seconds + WARM_SECONDS
    sender.stdin.write(json.dumps({"targets": targets, "seconds": total}).encode() + b"\n")
    await sender.stdin.drain()
    await sender.stdout.readline()
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    sys.setswitchinterval(0.0005)
    sender.stdin.write(b"go\n")
    await sender.stdin.drain()
    await asyncio.sleep(WARM_SECONDS)
    lag = Lag()
    cpu, own, begin = time.process_time(), time.thread_time(), time.monotonic()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    await asyncio.sleep(arguments.seconds - 0.5)
    used, elapsed = time.process_time() - cpu, time.monotonic() - begin
    loop_used = time.thread_time() - own
    after = resource.getrusage(resource.RUSAGE_SELF)
    memory = resident()
    lag.stop()
    said = json.loads(await sender.stdout.readline())
    await sender.wait()
    await asyncio.sleep(1.2)
    expected = said["sent"]
    got = sum(stream.packets for stream in streams)
    units = sum(stream.units for stream in streams)
    result: dict[str, Any] = {
        "streams": arguments.streams,
        "seconds": arguments.seconds,
        "cpu_ms_per_stream_second": round(used * 1000 / elapsed / arguments.streams, 3),
        "loop_thread_ms": round(loop_used * 1000 / elapsed / arguments.streams, 3),
        "user_ms": round((after.ru_utime - usage.ru_utime) * 1000 / elapsed / arguments.streams, 3),
        "system_ms": round((after.ru_stime - usage.ru_stime) * 1000 / elapsed / arguments.streams, 3),
        "page_faults_per_second": round((after.ru_minflt - usage.ru_minflt) / elapsed),
        "packets_sent": expected,
        "packets_lost": expected - got,
        "kernel_drops": receiver.udp_drops,
        "units_missing": said["units"] * arguments.streams - units,
        "units_damaged": sum(stream.units_damaged for stream in streams),
        "mb_per_stream": round((memory - base) / 1e6 / arguments.streams, 3),
        "rcvbuf_bytes": min(port.buffer_bytes for port in receiver.ports.values()),
        "mbit_per_stream": round(said["body_bytes"] * 8 / total / 1e6, 3),
        "loop": type(asyncio.get_running_loop()).__module__.split(".")[0],
        "loop_lag_ms_max": round(lag.worst * 1000, 1),
        "sender_cpu": said["sender_cpu"],
        "sender_late_ms_p99": said["sender_late_ms_p99"],
        "recorded_ratio": None,
    }
    receiver.stop()
    if recording is not None:
        result["recorded_ratio"] = await recording.finish()
        shutil.rmtree(recording.folder, ignore_errors=True)
    return result


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rcvbuf", type=int, default=4 * 1024 * 1024)
    parser.add_argument("--coalesce-ms", type=int, default=8)
    parser.add_argument("--no-record", dest="record", action="store_false")
    parser.add_argument("--stock-loop", action="store_true", help="asyncio's own loop instead of uvloop")
    parser.add_argument("--directory", default=None, help="where to record (default: the temporary directory)")
    parser.add_argument("--profile", default=None, help="write a cProfile file")
    arguments = parser.parse_args()
    if not arguments.stock_loop:
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    if arguments.profile:
        import cProfile

        profile = cProfile.Profile(time.process_time)
        result = profile.runcall(asyncio.run, measure(arguments))
        profile.dump_stats(arguments.profile)
    else:
        result = asyncio.run(measure(arguments))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
