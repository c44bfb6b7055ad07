"""The devices and channels we were told of, and what we know of each device now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from msgspec import Struct

from safecity.kit.errors import NotFoundError
from safecity.links.sip import Flow
from safecity.model.facts.signal_calls import GbChannel, GbDevice, PlatformIdentity
from safecity.protocols.gb28181.presence import Presence, PresenceState
from safecity.protocols.gb28181.subscription import Subscription, Topic
from safecity.protocols.sip.dialog import Dialog


class DeviceRow(Struct, frozen=True, array_like=True):
    """What of a device outlives the process. Times in microseconds UTC; fields are only ever added at the end."""

    code: str
    state: str
    since: int
    transport: str = ""
    host: str = ""
    port: int = 0
    contact: str = ""
    user_agent: str = ""
    version: str = ""
    call_id: str = ""
    expires_at: int = 0
    manufacturer: str = ""
    model: str = ""
    catalog_at: int = 0
    refusal: str = ""
    clock_offset_ms: int = 0
    heartbeat_seconds: int = 0


@dataclass(slots=True)
class Device:
    """One device. `flow` is the way to it, None while we do not know one; times in microseconds UTC.

    `heartbeat_seconds`: after how long without a keepalive its own configuration calls it gone, 0 where it is not said.
    """

    config: GbDevice
    presence: Presence
    flow: Flow | None = None
    transport: str = ""
    host: str = ""
    port: int = 0
    contact: str = ""
    user_agent: str = ""
    version: str = ""
    call_id: str = ""
    since: int = 0
    expires_at: int = 0
    last_keepalive: int = 0
    manufacturer: str = ""
    model: str = ""
    catalog_at: int = 0
    refusal: str = ""
    clock_offset_ms: int = 0
    heartbeat_seconds: int = 0
    sn: int = 0
    subscriptions: dict[Topic, Subscription] = field(default_factory=dict[Topic, Subscription])
    dialogs: dict[Topic, Dialog] = field(default_factory=dict[Topic, Dialog])

    @property
    def code(self) -> str:
        return self.config.code

    @property
    def id(self) -> str:
        return self.config.device

    @property
    def is_online(self) -> bool:
        return self.presence.state is PresenceState.ONLINE

    def be_patient(self, usual: float, heartbeat_seconds: int) -> None:
        """Wait for keepalives as long as the platform does with all, or longer where the device means to be slower."""
        self.heartbeat_seconds = heartbeat_seconds
        longer = max(usual, float(heartbeat_seconds))
        self.presence.silent_at += longer - self.presence.patience
        self.presence.patience = longer

    def next_sn(self) -> int:
        """Serial numbers of our questions, per device."""
        self.sn = self.sn % 999_999 + 1
        return self.sn

    def row(self) -> DeviceRow:
        return DeviceRow(
            code=self.code,
            state=str(self.presence.state),
            since=self.since,
            transport=self.transport,
            host=self.host,
            port=self.port,
            contact=self.contact,
            user_agent=self.user_agent,
            version=self.version,
            call_id=self.call_id,
            expires_at=self.expires_at,
            manufacturer=self.manufacturer,
            model=self.model,
            catalog_at=self.catalog_at,
            refusal=self.refusal,
            clock_offset_ms=self.clock_offset_ms,
            heartbeat_seconds=self.heartbeat_seconds,
        )


class Directory:
    """Lookup by code and by shown id. Codes of channels are unique only below their device."""

    def __init__(self) -> None:
        self.patience = 180.0
        self._by_code: dict[str, Device] = {}
        self._by_id: dict[str, Device] = {}
        self._channels: dict[str, GbChannel] = {}
        self._channel_ids: dict[tuple[str, str], str] = {}

    def apply(
        self, identity: PlatformIdentity, devices: Iterable[GbDevice], channels: Iterable[GbChannel]
    ) -> list[Device]:
        """Take the whole truth over; what is known of devices that stay is kept. Returns those that are gone."""
        self.patience = patience = max(10.0, float(identity.keepalive_seconds * identity.keepalive_misses))
        known = dict(self._by_code)
        self._by_code, self._by_id = {}, {}
        for config in devices:
            device = known.pop(config.code, None) or Device(config, Presence(patience))
            device.config = config
            device.presence.patience = max(patience, float(device.heartbeat_seconds))
            self._by_code[config.code] = device
            self._by_id[config.device] = device
        self._channels = {channel.channel: channel for channel in channels}
        self._channel_ids = {(channel.device, channel.code): channel.channel for channel in self._channels.values()}
        return list(known.values())

    def __iter__(self) -> Iterator[Device]:
        return iter(self._by_code.values())

    def __len__(self) -> int:
        return len(self._by_code)

    def by_code(self, code: str) -> Device | None:
        return self._by_code.get(code)

    def device(self, device: str) -> Device:
        """By shown id; NotFoundError."""
        found = self._by_id.get(device)
        if found is None:
            raise NotFoundError(f"no such device: {device[:64]}", code="gb_unknown_device")
        return found

    def channel(self, channel: str) -> tuple[GbChannel, Device]:
        """A channel and its device by the channel's shown id; NotFoundError."""
        found = self._channels.get(channel)
        if found is None:
            raise NotFoundError(f"no such channel: {channel[:64]}", code="gb_unknown_channel")
        return found, self.device(found.device)

    def find_channel(self, channel: str) -> GbChannel | None:
        return self._channels.get(channel)

    def channel_id(self, device: Device, code: str) -> str:
        """The shown id of a channel by its code, empty where there is none yet."""
        return self._channel_ids.get((device.id, code), "")

    def channels(self) -> Iterable[GbChannel]:
        return self._channels.values()

    def slots(self) -> set[str]:
        """Addresses of all media slots that channels are placed on."""
        return {channel.slot for channel in self._channels.values() if channel.slot}
