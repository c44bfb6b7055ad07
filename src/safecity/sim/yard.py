"""Simulated devices in a thread of their own, for tests and benchmarks that are not asynchronous themselves.

with Yard() as yard:
    device = yard.camera(code="3402...", password="...", port=5060)
    yard.run(device.reboot())
    yard.change(lambda: setattr(device.faults, "silent", True))
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, TypeVar

from safecity.model.values.media import Codec, Quality
from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.terminal import Identity
from safecity.sim.camera import Camera, CameraSpec
from safecity.sim.city import PLATFORM_CODE
from safecity.sim.encode import VideoSpec
from safecity.sim.gb28181.device import SimDevice
from safecity.sim.gb28181.faults import Faults
from safecity.sim.gb28181.profiles import CAMERA_2022, Profile
from safecity.sim.gb28181.state import Channel, DeviceSpec
from safecity.sim.jt808.cameras import Cameras
from safecity.sim.jt808.drive import Drive, Plan
from safecity.sim.jt808.load import walk
from safecity.sim.jt808.sounds import VehicleSound
from safecity.sim.jt808.terminal import SimTerminal, TerminalSpec
from safecity.sim.rtsp.server import RtspCameras

T = TypeVar("T")

SMALL = VideoSpec(width=320, height=180, fps=10, kbps=200, gop_seconds=1.0)
SMALLER = VideoSpec(width=256, height=144, fps=5, kbps=60, gop_seconds=1.0)


def channel_codes(device: str, count: int) -> list[str]:
    """Codes of the channels of a device: type 131 (camera), serials beneath the device's own."""
    serial = int(device[13:]) % 100_000
    return [f"{device[:10]}131{serial * 100 + number + 1:07d}" for number in range(count)]


class Yard:
    """Everything it made is stopped at its end."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="yard", daemon=True)
        self._painter = ThreadPoolExecutor(1, "yard-painter")
        self._devices: list[SimDevice] = []
        self._rtsp: list[RtspCameras] = []
        self._cameras: list[Camera] = []
        self._vehicles: list[SimTerminal] = []
        self._number = 0

    def __enter__(self) -> Yard:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self._stop(), seconds=30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._painter.shutdown(wait=True)

    async def _stop(self) -> None:
        devices = (*self._devices, *self._vehicles)
        await asyncio.gather(*(each.stop() for each in devices), return_exceptions=True)
        await asyncio.gather(*(each.close() for each in self._rtsp), return_exceptions=True)
        for camera in self._cameras:
            await camera.close()

    def run(self, work: Coroutine[Any, Any, T], *, seconds: float = 20) -> T:
        """Run in the yard's loop and wait."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def vehicle(
        self, *, phone: str, plate: str, port: int, channels: Sequence[int] = (1,), version: Version = Version.V2019,
        video: VideoSpec = SMALL, sound: Codec | VehicleSound | None = None, **spec: Any,
    ) -> SimTerminal:  # fmt: skip
        """A terminal with cameras that drives, started. `spec` is for `TerminalSpec`."""
        coded = sound if isinstance(sound, VehicleSound) else None
        heard = Codec.PCMA if isinstance(sound, VehicleSound) else sound
        cameras: dict[int, Camera] = {}
        for number in channels:
            self._number += 1
            made = CameraSpec(
                number=self._number, title=f"{self._number:02d} bus", main=video, sub=SMALLER, sound=heard
            )
            cameras[number] = Camera(made, self._painter)

        def begin() -> SimTerminal:
            imei = "867530902150717" if version is Version.V2019 else ""
            identity = Identity(phone=phone, plate=plate, version=version, imei=imei)
            pace: dict[str, Any] = {"report_seconds": 1.0, "retry_seconds": 0.3, "heartbeat_seconds": 5.0} | spec
            terminal = SimTerminal(
                TerminalSpec(identity=identity, host="127.0.0.1", port=port, **pace), Drive(Plan(walk(1))),
                cameras=Cameras(identity, cameras, sound=coded),
            )  # fmt: skip
            self._vehicles.append(terminal)
            terminal.start()
            return terminal

        return self.change(begin)

    def change(self, act: Callable[[], T]) -> T:
        """Do something to a device in the thread that it belongs to."""

        async def inside() -> T:
            return act()

        return self.run(inside())

    def camera(
        self,
        *,
        code: str,
        password: str,
        port: int,
        profile: Profile = CAMERA_2022,
        channels: int = 1,
        faults: Faults | None = None,
        video: VideoSpec = SMALL,
        sound: Codec | None = None,
        tcp: bool = False,
        keepalive_seconds: float = 10.0,
        host: str = "127.0.0.1",
    ) -> SimDevice:
        """A started device. Its channels are `channel_codes(code, channels)`."""
        owned = [
            Channel(code=each, name=f"{code[-4:]} 号路口 {number + 1}", camera=self._camera(video, sound))
            for number, each in enumerate(channel_codes(code, channels))
        ]
        spec = DeviceSpec(
            code=code, password=password, platform_code=PLATFORM_CODE, platform_host=host, platform_port=port,
            profile=profile, name=f"设备 {code[-4:]}", tcp=tcp, retry_seconds=0.5, keepalive_seconds=keepalive_seconds,
        )  # fmt: skip
        device = SimDevice(spec, owned, faults=faults)
        self._devices.append(device)
        self.run(device.start())
        return device

    def rtsp(
        self, *, codecs: Sequence[Codec] = (Codec.H264,), sound: Codec | None = None, username: str = "",
        password: str = "",
    ) -> RtspCameras:  # fmt: skip
        """RTSP cameras on a free port: `/1/main`, `/2/main` ..."""
        made = [self._camera(VideoSpec(codec, SMALL.width, SMALL.height, 10, 300, 1.0), sound) for codec in codecs]

        async def serve() -> RtspCameras:
            loop = asyncio.get_running_loop()
            server = await loop.run_in_executor(
                self._painter, lambda: RtspCameras(made, username=username, password=password)
            )
            await server.start()
            return server

        server = self.run(serve())
        self._rtsp.append(server)
        return server

    def longest_us(self) -> int:
        """The longest time that any camera of the yard let pass between two pictures: no recording has them nearer."""
        return max((camera.live(Quality.MAIN).longest_us for camera in self._cameras), default=0)

    def _camera(self, video: VideoSpec, sound: Codec | None) -> Camera:
        self._number += 1
        spec = CameraSpec(
            number=self._number % 256, title=f"YARD {self._number}", main=video, sub=SMALLER, sound=sound,
            fixed=False, light=1.0, seed=self._number,
        )  # fmt: skip
        camera = Camera(spec, self._painter)
        self._cameras.append(camera)
        return camera
