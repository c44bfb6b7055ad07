"""What a simulated device is and remembers: its channels, its clock, what it was told."""

from __future__ import annotations

from dataclasses import dataclass, field

from safecity.kit.clock import SECOND_US, Clock, SystemClock
from safecity.model.values.media import Quality
from safecity.sim.camera import Camera
from safecity.sim.gb28181.faults import Faults
from safecity.sim.gb28181.profiles import Profile
from safecity.sim.loop import LoopGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSpec:
    """Who the device is and where its platform listens.

    `platform_code` and `domain` are what the installer typed in. `local_host` is the address its sockets bind to.
    `retry_seconds`: pause after a failed registration (the standard asks 60; tests and the demo wait less).
    `keepalive_seconds`, `expires_seconds`: as installed; `recorded_days` of own recordings are offered.
    """

    code: str
    password: str
    platform_code: str
    platform_host: str
    platform_port: int
    profile: Profile
    name: str
    domain: str = ""
    username: str = ""
    local_host: str = "127.0.0.1"
    local_port: int = 0
    tcp: bool = False
    keepalive_seconds: float = 60.0
    keepalive_misses: int = 3
    expires_seconds: int = 86_400
    retry_seconds: float = 5.0
    recorded_days: float = 3.0


@dataclass(slots=True, kw_only=True)
class Channel:
    """A channel of a device. A single camera names itself as its only channel or a code of its own."""

    code: str
    name: str
    camera: Camera
    longitude: float = 117.283
    latitude: float = 31.861
    address: str = ""
    civil_code: str = ""
    on: bool = True
    recording: bool = True
    guarded: bool = False
    alarmed: bool = False
    loop: LoopGroup | None = None
    """Live streams come from here instead of the camera (load)."""
    sub_loop: LoopGroup | None = None
    """The sub stream's, where the load has one."""

    def loop_of(self, quality: Quality) -> LoopGroup | None:
        """Where this stream comes from, None: from the camera."""
        return self.sub_loop if quality is Quality.SUB and self.sub_loop is not None else self.loop


@dataclass(slots=True)
class DeviceState:
    """Everything that changes, apart from media sessions."""

    spec: DeviceSpec
    channels: dict[str, Channel]
    faults: Faults
    clock: Clock = field(default_factory=SystemClock)
    offset_us: int = 0
    """What the last Date of the platform said against our clock (never applied while the clock fault is on)."""
    registered: bool = False
    version_of_platform: str = ""
    heard: list[str] = field(default_factory=list[str])
    """Commands that came in, newest last, for tests: `DeviceControl/PTZCmd A50F...`."""
    config: dict[str, str] = field(default_factory=dict[str, str])
    reboots: int = 0
    booted_us: int = 0

    def now_us(self) -> int:
        """What the device believes the time is."""
        return self.clock.now_us() + self.error_us

    @property
    def error_us(self) -> int:
        """How wrong the device's clock is."""
        return self.faults.clock_offset_ms * 1000

    def oldest_us(self) -> int:
        """Start of the oldest recording, true time."""
        return self.clock.now_us() - round(self.spec.recorded_days * 86_400) * SECOND_US

    def note(self, what: str) -> None:
        """Remember a command; the last thousand are kept."""
        self.heard.append(what)
        del self.heard[:-1000]

    def channel(self, code: str) -> Channel | None:
        """The channel of that code; a device of one channel also answers to its own code."""
        found = self.channels.get(code)
        if found is None and code == self.spec.code and len(self.channels) == 1:
            found = next(iter(self.channels.values()))
        return found
