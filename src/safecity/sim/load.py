"""Load for a platform, from a process of its own: many cameras that send, or many devices that register.

Plain functions for the command line; each answers figures that can be printed as JSON.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from safecity.kit.errors import SafecityError
from safecity.links.sip import Flow, SipEndpoint
from safecity.links.sip_client import DigestMemory, new_request, request_authorized
from safecity.protocols.gb28181.manscdp import CONTENT_TYPE, write_body
from safecity.protocols.gb28181.notices import Keepalive
from safecity.sim.camera import Camera, CameraSpec
from safecity.sim.city import AREA, PLATFORM_CODE
from safecity.sim.encode import VideoSpec
from safecity.sim.gb28181.device import SimDevice
from safecity.sim.gb28181.profiles import CAMERA_2022
from safecity.sim.gb28181.state import Channel, DeviceSpec
from safecity.sim.loop import LoopGroup
from safecity.sim.manifest import Manifest, ManifestChannel, ManifestDevice

Figures = dict[str, float | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """Who loads whom. `first` is the serial number of the first device; all share one password.

    sub_kbps   bit rate of a sub stream of 352 x 288 and 15 pictures a second; 0: there is none
    """

    host: str
    port: int
    count: int = 500
    password: str = "load-test"
    platform_code: str = PLATFORM_CODE
    area: str = AREA
    first: int = 1
    kbps: int = 2000
    sub_kbps: int = 0
    width: int = 640
    height: int = 360
    fps: int = 25
    gop_seconds: float = 2.0
    tcp: bool = False
    groups: int = 40


def device_code(options: LoadOptions, number: int) -> str:
    """The code of a device, in a serial range that no demo city uses."""
    return f"{options.area:0<8}00132{9_000_000 + options.first + number:07d}"


def channel_code(options: LoadOptions, number: int) -> str:
    """The code of its only channel."""
    return f"{options.area:0<8}00131{9_000_000 + options.first + number:07d}"


def load_manifest(options: LoadOptions) -> Manifest:
    """What a platform must know to admit them."""
    devices = [
        ManifestDevice(
            kind="gb28181", name=f"压测 {number + 1}", name_en=f"Load {number + 1}", area=options.area,
            password=options.password, code=device_code(options, number), transport="tcp" if options.tcp else "udp",
            channels=[
                ManifestChannel(
                    code=channel_code(options, number), name=f"压测 {number + 1}", name_en=f"Load {number + 1}",
                    longitude=118.3 + number % 100 / 1000, latitude=31.3 + number // 100 / 1000,
                )
            ],
        )
        for number in range(options.count)
    ]  # fmt: skip
    return Manifest(devices=devices, platform_code=options.platform_code)


@dataclass(slots=True)
class Load:
    """Cameras that register, answer and send a loop when they are asked to."""

    options: LoadOptions
    devices: list[SimDevice] = field(default_factory=list[SimDevice])
    groups: list[LoopGroup] = field(default_factory=list[LoopGroup])
    sub_groups: list[LoopGroup] = field(default_factory=list[LoopGroup])
    _painter: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    async def start(self) -> None:
        """Open all sockets; the devices register over about three seconds."""
        options = self.options
        video = VideoSpec(
            width=options.width, height=options.height, fps=options.fps, kbps=options.kbps,
            gop_seconds=options.gop_seconds,
        )  # fmt: skip
        sub = None
        self.groups = [LoopGroup(video, number / options.groups) for number in range(options.groups)]
        if options.sub_kbps:
            sub = VideoSpec(width=352, height=288, fps=15, kbps=options.sub_kbps, gop_seconds=options.gop_seconds)
            self.sub_groups = [LoopGroup(sub, number / options.groups) for number in range(options.groups)]
        for number in range(options.count):
            device = self._device(number, video, sub)
            self.devices.append(device)
            await device.start()
            if number % 50 == 49:
                await asyncio.sleep(0.2)

    def _device(self, number: int, video: VideoSpec, sub: VideoSpec | None) -> SimDevice:
        options = self.options
        camera = Camera(CameraSpec(number=number % 256, title="LOAD", main=video, sub=sub), self._painter)
        channel = Channel(
            code=channel_code(options, number), name=f"压测 {number + 1}", camera=camera,
            civil_code=options.area, loop=self.groups[number % len(self.groups)],
            sub_loop=self.sub_groups[number % len(self.sub_groups)] if sub is not None else None,
        )  # fmt: skip
        spec = DeviceSpec(
            code=device_code(options, number), password=options.password, platform_code=options.platform_code,
            platform_host=options.host, platform_port=options.port, profile=CAMERA_2022,
            name=f"压测 {number + 1}", tcp=options.tcp, retry_seconds=5.0,
        )  # fmt: skip
        return SimDevice(spec, [channel])

    def figures(self) -> Figures:
        """Registered, asked to send, sending, packets, bytes, the worst lateness, our own CPU seconds."""
        senders = [each.sender for device in self.devices for each in device.sessions.running.values()]
        return {
            "devices": len(self.devices),
            "registered": sum(device.state.registered for device in self.devices),
            "invites": sum(device.sessions.invites for device in self.devices),
            "sending": sum(1 for each in senders if each.packets),
            "packets": sum(each.packets for each in senders),
            "bytes": sum(each.bytes for each in senders),
            "not_sent": sum(each.not_sent for each in senders),
            "late_ms": round(max((group.late_ms for group in (*self.groups, *self.sub_groups)), default=0.0), 1),
            "cpu_seconds": round(time.process_time(), 2),
        }

    async def stop(self) -> None:
        """Log off."""
        await asyncio.gather(*(device.stop() for device in self.devices))
        self._painter.shutdown()


async def cameras(options: LoadOptions, seconds: float | None = None) -> Figures:
    """Play `count` cameras for so long (None: until cancelled). The figures at the end."""
    load = Load(options)
    await load.start()
    try:
        if seconds is None:
            await asyncio.Event().wait()
        else:
            await asyncio.sleep(seconds)
        return load.figures()
    finally:
        await load.stop()


async def storm(
    options: LoadOptions, *, seconds: float = 10.0, at_once: int = 200, admission_seconds: float = 0.0
) -> Figures:
    """Register `count` devices as fast as the platform answers, then send keepalives for `seconds`.

    All over one socket, at most `at_once` requests waiting for their answers. Rates are per second of wall time.
    With `admission_seconds` nothing is counted until the platform knows the last of them, or so long has passed.
    """
    endpoint = SipEndpoint(lambda incoming: incoming.respond(405))
    await endpoint.start(udp=("0.0.0.0" if options.host not in ("127.0.0.1", "localhost") else "127.0.0.1", 0))
    try:
        if admission_seconds:
            await _wait_admitted(endpoint, options, admission_seconds)
        return await _storm(endpoint, options, seconds, at_once)
    finally:
        await endpoint.close()


async def _wait_admitted(endpoint: SipEndpoint, options: LoadOptions, patience: float) -> None:
    """Devices are admitted in order: the last one is asked."""
    flow, last = endpoint.udp_flow(options.host, options.port), device_code(options, options.count - 1)
    for _ in range(round(patience)):
        if await _register(endpoint, flow, options, last):
            return
        await asyncio.sleep(1.0)


async def _storm(endpoint: SipEndpoint, options: LoadOptions, seconds: float, at_once: int) -> Figures:
    flow = endpoint.udp_flow(options.host, options.port)
    codes = [device_code(options, number) for number in range(options.count)]
    took: list[float] = []
    registered: list[str] = []
    queue = iter(codes)

    async def register() -> None:
        for code in queue:
            begun = time.perf_counter()
            if await _register(endpoint, flow, options, code):
                registered.append(code)
                took.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*(register() for _ in range(at_once)))
    spent = time.perf_counter() - begun
    answered = lost = 0
    end = time.perf_counter() + seconds
    keep = iter(range(1 << 60))

    async def keepalive() -> None:
        nonlocal answered, lost
        while registered and time.perf_counter() < end:
            number = next(keep)
            good = await _keepalive(endpoint, flow, options, registered[number % len(registered)], number)
            answered, lost = answered + good, lost + (not good)

    begun = time.perf_counter()
    await asyncio.gather(*(keepalive() for _ in range(at_once)))
    kept = time.perf_counter() - begun
    return {
        "devices": options.count,
        "registered": len(registered),
        "registrations_per_second": round(len(registered) / spent, 1) if spent else 0.0,
        "registration_p95_ms": round(1000 * statistics.quantiles(took, n=20)[-1], 1) if len(took) > 1 else 0.0,
        "keepalives": answered,
        "keepalives_lost": lost,
        "keepalives_per_second": round(answered / kept, 1) if kept else 0.0,
        "cpu_seconds": round(time.process_time(), 2),
    }


async def _register(endpoint: SipEndpoint, flow: Flow, options: LoadOptions, code: str) -> bool:
    domain = options.platform_code[:10]
    own = f"sip:{code}@{domain}"
    request = new_request(
        "REGISTER", f"sip:{options.platform_code}@{domain}", local=own, remote=own,
        contact=endpoint.contact(code, flow), fields=[("Expires", "86400")],
    )  # fmt: skip
    try:
        response = await request_authorized(endpoint, request, flow, DigestMemory(code, options.password), timeout=15)
    except SafecityError:
        return False
    return response.status == 200


async def _keepalive(endpoint: SipEndpoint, flow: Flow, options: LoadOptions, code: str, number: int) -> bool:
    domain = options.platform_code[:10]
    request = new_request(
        "MESSAGE", f"sip:{options.platform_code}@{domain}", local=f"sip:{code}@{domain}",
        remote=f"sip:{options.platform_code}@{domain}", fields=[("Content-Type", CONTENT_TYPE)],
        body=write_body(Keepalive(sn=number % 1_000_000, device_id=code), "GB2312"),
    )  # fmt: skip
    try:
        return (await endpoint.request(request, flow, timeout=15)).status == 200
    except SafecityError:
        return False
