"""What an administrator may set: one TOML file, read once at start and passed down.

Standard library only, because the supervisor reads it. The sections lie in `server/sections`, each field with a unit,
a default and a range; the reference page is made from both (docs/reference/settings.md).
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from safecity.kit.errors import InvalidError
from safecity.server.sections.checks import one_of
from safecity.server.sections.doors import (
    AisSettings,
    HttpSettings,
    Jt808Settings,
    MqttSettings,
    SipSettings,
    ViidSettings,
)
from safecity.server.sections.footage import MediaSettings, RecordSettings, VolumeSettings
from safecity.server.sections.machine import DemoSettings, EngineSettings
from safecity.server.sections.work import (
    CaseSettings,
    CountSettings,
    RoadsSettings,
    ViolationSettings,
    VisionSettings,
    WatchSettings,
)

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """At the top of the file, before any section.

    data        the folder everything lives in; on the command line, since the file lies in it
    log_level   `debug`, `info`, `warning` or `error`
    """

    data: str = "data"
    log_level: str = "info"
    http: HttpSettings = field(default_factory=HttpSettings)
    sip: SipSettings = field(default_factory=SipSettings)
    jt808: Jt808Settings = field(default_factory=Jt808Settings)
    ais: AisSettings = field(default_factory=AisSettings)
    mqtt: MqttSettings = field(default_factory=MqttSettings)
    viid: ViidSettings = field(default_factory=ViidSettings)
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
        one_of("log_level", self.log_level, ("debug", "info", "warning", "error"))

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
        values[name] = _value(entry, value, f"{where}{name}")
    return kind(**values)


SECTIONS: Final = tuple(entry.name for entry in fields(Settings) if entry.default_factory is not MISSING)


def _value(entry: Field[Any], value: object, where: str) -> object:
    name = str(entry.type)
    if entry.default_factory is not MISSING:
        return _build(cast("type[Any]", entry.default_factory), value, f"{where}.")
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
        if name.startswith("SAFECITY_") and len(parts) == 2 and parts[0] in SECTIONS:
            _put(raw, parts, _guess(text, _type_of(*parts)))
    for name, value in (overrides or {}).items():
        if value is not None:
            _put(raw, name.split("."), value)
    return _build(Settings, raw, "")


def _put(raw: dict[str, Any], parts: list[str], value: object) -> None:
    for part in parts[:-1]:
        raw = raw.setdefault(part, {})
    raw[parts[-1]] = value


def _type_of(section: str, name: str) -> str:
    """Of a setting, empty where there is none."""
    known = getattr(Settings(), section)
    return next((str(entry.type) for entry in fields(known) if entry.name == name), "") if is_dataclass(known) else ""


def _guess(text: str, wanted: str) -> object:
    """What stands in the environment; where a text is wanted digits are one, too (a phone number, a password)."""
    if wanted == "str":
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float) else text


def describe() -> list[tuple[str, str, str, str]]:
    """(setting, type, default, section's text) for the reference page."""
    top = Settings()
    rows = [(name, "str", repr(getattr(top, name)), top.__doc__ or "") for name in ("data", "log_level")]
    for section in SECTIONS:
        value = getattr(Settings(), section)
        if is_dataclass(value):
            for entry in fields(value):
                rows.append(
                    (f"{section}.{entry.name}", str(entry.type), repr(getattr(value, entry.name)), value.__doc__ or "")
                )
    return rows
