"""The demo city as a process of its own.

    python -m safecity.sim.demo --manifest data/demo/manifest.json --platform 127.0.0.1:5060 --http 127.0.0.1:8080

It writes the manifest (once), listens at `door.sock` beside it, and plays until it is ended. The devices go on trying
to register until the platform knows them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import logging
import os
import signal
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from safecity.kit.errors import SafecityError
from safecity.sim.camera import Camera
from safecity.sim.city import (
    CHECKPOINTS,
    CITY,
    PLATFORM_CODE,
    Kit,
    add_checkpoints,
    make_camera,
    make_device,
    new_manifest,
    set_rtsp_port,
    slowed,
)
from safecity.sim.control import Door
from safecity.sim.gat1400.camera import TollgateCamera
from safecity.sim.gat1400.client import Login
from safecity.sim.gb28181.device import SimDevice
from safecity.sim.manifest import Manifest, read_manifest, write_manifest
from safecity.sim.operations import CityOperations
from safecity.sim.rtsp.server import RtspCameras
from safecity.sim.traffic import Traffic, add_vehicles

logger = logging.getLogger(__name__)

FIRST_ALARM_SECONDS, ALARM_EVERY_SECONDS = 25.0, 150.0


@dataclass(slots=True)
class City:
    """Devices that play. `alarms`: now and then somebody crosses a line. `library`: host, port and whether by TLS,
    where the checkpoint cameras report; None: they do not play."""

    manifest: Manifest
    host: str
    port: int
    kits: Sequence[Kit] = CITY
    alarms: bool = True
    library: tuple[str, int, bool] | None = None
    devices: dict[str, SimDevice] = field(default_factory=dict[str, SimDevice])
    painter: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "painter"))
    pulled: list[Camera] = field(default_factory=list[Camera])
    rtsp: RtspCameras | None = None
    checkpoints: list[TollgateCamera] = field(default_factory=list[TollgateCamera])
    _alarm_task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Everything at once; a device that cannot reach its platform keeps trying."""
        for kit in self.kits:
            known = self.manifest.device(kit.code or kit.name_en)
            if known is None or kit.profile is None:
                continue
            device = make_device(kit, known, self.manifest, self.host, self.port, self.painter)
            self.devices[kit.code] = device
        await self._start_rtsp()
        await self._start_checkpoints()
        loop = asyncio.get_running_loop()
        # The platform counts from when it wants a stream: streets are painted before anybody registers.
        for device in self.devices.values():
            for channel in device.state.channels.values():
                await loop.run_in_executor(self.painter, channel.camera.warm)
            await device.start()
        if self.alarms:
            self._alarm_task = asyncio.get_running_loop().create_task(self._raise_alarms())

    async def _start_rtsp(self) -> None:
        kits = [kit for kit in self.kits if kit.profile is None]
        known = [self.manifest.device(kit.name_en) for kit in kits]
        if not kits or known[0] is None:
            return
        self.pulled = [make_camera(kit.places[0], self.painter) for kit in kits]
        loop = asyncio.get_running_loop()
        # Painting the first picture, for the parameter sets of the SDP, takes a moment.
        self.rtsp = rtsp = await loop.run_in_executor(
            self.painter,
            functools.partial(RtspCameras, self.pulled, username=known[0].username, password=known[0].password),
        )
        for camera in self.pulled:
            await loop.run_in_executor(self.painter, camera.warm)
        await rtsp.start("127.0.0.1", self.manifest.rtsp_port)

    async def _start_checkpoints(self) -> None:
        if self.library is None:
            return
        host, port, tls = self.library
        for one in CHECKPOINTS:
            known = self.manifest.device(one.camera)
            if known is None:
                continue
            login = Login(code=known.code, password=known.password, host=host, port=port, tls=tls)
            title = f"{one.number:02d} {one.name_en}"
            camera = TollgateCamera(login, one.tollgate, seed=100 + one.number, title=title, painter=self.painter)
            self.checkpoints.append(camera)
            await camera.start()

    async def stop(self) -> None:
        """Log off and end."""
        if self._alarm_task is not None:
            self._alarm_task.cancel()
        async with asyncio.timeout(10):
            await asyncio.gather(*(one.stop() for one in (*self.devices.values(), *self.checkpoints)))
        for device in self.devices.values():
            for channel in device.state.channels.values():
                await channel.camera.close()
        if self.rtsp is not None:
            await self.rtsp.close()
        for camera in self.pulled:
            await camera.close()
        self.painter.shutdown(wait=False)

    async def _raise_alarms(self) -> None:
        dice = Random(7)
        pause = FIRST_ALARM_SECONDS
        while True:
            await asyncio.sleep(pause)
            pause = ALARM_EVERY_SECONDS * dice.uniform(0.6, 1.6)
            ready = [device for device in self.devices.values() if device.state.registered]
            if not ready:
                continue
            device = dice.choice(ready)
            code = dice.choice(list(device.state.channels))
            kind, text = dice.choice(((2, "移动侦测"), (6, "区域入侵"), (5, "越界"), (8, "徘徊")))
            with contextlib.suppress(SafecityError):
                await device.subscriptions.alarm(code, method=5, kind=kind, description=text)


