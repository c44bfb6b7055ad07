"""What an administrator may set: one TOML file, read once at start and passed down.

Standard library only, because the supervisor reads it. Every field carries a unit, a default and a range; the
reference page is made from here (docs/reference/settings.md).
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

from safecity.kit.brokerurl import FORM, BrokerUrl, is_topic, read_broker_url
from safecity.kit.errors import InvalidError

_T = TypeVar("_T")
_OFFENCE = re.compile(r"[0-9A-Z]{0,10}")
"""A code of GA/T 16.31, or none."""


def _within(name: str, value: int | float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InvalidError(
            f"{name}: {value} is not in {low:g}..{high:g}",
            code="setting_out_of_range",
            params={"setting": name, "value": value, "low": low, "high": high},
        )


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InvalidError(
            f"{name}: {value!r} is none of {', '.join(choices)}",
            code="setting_unknown_choice",
            params={"setting": name, "value": value, "choices": ", ".join(choices)},
        )


def _malformed(name: str, value: str, wanted: str) -> InvalidError:
    return InvalidError(
        f"{name}: {value!r} is not of type {wanted}",
        code="setting_wrong_type",
        params={"setting": name, "type": wanted},
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _host_port(name: str, text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise _malformed(name, text, "HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpSettings:
    """[http] The browser application and the API.

    host          address to listen on
    port          TCP port, 0 takes a free one
    public_host   name or address that browsers and cameras reach; empty: found, and set by the first-run wizard
    tls           `off`, `generated` (own certificate authority, made at first start) or `files`
    certificate, key   PEM files for tls = "files"
    session_idle_minutes, session_hours   a session ends when idle, and at the latest after
    connections_per_address   open at once from one address; behind a proxy everybody comes from its address
    """

    host: str = "0.0.0.0"  # noqa: S104 - a platform is there to be reached; nothing answers without a session
    port: int = 8080
    public_host: str = ""
    tls: str = "off"
    certificate: str = ""
    key: str = ""
    session_idle_minutes: int = 30
    session_hours: int = 12
    connections_per_address: int = 500

    def __post_init__(self) -> None:
        _within("http.port", self.port, 0, 65535)
        _one_of("http.tls", self.tls, ("off", "generated", "files"))
        _within("http.session_idle_minutes", self.session_idle_minutes, 1, 24 * 60)
        _within("http.session_hours", self.session_hours, 1, 24 * 7)
        _within("http.connections_per_address", self.connections_per_address, 16, 4000)


@dataclass(frozen=True, kw_only=True, slots=True)
class SipSettings:
    """[sip] Signalling of GB/T 28181.

    host              address to listen on, for signalling and media
    port              UDP and TCP, 0 takes a free one
    keepalive_seconds, keepalive_misses   a device is offline after so many missed keepalives
    """

    host: str = "0.0.0.0"  # noqa: S104 - cameras call from anywhere
    port: int = 5060
    keepalive_seconds: int = 60
    keepalive_misses: int = 3

    def __post_init__(self) -> None:
        _within("sip.port", self.port, 0, 65535)
        _within("sip.keepalive_seconds", self.keepalive_seconds, 5, 3600)
        _within("sip.keepalive_misses", self.keepalive_misses, 1, 20)


@dataclass(frozen=True, kw_only=True, slots=True)
class Jt808Settings:
    """[jt808] Vehicle terminals (JT/T 808).

    enabled             listen for them
    host                address to listen on
    port                TCP, 0 takes a free one
    heartbeat_seconds   a terminal is offline after three of these without a word
    connections_per_address   open at once from one address; a network of vehicles often comes from one
    connections_per_second    new ones from one address
    media_host          where vehicles send their pictures (media.rtp_first_port, TCP): an address that they reach;
                        empty: the platform's public address, else the one their own connection came to
    """

    enabled: bool = False
    host: str = "0.0.0.0"  # noqa: S104 - vehicles call from anywhere
    port: int = 6808
    heartbeat_seconds: int = 60
    connections_per_address: int = 5000
    connections_per_second: int = 200
    media_host: str = ""

    def __post_init__(self) -> None:
        if len(self.media_host) > 255 or any(not 33 <= ord(c) < 127 for c in self.media_host):
            raise _malformed("jt808.media_host", self.media_host[:80], "an address")
        _within("jt808.port", self.port, 0, 65535)
        _within("jt808.heartbeat_seconds", self.heartbeat_seconds, 5, 3600)
        _within("jt808.connections_per_address", self.connections_per_address, 1, 50_000)
        _within("jt808.connections_per_second", self.connections_per_second, 1, 10_000)


@dataclass(frozen=True, kw_only=True, slots=True)
class AisSettings:
    """[ais] Ships (AIS), as receivers hand on what they hear (NMEA 0183). Nothing of it is signed: whoever reaches the
    port, or has a transmitter, can make up ships.

    enabled   listen for receivers, and call those in `feeds`
    host      address to listen on
    port      TCP and UDP, 0 takes a free one
    senders   addresses or networks that may connect or send here, with commas between; empty: all that reach the port
    feeds     HOST:PORT of receivers that wait to be called (TCP), with commas between
    """

    enabled: bool = False
    host: str = "127.0.0.1"
    port: int = 10110
    senders: str = ""
    feeds: str = ""

    def __post_init__(self) -> None:
        _within("ais.port", self.port, 0, 65535)
        for one in self.networks():
            try:
                ipaddress.ip_network(one, strict=False)
            except ValueError as error:
                raise _malformed("ais.senders", one, "address or network") from error
        _within("ais.feeds", len(self.called()), 0, 32)

    def networks(self) -> tuple[str, ...]:
        """The senders one by one."""
        return _listed(self.senders)

    def called(self) -> tuple[tuple[str, int], ...]:
        """The feeds one by one: (host, port)."""
        return tuple(_host_port("ais.feeds", one) for one in _listed(self.feeds))


@dataclass(frozen=True, kw_only=True, slots=True)
class MqttSettings:
    """[mqtt] Positions from a broker: GeoJSON under `topic/NAME`, as over HTTP (docs/standards/positions.md).

    url         mqtt(s)://[USER:PASSWORD@]HOST[:PORT]; empty: none
    topic       what stands before the name of a device
    trust       `token`: each message carries the token of its device; `topic`: the broker lets each device write under
                its own name alone, and the platform believes it
    client_id   our own name there; two platforms with one name throw each other out
    version     of MQTT, `v5` or `v3.1.1`
    ca          PEM file with who signed the broker's certificate; empty: those that this machine trusts
    """

    url: str = ""
    topic: str = "safecity/positions"
    trust: str = "token"
    client_id: str = "safecity"
    version: str = "v5"
    ca: str = ""

    def __post_init__(self) -> None:
        self.broker()
        if not is_topic(self.topic):
            raise _malformed("mqtt.topic", self.topic, "LEVEL/LEVEL")
        _one_of("mqtt.trust", self.trust, ("token", "topic"))
        _one_of("mqtt.version", self.version, ("v5", "v3.1.1"))
        # Names of up to 23 letters and digits every broker takes (MQTT 3.1.3-5); most take more.
        if not (0 < len(self.client_id) <= 64 and self.client_id.isascii() and self.client_id.isprintable()):
            raise _malformed("mqtt.client_id", self.client_id, "NAME")

    def broker(self) -> BrokerUrl | None:
        """Where it is; None: there is none."""
        try:
            return read_broker_url(self.url) if self.url else None
        except InvalidError as error:
            # Never what was given: it may hold a password.
            raise _malformed("mqtt.url", "...", FORM) from error


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaSettings:
    """[media] The media plane.

    port              where viewers get pictures (WebSocket), 0 takes a free one
    slots             processes; 0: one on two cores, else half the cores
    rtp_first_port    first of the RTP ports, UDP and TCP; 0 takes free ones
    rtp_ports         ports of each slot
    port_per_camera   for devices that ignore the SSRC asked for: each stream gets a port of its own
    rcvbuf_bytes      socket buffer of each RTP port
    stream_loss_seconds   a stream without a packet for so long is lost
    idle_close_seconds    a stream nobody needs is closed after so long
    loopback_cameras      RTSP addresses may lead to this machine itself; the demo city may always
    """

    port: int = 8081
    slots: int = 0
    rtp_first_port: int = 10000
    rtp_ports: int = 16
    port_per_camera: bool = False
    rcvbuf_bytes: int = 4 * 1024 * 1024
    stream_loss_seconds: int = 15
    idle_close_seconds: int = 15
    loopback_cameras: bool = False

    def __post_init__(self) -> None:
        _within("media.port", self.port, 0, 65535)
        _within("media.slots", self.slots, 0, 64)
        _within("media.rtp_first_port", self.rtp_first_port, 0, 65000)
        _within("media.rtp_ports", self.rtp_ports, 1, 1000)
        _within("media.rcvbuf_bytes", self.rcvbuf_bytes, 65536, 256 * 1024 * 1024)
        _within("media.stream_loss_seconds", self.stream_loss_seconds, 3, 300)
        _within("media.idle_close_seconds", self.idle_close_seconds, 1, 3600)

    def slot_count(self) -> int:
        """The number of slots to start."""
        return self.slots or max(1, (os.cpu_count() or 2) // 2)


@dataclass(frozen=True, kw_only=True, slots=True)
class VolumeSettings:
    """[[record.volumes]] A place for recordings.

    path           folder; relative to the data folder
    max_gib        how much of it may be used, 0: all but a reserve of 5 %
    layout         `channel`, `shared` or `auto` (docs/design/0003-recording-store.md)
    extent_mib     size of one extent
    """

    name: str
    path: str
    max_gib: float = 0.0
    layout: str = "auto"
    extent_mib: int = 64

    def __post_init__(self) -> None:
        _within("record.volumes.max_gib", self.max_gib, 0, 1_000_000)
        _one_of("record.volumes.layout", self.layout, ("auto", "channel", "shared"))
        _within("record.volumes.extent_mib", self.extent_mib, 4, 1024)


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordSettings:
    """[record] How video is kept, where a channel does not say otherwise.

    retention_days, floor_days   days to keep, and days that no other channel may take away
    pre_roll_seconds, post_roll_seconds   around what is recorded on demand
    ram_mib         window per shelf for a disk that is late
    alarm_picture_days   pictures of alarms are kept for so long, also when the footage is gone; 0: none are kept
    """

    retention_days: int = 30
    floor_days: int = 1
    pre_roll_seconds: int = 10
    post_roll_seconds: int = 30
    ram_mib: int = 256
    alarm_picture_days: int = 90
    volumes: tuple[VolumeSettings, ...] = (VolumeSettings(name="main", path="volumes/main"),)

    def __post_init__(self) -> None:
        _within("record.retention_days", self.retention_days, 0, 3650)
        _within("record.floor_days", self.floor_days, 0, 3650)
        _within("record.pre_roll_seconds", self.pre_roll_seconds, 0, 60)
        _within("record.post_roll_seconds", self.post_roll_seconds, 0, 3600)
        _within("record.ram_mib", self.ram_mib, 8, 4096)
        _within("record.alarm_picture_days", self.alarm_picture_days, 0, 3650)
        _within("record.volumes", len(self.volumes), 1, 64)


@dataclass(frozen=True, kw_only=True, slots=True)
class VisionSettings:
    """[vision] Analysis of what cameras show (extra `safecity[vision]`).

    slots   processes that look at pictures; 0: none
    cores   of the processor that they may use together, children included; 0: half of them
    countries   whose plates are expected, of `cn`, `eu`, `us`, `br`, with commas between; fewer are read better
    detector    folder with a detector of one's own (`detector.onnx`, `detector.json`), for the kind of vehicles
    """

    slots: int = 1
    cores: float = 0.0
    countries: str = "cn"
    detector: str = ""

    def __post_init__(self) -> None:
        _within("vision.slots", self.slots, 0, 16)
        _within("vision.cores", self.cores, 0, 256)
        for country in self.country_set() or ("",):
            _one_of("vision.countries", country, ("cn", "eu", "us", "br"))

    def country_set(self) -> frozenset[str]:
        """The countries one by one."""
        return frozenset(part.strip() for part in self.countries.split(",") if part.strip())

    def core_share(self) -> float:
        """Of one slot."""
        return (self.cores or (os.cpu_count() or 2) / 2) / max(self.slots, 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchSettings:
    """[watches] Standing orders to alarm when a vehicle appears.

    sign_minutes   somebody has so long to sign for a hit before it goes on to others
    report_hours   and so long to report what came of it
    longest_days   a watch lasts no longer
    keep_days      an ended watch is kept with its hits for so long
    """

    sign_minutes: int = 5
    report_hours: int = 24
    longest_days: int = 180
    keep_days: int = 180

    def __post_init__(self) -> None:
        _within("watches.sign_minutes", self.sign_minutes, 1, 24 * 60)
        _within("watches.report_hours", self.report_hours, 1, 24 * 30)
        _within("watches.longest_days", self.longest_days, 1, 3650)
        _within("watches.keep_days", self.keep_days, 1, 3650)


@dataclass(frozen=True, kw_only=True, slots=True)
class ViolationSettings:
    """[violations] Candidates of traffic offences, and how long they are kept with their pictures.

    open_days        what nobody decided on
    void_days        what was void
    confirmed_days   what two people confirmed
    hold_minutes     one who judges has a candidate to themselves for so long
    code_red_light, code_solid_line, code_wrong_way, code_illegal_stop, code_lane_disobeyed, code_section_speed,
    code_spot_speed  code of the offence (GA/T 16.31) of candidates of that kind that come without one; empty: the first
                     review enters it. The defaults are those in use; compare them with the list in force.
    """

    open_days: int = 90
    void_days: int = 30
    confirmed_days: int = 730
    hold_minutes: int = 10
    code_red_light: str = "1625"
    code_solid_line: str = "1345"
    code_wrong_way: str = "1301"
    code_illegal_stop: str = "1039"
    code_lane_disobeyed: str = "1208"
    code_section_speed: str = ""
    code_spot_speed: str = ""

    def __post_init__(self) -> None:
        _within("violations.open_days", self.open_days, 1, 3650)
        _within("violations.void_days", self.void_days, 1, 3650)
        _within("violations.confirmed_days", self.confirmed_days, 1, 3650)
        _within("violations.hold_minutes", self.hold_minutes, 1, 120)
        for name in (each for each in self.__dataclass_fields__ if each.startswith("code_")):
            code = getattr(self, name)
            if _OFFENCE.fullmatch(code) is None:
                where = f"violations.{name}"
                raise InvalidError(f"{where}: {code!r} is no code", code="setting_invalid", params={"setting": where})


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseSettings:
    """[cases] Investigations. While one is open, what it refers to is kept whatever retention says.

    closed_days   a closed case is kept for so long, with the pictures it copied
    """

    closed_days: int = 730

    def __post_init__(self) -> None:
        _within("cases.closed_days", self.closed_days, 1, 3650)


@dataclass(frozen=True, kw_only=True, slots=True)
class CountSettings:
    """[counts] How long counts of vehicles are kept.

    minute_days  by the minute, or as their source told them; later than a day less than this nothing is taken
    days         by five minutes
    """

    minute_days: int = 7
    days: int = 400

    def __post_init__(self) -> None:
        _within("counts.minute_days", self.minute_days, 2, 92)
        _within("counts.days", self.days, 2, 3650)


@dataclass(frozen=True, kw_only=True, slots=True)
class RoadsSettings:
    """[roads] The road network, and what is computed on it (extra `safecity[roads]`).

    enabled        a process of its own matches vehicles to roads and finds routes; without a network it only waits
    folder         networks by version, as `safecity roads import` writes them; relative to the data folder
    bucket_minutes how long the speeds of a road are summed before they stand by themselves
    """

    enabled: bool = True
    folder: str = "roads"
    bucket_minutes: int = 1

    def __post_init__(self) -> None:
        _within("roads.bucket_minutes", self.bucket_minutes, 1, 5)


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineSettings:
    """[engines] What stores the platform's own data, by URL; relative paths lie in the data folder.

    database   what is shared and asked by many: `sqlite:FILE`, or `postgresql+psycopg://USER@HOST/NAME` (extra
               `safecity[postgres]`; the password is better kept in `~/.pgpass` than here)
    bus        events on their way: `sqlite:FILE`
    history    events by day: `file:FOLDER`
    blobs      pictures of alarms and results of exports: `file:FOLDER`
    """

    database: str = "sqlite:control/control.db"
    bus: str = "sqlite:control/bus.db"
    history: str = "file:control/history"
    blobs: str = "file:control/blobs"


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoSettings:
    """[demo] The simulated city.

    enabled   start it together with the platform (removed by one click in the browser)
    """

    enabled: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """At the top of the file, before any section.

    data        the folder everything lives in; on the command line, since the file lies in it
    log_level   `debug`, `info`, `warning` or `error`
    """

    SECTIONS: ClassVar[tuple[str, ...]] = (
        "http",
        "sip",
        "jt808",
        "ais",
        "mqtt",
        "media",
        "record",
        "vision",
        "watches",
        "violations",
        "cases",
        "counts",
        "roads",
        "engines",
        "demo",
    )

    data: str = "data"
    log_level: str = "info"
    http: HttpSettings = field(default_factory=HttpSettings)
    sip: SipSettings = field(default_factory=SipSettings)
    jt808: Jt808Settings = field(default_factory=Jt808Settings)
    ais: AisSettings = field(default_factory=AisSettings)
    mqtt: MqttSettings = field(default_factory=MqttSettings)
    media: MediaSettings = field(default_factory=MediaSettings)
    record: RecordSettings = field(default_factory=RecordSettings)
    vision: VisionSettings = field(default_factory=VisionSettings)
    watches: WatchSettings = field(default_factory=WatchSettings)
    violations: ViolationSettings = field(default_factory=ViolationSettings)
    cases: CaseSettings = field(default_factory=CaseSettings)
    counts: CountSettings = field(default_factory=CountSettings)
    roads: RoadsSettings = field(default_factory=RoadsSettings)
    engines: EngineSettings = field(default_factory=EngineSettings)
    demo: DemoSettings = field(default_factory=DemoSettings)

    def __post_init__(self) -> None:
        _one_of("log_level", self.log_level, ("debug", "info", "warning", "error"))

    @property
    def data_dir(self) -> Path:
        return Path(self.data)

    def loopback_cameras(self) -> bool:
        """Whether cameras may live on this machine: those of the demo city do."""
        return self.media.loopback_cameras or self.demo.enabled

    def roads_dir(self) -> Path:
        """Where road networks lie."""
        return (self.data_dir / self.roads.folder).absolute()

    def volume_path(self, volume: VolumeSettings) -> Path:
        """Where a volume really is."""
        return (self.data_dir / volume.path).absolute()

    def to_json(self) -> str:
        """For the environment of a child process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """What `to_json` wrote."""
        return _build(cls, json.loads(text), "")


