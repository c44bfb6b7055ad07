"""The duty `signal` in a process of its own: simulated devices register and stream; it is killed and goes on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from safecity.backends.calls import UnixCalls, UnixCallServer
from safecity.kit.errors import SafecityError
from safecity.model.facts import media_calls, signal_calls
from safecity.model.facts.control_calls import Publish, Published
from safecity.model.facts.envelope import Event
from safecity.model.facts.media_calls import Done, Message, Prepared, StreamState
from safecity.model.values.media import Quality
from safecity.server.settings import Settings
from safecity.sim.camera import Camera, CameraSpec
from safecity.sim.encode import VideoSpec
from safecity.sim.gb28181.device import SimDevice
from safecity.sim.gb28181.profiles import CAMERA_2016, CAMERA_NAT, DVR_2011, NVR_2022, Profile
from safecity.sim.gb28181.state import Channel, DeviceSpec

pytestmark = pytest.mark.journey
PLATFORM = "34020000002000000001"
VIDEO = VideoSpec(width=176, height=144, fps=10, kbps=100)


class Slot:
    """A media slot that only counts: what it was told, and the packets that came to its port."""

    def __init__(self) -> None:
        self.told: list[Message] = []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.udp.setblocking(False)
        self.port = self.udp.getsockname()[1]
        self.states: dict[tuple[str, Quality], StreamState] = {}
        self.ring = asyncio.Event()

    def handlers(self) -> dict[Any, Any]:
        kinds = (media_calls.ConfirmStream, media_calls.CloseStream)
        return {media_calls.PrepareStream: self._prepare, **dict.fromkeys(kinds, self._take)}

    async def _take(self, message: Message) -> Message:
        self.told.append(message)
        return Done()

    async def _prepare(self, message: Message) -> Message:
        self.told.append(message)
        return Prepared(self.port)

    def want(self, channel: str, state: str = "idle", wanted: bool = True) -> None:
        self.states[channel, Quality.MAIN] = StreamState(channel, Quality.MAIN, state, wanted)
        self.ring.set()

    async def watch(self, _: Message) -> AsyncIterator[Message]:
        seen: dict[Any, StreamState] = {}
        while True:
            self.ring.clear()
            for key, state in list(self.states.items()):
                if seen.get(key) != state:
                    seen[key] = state
                    yield state
            await self.ring.wait()

    async def packets(self, count: int) -> list[bytes]:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(60):
            return [await loop.sock_recv(self.udp, 2048) for _ in range(count)]


class SignalProcess:
    """The duty as the supervisor would start it, with its sockets in our hands."""

    def __init__(self, folder: Path) -> None:
        self.data, self.run = folder / "data", folder / "run"
        self.run.mkdir()
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.tcp.getsockname()[1]))
        self.port = self.tcp.getsockname()[1]
        self.calls = UnixCalls(self.run / "calls")
        self.control, self.media = UnixCallServer(self.run / "calls"), UnixCallServer(self.run / "calls")
        self.slot = Slot()
        self.events: list[Event] = []
        self.process: subprocess.Popen[bytes] | None = None
        self.painter = ThreadPoolExecutor(1)
        self.devices: list[SimDevice] = []

    async def start(self) -> None:
        self.spawn()

        async def publish(message: Publish) -> Message:
            self.events += message.events
            return Published(len(message.events))

        await self.control.serve("control", {Publish: publish}, {})
        await self.media.serve("media-0", self.slot.handlers(), {media_calls.WatchStreams: self.slot.watch})

    def spawn(self) -> None:
        numbers = {"sip-udp": self.udp.fileno(), "sip-tcp": self.tcp.fileno()}
        environment = {
            **os.environ,
            "SAFECITY_FDS": json.dumps(numbers),
            "SAFECITY_RUN": str(self.run),
            "SAFECITY_SETTINGS": Settings(data=str(self.data)).to_json(),
        }
        command = [sys.executable, "-m", "safecity.server.role", "signal"]
        self.process = subprocess.Popen(command, env=environment, pass_fds=list(numbers.values()))

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    async def ask(self, message: Message, patience: float = 20.0) -> Any:
        end = time.monotonic() + patience
        while True:
            try:
                return await self.calls.call("signal", message, timeout=10)
            except SafecityError as error:
                if error.code not in ("duty_down", "duty_gone") or time.monotonic() > end:
                    raise
                await asyncio.sleep(0.05)

    async def until(self, what: Any, patience: float = 20.0) -> Any:
        async with asyncio.timeout(patience):
            while not (found := what()):
                await asyncio.sleep(0.05)
        return found

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]

    async def device(self, code: str, profile: Profile, channels: int = 1, **fields: Any) -> SimDevice:
        spec = DeviceSpec(
            code=code, password="secret-7", platform_code=PLATFORM, platform_host="127.0.0.1",
            platform_port=self.port, profile=profile, name="device", keepalive_seconds=2.0, retry_seconds=0.5,
            **fields,
        )  # fmt: skip
        cameras = [
            Channel(
                code=f"{code[:10]}131{number + 1:07d}",
                name=f"路口{number + 1}",
                camera=Camera(CameraSpec(number=number, title="T", main=VIDEO, sub=None), self.painter),
            )
            for number in range(channels)
        ]
        device = SimDevice(spec, cameras)
        await device.start()
        self.devices.append(device)
        return device

    async def configure(self, *codes: str, transport: str = "udp") -> None:
        devices = tuple(
            signal_calls.GbDevice(f"dev_{number}", code, "secret-7", transport=transport)
            for number, code in enumerate(codes)
        )
        channels = tuple(
            signal_calls.GbChannel(f"ch_{number}", f"dev_{number}", f"{code[:10]}1310000001", "media-0")
            for number, code in enumerate(codes)
        )
        identity = signal_calls.PlatformIdentity(PLATFORM, "3402000000", "127.0.0.1", keepalive_seconds=2)
        await self.ask(signal_calls.ApplySignal(1, identity, devices, channels))

    async def close(self) -> None:
        for device in self.devices:
            await device.stop()
        await self.calls.close()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(15) == 0
        await self.control.close()
        await self.media.close()
        self.painter.shutdown()
        for one in (self.tcp, self.udp, self.slot.udp):
            one.close()


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[SignalProcess]:
    duty = SignalProcess(tmp_path)
    await duty.start()
    yield duty
    await duty.close()


NVR = "34020000001180000001"


async def test_a_recorder_registers_shows_its_channels_and_sends(duty: SignalProcess) -> None:
    await duty.configure(NVR)
    device = await duty.device(NVR, NVR_2022, channels=20)
    await duty.until(lambda: duty.of("catalog.received"))
    items = [item for event in duty.of("catalog.received") for item in event.body["items"]]
    assert sum(item["code"][10:13] == "131" for item in items) == 20
    assert duty.of("device.described")[0].body["manufacturer"] == "NewCity"
    figures = await duty.ask(signal_calls.AskDevices())
    assert [(figure.state, figure.version) for figure in figures.devices] == [("online", "3.0")]

    duty.slot.want("ch_0")
    packets = await duty.slot.packets(5)
    confirm = await duty.until(lambda: [m for m in duty.slot.told if isinstance(m, media_calls.ConfirmStream)])
    assert {int.from_bytes(packet[8:12], "big") for packet in packets} == {confirm[0].ssrc}
    duty.slot.want("ch_0", "running")
    await duty.ask(signal_calls.Steer("ch_0", "move", pan=0.5))
    await duty.until(lambda: any("DeviceControl" in heard for heard in device.state.heard))
    answer = await duty.ask(signal_calls.QueryDevice("dev_0", "DeviceInfo"))
    assert answer.body["Model"] == "NVR-64"

    # Killed and started again: the stream goes on, and can still be ended.
    duty.kill()
    duty.spawn()
    await duty.ask(signal_calls.AskDevices())
    await duty.slot.packets(20)
    await asyncio.sleep(2.0)  # it would have opened again by now
    assert sum(isinstance(message, media_calls.PrepareStream) for message in duty.slot.told) == 1
    assert len(device.sessions.running) == 1
    duty.slot.want("ch_0", "running", wanted=False)
    await duty.until(lambda: not device.sessions.running, 60.0)


@pytest.mark.parametrize("profile", [DVR_2011, CAMERA_2016, CAMERA_NAT], ids=lambda profile: profile.name)
async def test_devices_of_all_years_come_to_a_picture(duty: SignalProcess, profile: Profile) -> None:
    code = f"3402000000{profile.kind}0000001"
    await duty.configure(code)
    device = await duty.device(code, profile, tcp=profile.tcp_signalling)
    await duty.until(lambda: duty.of("catalog.received"))
    assert device.state.registered
    await duty.ask(signal_calls.OpenStream("ch_0", Quality.MAIN))
    await duty.slot.packets(3)


async def test_a_device_that_dies_silently_is_offline_soon_and_comes_back(duty: SignalProcess) -> None:
    await duty.configure(NVR)
    device = await duty.device(NVR, CAMERA_2016)
    await duty.until(lambda: duty.of("device.went_online"))
    device.faults.silent = True
    offline = await duty.until(lambda: duty.of("device.went_offline"), 30.0)
    assert offline[0].body["why"] == "keepalive"
    device.faults.silent = False
    await duty.until(lambda: len(duty.of("device.went_online")) > 1, 30.0)


def test_the_duty_loads_no_web_framework_and_no_pictures() -> None:
    heavy = ["fastapi", "starlette", "pydantic", "sqlalchemy", "av", "numpy", "cv2", "uvicorn"]
    code = f"import sys, safecity.server.roles.signal; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
