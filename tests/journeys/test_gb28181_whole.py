"""The whole platform and simulated devices: every transport comes to a picture, every failure to its step."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from benchmarks.whole import Platform, until

from safecity.sim.camera import Camera, CameraSpec
from safecity.sim.encode import VideoSpec
from safecity.sim.gb28181.device import SimDevice
from safecity.sim.gb28181.faults import Faults
from safecity.sim.gb28181.profiles import CAMERA_2022
from safecity.sim.gb28181.state import Channel, DeviceSpec

pytestmark = pytest.mark.journey
VIDEO = VideoSpec(width=176, height=144, fps=10, kbps=100, gop_seconds=1.0)


class City:
    """Simulated devices in a loop of their own thread, since the test itself waits in plain code."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.painter = ThreadPoolExecutor(1)
        self.devices: list[SimDevice] = []
        self.cameras: list[Camera] = []

    def do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def add(
        self, registration: dict[str, Any], password: str, faults: Faults | None = None, tcp: bool = False
    ) -> SimDevice:
        code = registration["device_code"]
        spec = DeviceSpec(
            code=code, password=password, platform_code=registration["platform_code"], platform_host="127.0.0.1",
            platform_port=registration["port"], profile=CAMERA_2022, name="camera", retry_seconds=0.5, tcp=tcp,
        )  # fmt: skip
        number = len(self.devices)
        camera = Camera(CameraSpec(number=number, title="T", main=VIDEO, sub=None), self.painter)
        channel = Channel(code=f"{code[:10]}131{number + 1:07d}", name=f"路口{number + 1}", camera=camera)
        device = SimDevice(spec, [channel], faults=faults)
        self.devices.append(device)
        self.cameras.append(camera)
        self.do(device.start())
        return device

    def close(self) -> None:
        for device in self.devices:
            self.do(device.stop())
        for camera in self.cameras:
            self.do(camera.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
        self.painter.shutdown()


@pytest.fixture
def city() -> Iterator[City]:
    city = City()
    yield city
    city.close()


def add_device(platform: Platform, number: int, **fields: Any) -> dict[str, Any]:
    body = {"kind": "gb28181", "name": f"d{number}", "code": f"3402000000132{number:07d}", "password": "secret-7pass"}
    return platform.post("/devices", {**body, **fields})


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One for both stories; each has devices of its own."""
    started = Platform(tmp_path_factory.mktemp("whole"), "--slots", "1")
    try:
        yield started.start().setup()
    finally:
        started.stop()


def channel_of(platform: Platform, device: dict[str, Any]) -> dict[str, Any]:
    found = [channel for channel in platform.channels() if channel["device"] == device["id"]]
    return found[0] if found else {}


def test_every_transport_comes_to_a_picture_that_is_recorded(platform: Platform, city: City) -> None:
    made = {}
    for number, (transport, tcp) in enumerate((("udp", False), ("tcp_passive", False), ("tcp_active", True)), 1):
        made[transport] = add_device(platform, number, transport=transport)
        city.add(made[transport]["registration"], "secret-7pass", tcp=tcp)
    for transport, device in made.items():
        until(lambda d=device: channel_of(platform, d).get("state") == "running", f"{transport} runs")
    wanted = {channel_of(platform, device)["id"]: transport for transport, device in made.items()}

    def figures() -> dict[str, Any]:
        streams = {stream["channel"]: stream for stream in platform.get("/health")["streams"] if stream["packets"]}
        return streams if wanted.keys() <= streams.keys() else {}

    streams = until(figures, "health knows all streams")
    for channel, transport in wanted.items():
        assert streams[channel]["transport"].startswith(transport[:3])
        assert streams[channel]["recording"]


def test_each_failure_is_told_by_its_step_and_healed_by_itself(platform: Platform, city: City) -> None:
    broken = {
        "gb_busy": Faults(refuse=486),
        "gb_refused": Faults(refuse=404),
        "gb_no_sip_answer": Faults(mute_invite=True),
        "gb_no_packet": Faults(no_media=True),
    }
    made = {step: add_device(platform, number) for number, step in enumerate(broken, 11)}
    devices = {step: city.add(made[step]["registration"], "secret-7pass", faults) for step, faults in broken.items()}
    for step, device in made.items():
        until(lambda s=step, d=device: channel_of(platform, d).get("step") == s, f"the channel says {step}")
        assert channel_of(platform, device)["state"] != "running"
    for faults in broken.values():
        faults.refuse, faults.mute_invite, faults.no_media = 0, False, False
    for step, device in made.items():
        until(lambda d=device: channel_of(platform, d).get("state") == "running", f"it runs again after {step}")
        assert devices[step].sessions.running