def _build(kind: type[_T], raw: object, where: str) -> _T:
    if not isinstance(raw, Mapping):
        raise InvalidError(f"{where or 'settings'}: a table is expected", code="setting_wrong_type")
    raw = cast("Mapping[str, object]", raw)
    known = {entry.name: entry for entry in fields(cast("Any", kind))}
    values: dict[str, Any] = {}
    for name, value in raw.items():
        entry = known.get(name)
        if entry is None:
            raise InvalidError(
                f"{where}{name}: there is no such setting", code="setting_unknown", params={"setting": where + name}
            )
        values[name] = _value(entry.type, value, f"{where}{name}")
    return kind(**values)


_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        HttpSettings,
        SipSettings,
        Jt808Settings,
        AisSettings,
        MqttSettings,
        MediaSettings,
        RecordSettings,
        VisionSettings,
        WatchSettings,
        ViolationSettings,
        CaseSettings,
        CountSettings,
        RoadsSettings,
        EngineSettings,
        DemoSettings,
    )
}


def _value(type_name: object, value: object, where: str) -> object:
    name = str(type_name)
    if name in _KINDS:
        return _build(_KINDS[name], value, f"{where}.")
    if name.startswith("tuple[VolumeSettings"):
        if not isinstance(value, list | tuple):
            raise InvalidError(f"{where}: a list is expected", code="setting_wrong_type", params={"setting": where})
        return tuple(_build(VolumeSettings, item, f"{where}.") for item in cast("list[object]", value))
    wanted = {"str": str, "int": int, "float": (int, float), "bool": bool}[name]
    if not isinstance(value, wanted) or (isinstance(value, bool) and name != "bool"):
        raise InvalidError(
            f"{where}: {value!r} is not of type {name}",
            code="setting_wrong_type",
            params={"setting": where, "type": name},
        )
    return value


