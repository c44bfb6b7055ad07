"""What one asks of the duty `signal` (address `signal`): GB/T 28181 devices by their codes, terminals by their phones,
ships by their MMSI.

Business answers of devices come back as plain data (`Answered.body`), with the element names of the standard.
"""

from __future__ import annotations

from typing import Any

from safecity.model.facts.media_calls import Message
from safecity.model.values.media import Quality


class PlatformIdentity(Message, frozen=True):
    """Who we are on the wire. `domain` is normally the first ten digits of `code`; `public_host` goes into SDP.

    `algorithms` are the digests offered to whoever registers, one challenge each, in this order; `language` (`zh`,
    `en`) is that of what we name.
    """

    code: str
    domain: str
    public_host: str
    version: str = "3.0"
    algorithms: tuple[str, ...] = ("MD5",)
    send_date: bool = True
    keepalive_seconds: int = 60
    keepalive_misses: int = 3
    language: str = "zh"


class GbDevice(Message, frozen=True):
    """A device that may register. `password` empty means that nobody may.

    `transport` is that of its media: `udp`, `tcp_passive` (the device connects to us) or `tcp_active`; `redirect` a
    SIP URI it is sent to instead (302). `algorithms`: the digests it is offered, empty: as all others.
    """

    device: str
    code: str
    password: str
    enabled: bool = True
    transport: str = "udp"
    username: str = ""
    charset: str = "GB18030"
    subscribe_catalog: bool = True
    subscribe_alarm: bool = True
    subscribe_position: bool = False
    redirect: str = ""
    position_seconds: int = 5
    algorithms: tuple[str, ...] = ()


class GbChannel(Message, frozen=True):
    """A channel of a device; `slot` is where its media goes (`media-0`)."""

    channel: str
    device: str
    code: str
    slot: str
    epoch: int = 1


class JtTerminal(Message, frozen=True):
    """A vehicle terminal (JT/T 808) that may register; `phone` without zeros in front. `transport`: `tcp` or `udp`, how
    it is told to send its pictures."""

    device: str
    phone: str
    enabled: bool = True
    transport: str = "tcp"


class JtChannel(Message, frozen=True):
    """A channel of a vehicle terminal (JT/T 1078), by its logical number; `slot` is where its media goes."""

    channel: str
    device: str
    number: int
    slot: str


class AisShip(Message, frozen=True):
    """A ship, a base station or an aid to navigation (AIS) whose positions are taken; `mmsi` has nine digits."""

    device: str
    mmsi: str
    enabled: bool = True


class ApplySignal(Message, frozen=True):
    """The whole truth, persisted by signal, which goes on from it without control. Answer: Done.

    More than some thousand channels do not fit into one frame: then the same revision comes in `parts` messages
    (`part` from 0), and takes effect with the last.
    """

    revision: int
    identity: PlatformIdentity
    devices: tuple[GbDevice, ...]
    channels: tuple[GbChannel, ...]
    part: int = 0
    parts: int = 1
    terminals: tuple[JtTerminal, ...] = ()
    ships: tuple[AisShip, ...] = ()
    terminal_channels: tuple[JtChannel, ...] = ()


class OpenStream(Message, frozen=True):
    """Open the stream at once (a viewer waits). Answer: Done when the device said 200, Failed with the step."""

    channel: str
    quality: Quality


class AskKeyFrame(Message, frozen=True):
    """Ask the device for an I-frame now. Answer: Done (sent; devices do not answer)."""

    channel: str
    quality: Quality = Quality.MAIN


class Steer(Message, frozen=True):
    """One PTZ act. `action`: `move`, `stop`, `iris`, `focus`, `preset_set|call|delete`, `cruise_add|delete|speed|
    dwell|start|stop`, `scan_start|left|right|speed|stop`, `aux_on|off`, `home_on|off`, `drag_in|drag_out`, `precise`,
    `reboot`, `guard_on|off`, `alarm_reset`, `record_on|off`.

    pan, tilt, zoom in -1..1 (right, up and in are positive); iris open and focus far positive. `number`, `second` and
    `value` are preset, group, switch, point, speed or seconds as the action needs. Answer: Done or Answered.
    Cameras in vehicles know `move`, `stop`, `iris`, `focus`, `lens` and the switches 1 (wiper) and 2 (infrared lamp);
    of them it is answered once the terminal has, with the errors of `vehicle_calls`.
    """

    channel: str
    action: str
    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0
    iris: float = 0.0
    focus: float = 0.0
    number: int = 0
    second: int = 0
    value: float = 0.0
    extra: dict[str, str | int | float | bool | None] = {}


