"""A device that has gone mad, in a process of its own: registered, sending video, and flooding when it is told to.

    python -m benchmarks.flooder --sip 5060 --rtp 10000,10001 --tcp 5060,10000,8081 --code 3402... --password ...

It lives at an address of its own (`HOST`), as another device on the network would, and fills what a camera's port of
100 Mbit/s carries. One JSON object per line on standard input, `{"kind": "...", "seconds": 10}`; one line back with
what was sent. Kinds:

    decoy      the same datagrams at a socket that nobody reads: what the flooder itself costs on this machine
    own        garbage from the media port of its own running stream, under its own SSRC
    strangers  garbage on all RTP ports from hundreds of source ports, under changing SSRCs
    doubled    packets under its neighbours' SSRCs, on all RTP ports
    register   REGISTERs of made-up users and of itself, with wrong passwords
    message    MESSAGEs of itself: keepalives, alarms, catalogues that nobody asked for, broken XML, broken SIP
    tcp        connections to all TCP ports: opened and closed, left half open, filled with garbage
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import random
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from safecity.protocols.gb28181 import notices
from safecity.protocols.gb28181.manscdp import write_body
from safecity.sim.camera import Camera, CameraSpec
from safecity.sim.city import PLATFORM_CODE
from safecity.sim.encode import VideoSpec
from safecity.sim.gb28181.device import SimDevice
from safecity.sim.gb28181.profiles import CAMERA_2022
from safecity.sim.gb28181.sender import Sender
from safecity.sim.gb28181.state import Channel, DeviceSpec
from safecity.sim.loop import LoopGroup
from safecity.sim.yard import channel_codes

HOST = "127.0.0.66"
PLATFORM = "127.0.0.1"
BEAT_SECONDS = 0.004
SOURCES = 400
_SEGMENT = 103


class Flooder:
    """See the module."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.sip = int(options.sip)
        self.rtp = [int(port) for port in options.rtp.split(",")]
        self.tcp = [int(port) for port in options.tcp.split(",")]
        self.noise = os.urandom(options.bytes)
        self.sent = 0
        video = VideoSpec(width=320, height=180, fps=25, kbps=500)
        painter = ThreadPoolExecutor(1)
        (code,) = channel_codes(options.code, 1)
        camera = Camera(CameraSpec(number=66, title="MAD", main=video, sub=None), painter)
        channel = Channel(code=code, name="mad", camera=camera, loop=LoopGroup(video, 0.5))
        spec = DeviceSpec(
            code=options.code, password=options.password, platform_code=PLATFORM_CODE, platform_host=PLATFORM,
            platform_port=self.sip, profile=CAMERA_2022, name="mad", local_host=HOST, retry_seconds=0.5,
        )  # fmt: skip
        self.device = SimDevice(spec, [channel])

    async def run(self) -> None:
        """Until standard input ends."""
        await self.device.start()
        await self.device.registered(30)
        print(json.dumps({"ready": True}), flush=True)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            wish = json.loads(line)
            self.sent = 0
            begun = time.monotonic()
            await self._kinds()[wish["kind"]](begun + float(wish["seconds"]))
            print(json.dumps({"kind": wish["kind"], "sent": self.sent}), flush=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self.device.stop()

    def _kinds(self) -> dict[str, Callable[[float], Awaitable[None]]]:
        return {
            "decoy": self.decoy,
            "own": self.own,
            "strangers": self.strangers,
            "doubled": self.doubled,
            "register": self.register,
            "message": self.message,
            "tcp": self.connections,
        }

    # --- datagrams of media -----------------------------------------------------------------------------------

    async def _sender(self) -> Sender:
        """Of the running session; the platform opens it again after it was lost."""
        while True:
            for session in self.device.sessions.running.values():
                if session.started:
                    return session.sender
            await asyncio.sleep(0.1)

    async def decoy(self, end: float) -> None:
        with _udp("127.0.0.77", 4096) as sink, _udp(HOST) as out:
            heads = itertools.cycle([0x1234])
            async for count in beats(end, self.options.pps):
                self._burst(out, sink.getsockname(), count, heads)

    async def own(self, end: float) -> None:
        sender = await self._sender()
        raw = sender._raw
        assert raw is not None
        with socket.socket(fileno=os.dup(raw.fileno())) as out:
            async for count in beats(end, self.options.pps):
                self._burst(out, None, count, itertools.repeat(sender.ssrc))

    async def strangers(self, end: float) -> None:
        dice = random.Random(3)
        with contextlib.ExitStack() as stack:
            outs = itertools.cycle([stack.enter_context(_udp(HOST)) for _ in range(SOURCES)])
            ports = itertools.cycle(self.rtp)
            made_up: Iterator[int] = iter(lambda: dice.randrange(1, 1 << 32), 0)
            async for count in beats(end, self.options.pps):
                for part in parts(count, 10):
                    self._burst(next(outs), (PLATFORM, next(ports)), part, made_up)

    async def doubled(self, end: float) -> None:
        own = (await self._sender()).ssrc
        neighbours = itertools.cycle([own + apart for apart in range(-40, 41) if apart])
        with _udp(HOST) as out:
            ports = itertools.cycle(self.rtp)
            async for count in beats(end, self.options.pps):
                for part in parts(count, 20):
                    self._burst(out, (PLATFORM, next(ports)), part, neighbours)

    def _burst(self, out: socket.socket, to: object, count: int, ssrcs: Iterator[int]) -> None:
        """`count` datagrams in one call: the kernel cuts them (UDP_SEGMENT), so the flooder costs little itself."""
        for part in parts(count, 40):
            packets: list[bytes] = []
            for _ in range(part):
                self.sent += 1
                packets.append(struct.pack("!BBHII", 0x80, 96, self.sent & 0xFFFF, self.sent * 40, next(ssrcs)))
                packets.append(self.noise)
            size = (12 + len(self.noise)).to_bytes(2, sys.byteorder)
            with contextlib.suppress(OSError):  # full, or refused: a flooder does not care
                out.sendmsg(packets, [(socket.IPPROTO_UDP, _SEGMENT, size)], 0, *([to] if to else []))

    # --- signalling -------------------------------------------------------------------------------------------

    async def register(self, end: float) -> None:
        with _udp(HOST) as out:
            async for count in beats(end, self.options.sip_pps):
                for _ in range(count):
                    self.sent += 1
                    user = self.options.code if self.sent % 2 else f"3402000000132{self.sent % 10_000_000:07d}"
                    digest = (
                        f'Authorization: Digest username="{user}", realm="3402000000", nonce="{self.sent:032x}", '
                        f'uri="sip:{PLATFORM_CODE}@3402000000", response="{self.sent:032x}", algorithm=MD5\r\n'
                    )
                    head = _request("REGISTER", user, out.getsockname()[1], self.sent, digest + "Expires: 3600\r\n")
                    with contextlib.suppress(OSError):
                        out.sendto(head, (PLATFORM, self.sip))

    async def message(self, end: float) -> None:
        code = self.options.code
        alarm = notices.AlarmNotify(
            sn=1, device_id=code, alarm_priority="1", alarm_method="5", alarm_time="2026-01-01T00:00:00"
        )
        bodies = [
            write_body(notices.Keepalive(sn=1, device_id=code), "GB2312"),
            write_body(alarm, "GB2312"),
            _catalogue(code),
            b"<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY b '" + b"c" * 900 + b"'>]><Notify>&b;&b;</Notify>",
            b"<Notify><CmdType>Keepalive</CmdType><SN>1" + b"<x>" * 400,
        ]
        links = self.device._endpoint._datagrams
        port = self.device._endpoint.udp_port
        assert links is not None
        async for count in beats(end, self.options.sip_pps):
            for _ in range(count):
                self.sent += 1
                body = bodies[self.sent % len(bodies)]
                data = _request("MESSAGE", code, port, self.sent, "Content-Type: Application/MANSCDP+xml\r\n", body)
                if self.sent % 11 == 0:
                    data = data[: 40 + self.sent % 200] + self.noise[:200]
                links.send(data, PLATFORM, self.sip)

    # --- connections ------------------------------------------------------------------------------------------

    async def connections(self, end: float) -> None:
        fresh: deque[socket.socket] = deque()
        hanging: deque[socket.socket] = deque()
        ports = itertools.cycle(self.tcp)
        async for count in beats(end, self.options.connections):
            for _ in range(count):
                self.sent += 1
                one = socket.socket()
                one.setblocking(False)
                with contextlib.suppress(OSError):
                    one.bind((HOST, 0))
                    one.connect((PLATFORM, next(ports)))
                fresh.append(one)
            while len(fresh) > 200:
                one = fresh.popleft()
                with contextlib.suppress(OSError):
                    one.send(self.noise if self.sent % 2 else b"GET / HTTP/1.1\r\nHost:")
                if self.sent % 3:
                    one.close()
                else:
                    hanging.append(one)
            while len(hanging) > 500:
                hanging.popleft().close()
        for one in (*fresh, *hanging):
            one.close()


async def beats(end: float, per_second: float) -> AsyncIterator[int]:
    """How many are due, beat by beat, until `end` (monotonic)."""
    begun, done = time.monotonic(), 0
    while (now := time.monotonic()) < end:
        due = round((now - begun) * per_second) - done
        if due > 0:
            done += due
            yield min(due, round(per_second / 10) + 1)  # after a stall it does not catch up
        await asyncio.sleep(BEAT_SECONDS)


def parts(count: int, size: int) -> Iterator[int]:
    """`count` in pieces of at most `size`."""
    while count > 0:
        yield min(count, size)
        count -= size


def _udp(host: str, buffer: int = 1 << 20) -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    one.setblocking(False)
    one.bind((host, 0))
    return one


def _request(method: str, user: str, port: int, number: int, fields: str, body: bytes = b"") -> bytes:
    domain = "3402000000"
    return (
        f"{method} sip:{PLATFORM_CODE}@{domain} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {HOST}:{port};rport;branch=z9hG4bK{number:x}\r\n"
        f"From: <sip:{user}@{domain}>;tag={number:x}\r\nTo: <sip:{PLATFORM_CODE}@{domain}>\r\n"
        f"Call-ID: {number}@mad\r\nCSeq: {number} {method}\r\nMax-Forwards: 70\r\n"
        f"Contact: <sip:{user}@{HOST}:{port}>\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _catalogue(code: str) -> bytes:
    items = "".join(
        f"<Item><DeviceID>{code[:10]}131{number:07d}</DeviceID><Name>mad {number}</Name><Status>ON</Status></Item>"
        for number in range(12)
    )
    return (
        f"<?xml version='1.0'?>\n<Notify><CmdType>Catalog</CmdType><SN>9</SN><DeviceID>{code}</DeviceID>"
        f"<SumNum>12</SumNum><DeviceList Num='12'>{items}</DeviceList></Notify>"
    ).encode()


def main() -> None:
    """Flood on request."""
    parser = argparse.ArgumentParser(prog="benchmarks.flooder")
    parser.add_argument("--sip", required=True)
    parser.add_argument("--rtp", required=True)
    parser.add_argument("--tcp", required=True)
    parser.add_argument("--code", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--pps", type=float, default=17_000, help="with 700 bytes: 100 Mbit/s")
    parser.add_argument("--bytes", type=int, default=700)
    parser.add_argument("--sip-pps", type=float, default=15_000, help="with headers and bodies: 70 Mbit/s")
    parser.add_argument("--connections", type=float, default=500, help="a second")
    asyncio.run(Flooder(parser.parse_args()).run())


if __name__ == "__main__":
    main()