def prepare(path: Path, platform_code: str, kits: Sequence[Kit] = CITY) -> Manifest:
    """The manifest of an earlier run, or a new one with fresh passwords."""
    manifest = read_manifest(path)
    expected = {kit.code for kit in kits if kit.code}
    if manifest is None or {each.code for each in manifest.devices if each.kind == "gb28181"} != expected:
        manifest = new_manifest(kits, platform_code=platform_code, rtsp_port=_free_port(0))
        write_manifest(path, manifest)
    elif _free_port(manifest.rtsp_port) != manifest.rtsp_port:
        set_rtsp_port(manifest, _free_port(0))
        write_manifest(path, manifest)
    if add_checkpoints(manifest) | add_vehicles(manifest):
        write_manifest(path, manifest)
    if platform_code and manifest.platform_code != platform_code:
        manifest.platform_code = platform_code
        write_manifest(path, manifest)
    return manifest


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return 0


async def play(
    path: Path, host: str, port: int, platform_code: str, library: tuple[str, int, bool] | None = None,
    traffic: Traffic | None = None, kits: Sequence[Kit] = CITY,
) -> None:  # fmt: skip
    """Until SIGTERM, SIGINT or the death of the parent."""
    city = City(prepare(path, platform_code, kits), host, port, kits, library=library)
    door = Door(path.parent / "door.sock", CityOperations(lambda: city.devices).table())
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await door.open()
    if traffic is not None:
        await traffic.start()
    await city.start()
    logger.info("demo city plays devices=%d platform=%s:%d", len(city.devices), host, port)
    parent = os.getppid()
    while not ended.is_set() and os.getppid() == parent:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2.0):
                await ended.wait()
    await door.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10):
            if traffic is not None:
                await traffic.stop()
        await city.stop()


async def _play(options: argparse.Namespace, host: str, port: int, library: tuple[str, int, bool] | None) -> None:
    where, _, number = str(options.vehicles).rpartition(":")
    traffic = Traffic(where, int(number), options.roads) if options.vehicles and options.roads else None
    kits = slowed(CITY, options.pictures_per_second)
    await play(options.manifest, host, port, options.platform_code, library, traffic, kits)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Play the demo city.")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--platform", required=True, help="HOST:PORT of the platform's SIP socket")
    parser.add_argument("--http", default="", help="HOST:PORT of the platform's API, where checkpoint cameras report")
    parser.add_argument("--http-tls", action="store_true", help="it speaks https")
    parser.add_argument("--vehicles", default="", help="HOST:PORT where the platform listens for vehicle terminals")
    parser.add_argument("--roads", type=Path, help="folder of road networks, where the town is drawn")
    parser.add_argument("--platform-code", default=PLATFORM_CODE)
    parser.add_argument("--pictures-per-second", type=int, default=15, help="of each camera, at most")
    options = parser.parse_args(arguments)
    host, _, port = str(options.platform).rpartition(":")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s demo %(message)s")
    http_host, _, http_port = str(options.http).rpartition(":")
    library = (http_host, int(http_port), bool(options.http_tls)) if options.http else None
    asyncio.run(_play(options, host, int(port), library))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
