"""How many devices one core of the duty `signal` can serve: registrations, keepalives, catalogue channels.

The platform side runs in a process of its own with its real store on disk; this process plays the devices. Figures
are operations per second of CPU time of the platform process: what one core could do if nothing else ran on it.
`wall_*` are the same per second of the clock on this machine. Prints one JSON object last.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from safecity.backends.outbox import SqlOutbox, relay
from safecity.backends.sqlitefile import open_file
from safecity.drivers.gb28181.driver import GbPlatform
from safecity.kit.clock import SystemClock
from safecity.links.sip import SipEndpoint
from safecity.model.facts.control_calls import Publish, Published
from safecity.model.facts.signal_calls import ApplySignal, GbDevice, PlatformIdentity
from safecity.protocols.gb28181.answers import CatalogResponse
from safecity.protocols.gb28181.catalog import CatalogItem, ItemInfo
from safecity.protocols.gb28181.manscdp import write_body
from safecity.protocols.gb28181.notices import Keepalive
from safecity.protocols.sip.guard import Allowance, SourceGuard

PLATFORM = "34020000002000000001"
DOMAIN = "3402000000"
PASSWORD = "bench-password"
SOCKETS = 32
WINDOW = 128
ITEMS_PER_MESSAGE = 8
_NONCE = re.compile(rb'nonce="([^"]+)"')
_SN = re.compile(rb"<SN>(\d+)</SN>")


def code_of(number: int) -> str:
    return f"34020000001320{number:06d}"


# --- the platform, in its own process -------------------------------------------------------------------------


class NullControl:
    """Takes events at once."""

    async def call(self, address: str, message: Any, *, timeout: float) -> Any:
        assert isinstance(message, Publish)
        return Published(new=len(message.events))

    def stream(self, address: str, message: Any) -> Any:
        raise NotImplementedError

    async def close(self) -> None: ...


async def serve(devices: int) -> None:
    """Answer on a free port; commands come on stdin: `meet on|off`, `catalog COUNT`, `quit`."""
    with tempfile.TemporaryDirectory() as folder:
        file = open_file(Path(folder) / "signal.db")
        outbox, control = SqlOutbox(file), NullControl()
        platform = GbPlatform(control, file, outbox, SystemClock(), node="bench")
        guard = SourceGuard(Allowance(per_second=1e6, burst=1e6))
        endpoint = SipEndpoint(platform.on_request, admit=guard.admit, on_lost=platform.on_lost)
        await platform.start(endpoint)
        await endpoint.start(udp=("127.0.0.1", 0))
        platform.apply(
            ApplySignal(
                revision=1,
                identity=PlatformIdentity(code=PLATFORM, domain=DOMAIN, public_host="127.0.0.1"),
                devices=tuple(
                    GbDevice(f"dev_{number}", code_of(number), PASSWORD, subscribe_catalog=False, subscribe_alarm=False)
                    for number in range(devices)
                ),
                channels=(),
            )
        )
        platform.knowing.meet = lambda device: None  # each cost is measured alone
        gc.freeze()  # as the duty does it
        gc.set_threshold(20_000, 20, 50)
        drain = asyncio.get_running_loop().create_task(relay(outbox, control))
        print(json.dumps({"port": endpoint.udp_port}), flush=True)
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while (line := (await reader.readline()).decode().split()) and line[0] != "quit":
            turn = asyncio.Semaphore(50)

            async def ask(number: int, turn: asyncio.Semaphore = turn) -> int:
                async with turn:
                    reply = await platform.knowing.catalog(platform.directory.device(f"dev_{number}"))
                    return reply.received

            received = await asyncio.gather(*(ask(number) for number in range(int(line[1]))))
            platform.store.flush()
            print(json.dumps({"received": sum(received)}), flush=True)
        drain.cancel()
        await platform.close()
        await endpoint.close()
        file.close()


# --- the devices ----------------------------------------------------------------------------------------------


class City(asyncio.DatagramProtocol):
    """One socket of many devices: as little work per message as can be, so that the platform is what is measured."""

    def __init__(self, first: int, count: int, channels: int, done: asyncio.Queue[int]) -> None:
        self.numbers = range(first, first + count)
        self._channels = channels
        self._done = done
        self._catalogs: dict[int, list[bytes]] = {}
        self.transport: asyncio.DatagramTransport = None  # type: ignore[assignment]
        self.refused = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        host, port = transport.get_extra_info("sockname")
        self._via = f"SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK"
        self._contact = f"{host}:{port}"

    def send(self, method: str, number: int, sequence: int, body: bytes = b"", extra: str = "") -> None:
        code = code_of(number)
        kind = "Content-Type: Application/MANSCDP+xml\r\n" if body else ""
        head = (
            f"{method} sip:{PLATFORM}@{DOMAIN} SIP/2.0\r\nVia: {self._via}{method[0]}{number}x{sequence}\r\n"
            f"From: <sip:{code}@{DOMAIN}>;tag=t{number}\r\nTo: <sip:{PLATFORM}@{DOMAIN}>\r\n"
            f"Call-ID: {method}-{number}\r\nCSeq: {sequence} {method}\r\nMax-Forwards: 70\r\n"
            f"Contact: <sip:{code}@{self._contact}>\r\nUser-Agent: Bench\r\n{extra}{kind}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self.transport.sendto(head.encode() + body)

    def register(self, number: int) -> None:
        self.send("REGISTER", number, 1, extra="Expires: 86400\r\n")

    def keepalive(self, number: int, sequence: int) -> None:
        body = write_body(Keepalive(sn=sequence, device_id=code_of(number)))
        self.send("MESSAGE", number, sequence, body)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if data.startswith(b"MESSAGE"):
            self._asked(data)
            return
        status = data[8:11]
        call = data.split(b"\r\nCall-ID: ", 1)[1].split(b"\r\n", 1)[0]
        number = int(call.split(b"-")[1])
        if status == b"401":
            self._answer(number, _NONCE.search(data)[1].decode())
        elif number in self._catalogs:
            self._next_part(number)
        else:
            self.refused += status != b"200"
            self._done.put_nowait(number)

    def _answer(self, number: int, nonce: str) -> None:
        code, uri = code_of(number), f"sip:{PLATFORM}@{DOMAIN}"
        ha1 = hashlib.md5(f"{code}:{DOMAIN}:{PASSWORD}".encode()).hexdigest()
        ha2 = hashlib.md5(f"REGISTER:{uri}".encode()).hexdigest()
        response = hashlib.md5(f"{ha1}:{nonce}:{ha2}".encode()).hexdigest()
        extra = (
            f'Authorization: Digest username="{code}", realm="{DOMAIN}", nonce="{nonce}", uri="{uri}", '
            f'response="{response}", algorithm=MD5\r\nExpires: 86400\r\n'
        )
        self.send("REGISTER", number, 2, extra=extra)

    def _asked(self, data: bytes) -> None:
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        kept = [line for line in lines[1:] if line.split(b":")[0] in (b"Via", b"From", b"To", b"Call-ID", b"CSeq")]
        self.transport.sendto(b"\r\n".join([b"SIP/2.0 200 OK", *kept, b"Content-Length: 0", b"", b""]))
        number = int(re.search(rb"sip:(\d{20})@", lines[0])[1][-6:])
        sn = int(_SN.search(body)[1])
        self._catalogs[number] = self._parts(number, sn)
        self._next_part(number)

    def _parts(self, number: int, sn: int) -> list[bytes]:
        items = [item(number, channel) for channel in range(self._channels)]
        return [
            write_body(
                CatalogResponse(
                    sn=sn,
                    device_id=code_of(number),
                    sum_num=self._channels,
                    device_list=tuple(items[start : start + ITEMS_PER_MESSAGE]),
                ),
                "GB2312",
            )
            for start in range(0, self._channels, ITEMS_PER_MESSAGE)
        ]

    def _next_part(self, number: int) -> None:
        parts = self._catalogs[number]
        if parts:
            self.send("MESSAGE", number, 10_000 + len(parts), parts.pop(0))
        else:
            del self._catalogs[number]


def item(number: int, channel: int) -> CatalogItem:
    """As recorders send them: every field of 2016 that they fill."""
    return CatalogItem(
        device_id=f"3402{number % 10_000:04d}00131{channel:07d}",
        name=f"人民路与解放路路口东{channel}",
        manufacturer="Hikvision",
        model="IP Camera",
        owner="Owner",
        civil_code="340200",
        address="芜湖市镜湖区",
        parental=0,
        parent_id=code_of(number),
        safety_way=0,
        register_way=1,
        secrecy=0,
        ip_address="10.1.2.3",
        port=5060,
        status="ON",
        longitude=118.37645,
        latitude=31.32631,
        info=ItemInfo(ptz_type=1, resolution="6/4", download_speed="1/2/4"),
    )


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return round(int(status.split("VmRSS:")[1].split()[0]) / 1024, 1)


async def many(cities: list[City], done: asyncio.Queue[int], work: list[tuple[City, int, int]], act: str) -> None:
    """Run the work with a window of requests under way."""
    waiting = iter(work)
    under_way = 0
    for city, number, sequence in waiting:
        getattr(city, act)(number, *([sequence] if act == "keepalive" else []))
        under_way += 1
        if under_way >= WINDOW:
            await asyncio.wait_for(done.get(), 30)
            under_way -= 1
    for _ in range(under_way):
        await asyncio.wait_for(done.get(), 30)


async def drive(options: argparse.Namespace, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None
    assert process.stdin is not None
    port = json.loads(process.stdout.readline())["port"]
    loop = asyncio.get_running_loop()
    done: asyncio.Queue[int] = asyncio.Queue()
    share = -(-options.devices // SOCKETS)
    cities: list[City] = []
    for first in range(0, options.devices, share):
        count = min(share, options.devices - first)
        _, city = await loop.create_datagram_endpoint(
            lambda first=first, count=count: City(first, count, options.channels, done),
            remote_addr=("127.0.0.1", port),
            local_addr=("127.0.0.1", 0),
        )
        cities.append(city)
    everyone = [(city, number) for city in cities for number in city.numbers]
    figures: dict[str, Any] = {"devices": options.devices}

    async def measure(name: str, count: int, work: Any) -> None:
        cpu, wall = cpu_seconds(process.pid), time.monotonic()
        await work
        used = cpu_seconds(process.pid) - cpu
        figures[f"{name}_per_second"] = round(count / max(used, 0.01))
        figures[f"wall_{name}_per_second"] = round(count / (time.monotonic() - wall))

    work = [(city, number, 1) for city, number in everyone]
    await measure("registrations", len(work), many(cities, done, work, "register"))
    rounds = max(1, options.keepalives // options.devices)
    beats = [(city, number, 10 + beat) for beat in range(rounds) for city, number in everyone]
    await measure("keepalives", len(beats), many(cities, done, beats, "keepalive"))
    asked = min(options.devices, max(1, options.catalog_channels // options.channels))

    async def catalogs() -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"catalog {asked}\n".encode())
        process.stdin.flush()
        answer = await loop.run_in_executor(None, process.stdout.readline)
        figures["catalog_channels_received"] = json.loads(answer)["received"]

    await measure("catalog_channels", asked * options.channels, catalogs())
    figures["refused"] = sum(city.refused for city in cities)
    figures["platform_mb"] = resident_mb(process.pid)
    for city in cities:
        city.transport.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--keepalives", type=int, default=30_000)
    parser.add_argument("--channels", type=int, default=64, help="of each device that is asked for its catalogue")
    parser.add_argument("--catalog-channels", type=int, default=20_000)
    parser.add_argument("--platform", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.platform:
        runner = asyncio.Runner(loop_factory=_uvloop())
        with runner:
            runner.run(serve(options.devices))
        return
    command = [sys.executable, "-m", "benchmarks.signalling", "--platform", "--devices", str(options.devices)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            with asyncio.Runner(loop_factory=_uvloop()) as runner:
                figures = runner.run(drive(options, process))
            assert process.stdin is not None
            process.stdin.write(b"quit\n")
            process.stdin.flush()
        except BaseException:
            process.kill()
            raise
    print(json.dumps(figures))


def _uvloop() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    main()