class QueryDevice(Message, frozen=True):
    """Ask a device: `command` is a CmdType (`Catalog`, `DeviceInfo`, `DeviceStatus`, `RecordInfo`, `PresetQuery`,
    `ConfigDownload`, ...); `code` the channel or device code asked for, empty: the device. Answer: Answered."""

    device: str
    command: str
    code: str = ""
    fields: dict[str, str | int | float | bool | None] = {}


class ConfigureDevice(Message, frozen=True):
    """Change the configuration of a device, or of the channel with this `code` (DeviceConfig). `fields` holds the types
    of ConfigDownload by element name (`BasicParam`, `OSDConfig`, ...). Answer: Answered, once the device said OK."""

    device: str
    code: str = ""
    fields: dict[str, Any] = {}


class Answered(Message, frozen=True):
    """`body` as parsed; lists joined over all messages; `complete` false where some never came (k of n)."""

    body: dict[str, Any]
    complete: bool = True
    received: int = 0
    total: int = 0


class AskDevices(Message, frozen=True):
    """Answer: DeviceFigures, ordered by device id, at most `limit` of them behind `after`."""

    after: str = ""
    limit: int = 4000


class DeviceFigure(Message, frozen=True):
    """Presence of one device as signal sees it. `state` is `never`, `online`, `offline`, `refused`."""

    device: str
    code: str
    state: str
    since: int
    address: str = ""
    transport: str = ""
    user_agent: str = ""
    version: str = ""
    last_keepalive: int = 0
    expires_at: int = 0
    clock_offset_ms: int = 0
    code_of_refusal: str = ""


class UnknownFigure(Message, frozen=True):
    """Somebody who tried to register and is not in the list: the wizard offers to add it."""

    code: str
    address: str
    transport: str
    user_agent: str
    last_seen: int
    attempts: int
    kind: str = "gb28181"


class DeviceFigures(Message, frozen=True):
    """Devices and the newest 100 unknown ones; `next` is not empty where there are more devices behind it."""

    devices: tuple[DeviceFigure, ...]
    unknown: tuple[UnknownFigure, ...] = ()
    next: str = ""


class AskRecordings(Message, frozen=True):
    """What the device itself has recorded of a channel within [start, end), microseconds UTC. `kind` is `all`, `time`,
    `alarm` or `manual`. Answer: DeviceRecordings."""

    channel: str
    start: int
    end: int
    kind: str = "all"


class DeviceRecording(Message, frozen=True):
    """One file of a device, by the device's clock. `kind` and `path` in its own words, `bytes` 0 where it is unsaid."""

    start: int
    end: int
    name: str = ""
    kind: str = ""
    path: str = ""
    bytes: int = 0


class DeviceRecordings(Message, frozen=True):
    """In order of time. `complete` false: of `total` that the device spoke of, `received` came."""

    recordings: tuple[DeviceRecording, ...]
    complete: bool = True
    received: int = 0
    total: int = 0


DEVICE_PLAYBACK = "dp"
"""Kind of the ids of device playback sessions, which are also the names of their streams."""


class StartDevicePlayback(Message, frozen=True):
    """Play the device's own recording [start, end) into a pushed stream of its own. Answer: Done.

    The media slot prepares it as quality `main` of the pseudo channel named `session` (`dp_...`). A session that nobody
    watches for some seconds is ended.
    """

    session: str
    channel: str
    start: int
    end: int
    download_speed: int = 0


class SteerDevicePlayback(Message, frozen=True):
    """`action`: `pause`, `resume`, `seek` (value = seconds from the start), `scale` (value = speed), `stop`."""

    session: str
    action: str
    value: float = 0.0


class AskDevicePlayback(Message, frozen=True):
    """Answer: DevicePlayback; NotFoundError (`gb_no_session`) once it is over."""

    session: str


class DevicePlayback(Message, frozen=True):
    """`position` is reckoned from what was asked of the device, microseconds UTC."""

    session: str
    channel: str
    start: int
    end: int
    position: int
    scale: float = 1.0
    paused: bool = False
    download_speed: int = 0
