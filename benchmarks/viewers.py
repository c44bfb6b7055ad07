"""What a live viewer costs: `python -m benchmarks.viewers --viewers 200`.

A process serves synthetic streams (2 Mbit/s, 25 pictures a second, groups of 50) through the real media port, live hub
and packager; another connects the viewers, reads and counts the pictures. The figure is CPU time of the
serving process alone, without what it takes while nobody watches. Done plain and over TLS.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import select
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from safecity.kit.clock import SystemClock
from safecity.media.door.door import Access, Door, Limits
from safecity.media.live.hub import LiveHub
from safecity.model.values.media import (
    VIDEO,
    Codec,
    CodecParameters,
    Quality,
    StreamKey,
    Unit,
    VideoParameters,
)
from safecity.model.values.ticket import Ticket, sign

KEY = b"benchmark-key-of-thirty-two-byte"
FPS = 25
SPS = bytes.fromhex("6742c01ed9005005bb016a020202800000030080000 01e478c19f0".replace(" ", ""))
PARAMETERS = VideoParameters(Codec.H264, 1920, 1080, (SPS, bytes.fromhex("68cb83cb20")), "avc1.42c01e", float(FPS))


class Synthetic:
    """A stream of random bytes with the sizes of a camera: a key frame weighs ten other pictures."""

    def __init__(self, bits_per_second: int, gop: int) -> None:
        per_gop = bits_per_second / 8 * gop / FPS
        self._small = round(per_gop / (gop + 9))
        self._gop_size = gop
        self._bodies = [os.urandom(self._small * (10 if n == 0 else 1)) for n in range(gop)]
        self._number = 0
        self._ring: list[Unit] = []
        self._readers: list[object] = []
        self.parameters: Sequence[CodecParameters] = (PARAMETERS,)

    def gop(self) -> Sequence[Unit]:
        return list(self._ring)

    def attach(self, reader: object) -> None:
        self._readers.append(reader)

    def detach(self, reader: object) -> None:
        self._readers.remove(reader)

    def tick(self) -> None:
        """One picture."""
        place = self._number % self._gop_size
        dts = 90_000 + self._number * 90_000 // FPS
        unit = Unit(VIDEO, self._bodies[place], dts, dts, place == 0, False, time.time_ns() // 1000, PARAMETERS)
        if place == 0:
            self._ring.clear()
        self._ring.append(unit)
        self._number += 1
        for reader in self._readers:
            reader.offer(unit)  # type: ignore[attr-defined]


async def serve(options: argparse.Namespace) -> None:
    """The serving process: one line of JSON with the port, then CPU seconds for each line on stdin."""
    loop = asyncio.get_running_loop()
    clock = SystemClock()
    streams = {f"ch_{n}": Synthetic(options.bits, options.gop) for n in range(options.streams)}
    hub = LiveHub(lambda key: streams[key.channel], lambda _key, _on: None, lambda _key: None, clock.monotonic)
    door = Door(clock, {"live": hub.serve}, Access([KEY]), Limits(connections=100_000, per_session=100_000))
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    tls = None
    if options.tls:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.tls)
    await door.listen(listening, tls)

    async def feed() -> None:
        following = loop.time()
        while True:
            for stream in streams.values():
                stream.tick()
            following += 1 / FPS
            await asyncio.sleep(following - loop.time())

    task = loop.create_task(feed())

    def asked() -> None:
        line = sys.stdin.readline()
        if not line:
            task.cancel()
            return
        usage = resource.getrusage(resource.RUSAGE_SELF)
        answer = {
            "cpu": time.process_time(),
            "user": usage.ru_utime,
            "viewers": sum(hub.viewers(StreamKey(name, Quality.MAIN)) for name in streams),
            "skipped": hub.counters["units_skipped"],
            "rss_mb": usage.ru_maxrss / 1024,
        }
        print(json.dumps(answer), flush=True)

    loop.add_reader(sys.stdin, asked)
    print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
    try:
        await task
    except asyncio.CancelledError:
        await door.close()


def certificate(folder: Path) -> Path:
    """A throw-away certificate with an elliptic key."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "both.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