def load_settings(
    path: Path | None = None, *, environ: Mapping[str, str], overrides: Mapping[str, object] | None = None
) -> Settings:
    """TOML file, then `SAFECITY_SECTION__NAME=value` of the environment, then the command line (`section.name`).

    InvalidError names the setting that is wrong.
    """
    raw: dict[str, Any] = {}
    if path is not None and path.exists():
        try:
            raw = tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidError(f"{path}: {error}", code="settings_unreadable") from error
    for name, text in environ.items():
        parts = name.lower().removeprefix("safecity_").split("__")
        if name.startswith("SAFECITY_") and len(parts) == 2 and parts[0] in Settings.SECTIONS:
            _put(raw, parts, _guess(text))
    for name, value in (overrides or {}).items():
        if value is not None:
            _put(raw, name.split("."), value)
    return _build(Settings, raw, "")


def _put(raw: dict[str, Any], parts: list[str], value: object) -> None:
    for part in parts[:-1]:
        raw = raw.setdefault(part, {})
    raw[parts[-1]] = value


def _guess(text: str) -> object:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float) else text


def describe() -> list[tuple[str, str, str, str]]:
    """(setting, type, default, section's text) for the reference page."""
    top = Settings()
    rows = [(name, "str", repr(getattr(top, name)), top.__doc__ or "") for name in ("data", "log_level")]
    for section in Settings.SECTIONS:
        value = getattr(Settings(), section)
        if is_dataclass(value):
            for entry in fields(value):
                rows.append(
                    (f"{section}.{entry.name}", str(entry.type), repr(getattr(value, entry.name)), value.__doc__ or "")
                )
    return rows