class Watcher:
    """One viewer on a non-blocking socket: counts messages by their heads, keeps nothing."""

    def __init__(self, port: int, channel: str, tls: ssl.SSLContext | None) -> None:
        raw = socket.create_connection(("127.0.0.1", port))
        self.socket = raw if tls is None else tls.wrap_socket(raw)
        ticket = Ticket("s", "u", channel, "live", Quality.MAIN, int(time.time()) + 50)
        self.socket.sendall(
            f"GET /v1/live/{sign(ticket, KEY)} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.socket.recv(65536)
        self._tail = head.partition(b"\r\n\r\n")[2]
        self._skip = 0
        self.pictures = 0
        self.octets = 0
        self.socket.setblocking(False)
        self._count(b"")

    def readable(self) -> None:
        """Read what there is."""
        while True:
            try:
                data = self.socket.recv(262_144)
            except (BlockingIOError, ssl.SSLWantReadError):
                return
            if not data:
                raise SystemExit("a viewer was cut off")
            self._count(data)

    def _count(self, data: bytes) -> None:
        self.octets += len(data)
        data = self._tail + data if self._tail else data
        self._tail = b""
        at, size = 0, len(data)
        while at < size:
            if self._skip:
                step = min(self._skip, size - at)
                self._skip -= step
                at += step
                continue
            if size - at < 27:  # the longest head and the kind behind it
                self._tail = data[at:]
                return
            length, head = data[at + 1] & 127, 2
            if length == 126:
                length, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
            elif length == 127:
                length, head = int.from_bytes(data[at + 2 : at + 10], "big"), 10
            if data[at] & 15 == 2 and data[at + head] in (2, 3):
                self.pictures += 1
            self._skip = length
            at += head


def measure(options: argparse.Namespace, tls_file: Path | None) -> dict[str, float]:
    """CPU milliseconds per viewer-second, and whether every picture arrived."""
    command = [sys.executable, "-m", "benchmarks.viewers", "--serve"]
    command += ["--bits", str(options.bits), "--gop", str(options.gop), "--streams", str(options.streams)]
    command += ["--tls", str(tls_file)] if tls_file else []
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None
    assert server.stdout is not None

    def ask() -> dict[str, float]:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write("?\n")
        server.stdin.flush()
        return json.loads(server.stdout.readline())

    port = json.loads(server.stdout.readline())["port"]
    before = ask()
    time.sleep(2)
    idle = (ask()["cpu"] - before["cpu"]) / 2  # CPU seconds a second with nobody watching
    tls = None
    if tls_file:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    poll = select.epoll()
    watchers: dict[int, Watcher] = {}
    for number in range(options.viewers):
        watcher = Watcher(port, f"ch_{number % options.streams}", tls)
        watchers[watcher.socket.fileno()] = watcher
        poll.register(watcher.socket, select.EPOLLIN)
        for fd, _ in poll.poll(0):
            watchers[fd].readable()

    def watch(seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for fd, _ in poll.poll(left):
                watchers[fd].readable()

    watch(2.0)
    start, first, pictures = time.monotonic(), ask(), sum(one.pictures for one in watchers.values())
    octets = sum(one.octets for one in watchers.values())
    watch(options.seconds)
    last, seconds = ask(), time.monotonic() - start
    seen = sum(one.pictures for one in watchers.values()) - pictures
    volume = sum(one.octets for one in watchers.values()) - octets
    server.stdin.close()
    server.wait(10)
    cpu = last["cpu"] - first["cpu"] - idle * seconds
    return {
        "cpu_ms": round(cpu * 1000 / (options.viewers * seconds), 4),
        "delivered": round(seen / (options.viewers * seconds * FPS), 4),
        "mbit_per_viewer": round(volume * 8 / 1e6 / options.viewers / seconds, 3),
        "user_ms": round((last["user"] - first["user"]) * 1000 / (options.viewers * seconds), 4),
        "skipped": last["skipped"],
        "rss_mb": round(last["rss_mb"], 1),
    }


def main() -> None:
    """Plain, then TLS; one JSON object last."""
    parser = argparse.ArgumentParser(prog="benchmarks.viewers")
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--bits", type=int, default=2_000_000)
    parser.add_argument("--gop", type=int, default=50)
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--tls", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        try:
            import uvloop

            factory = uvloop.new_event_loop
        except ImportError:
            factory = None
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(serve(options))
        return
    plain = measure(options, None)
    with tempfile.TemporaryDirectory() as folder:
        secure = measure(options, certificate(Path(folder)))
    print(
        json.dumps(
            {
                "viewers": options.viewers,
                "seconds": options.seconds,
                "cpu_ms_per_viewer_second": plain["cpu_ms"],
                "cpu_ms_per_viewer_second_tls": secure["cpu_ms"],
                "user_ms_per_viewer_second": plain["user_ms"],
                "user_ms_per_viewer_second_tls": secure["user_ms"],
                "delivered": plain["delivered"],
                "delivered_tls": secure["delivered"],
                "mbit_per_viewer": plain["mbit_per_viewer"],
                "units_skipped": plain["skipped"] + secure["skipped"],
                "rss_mb": plain["rss_mb"],
                "rss_mb_tls": secure["rss_mb"],
            }
        )
    )


if __name__ == "__main__":
    main()
