"""What somebody who is asked for help needs to see, without a secret, a picture or a person's name in it.

One gzipped tar: versions, settings, state of the processes, soundness of the databases, disks, the end of the logs.
"""

from __future__ import annotations

import io
import json
import os
import platform
import shutil
import sys
import tarfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final

import safecity
from safecity.kit.errors import ConflictError
from safecity.kit.logs import redact
from safecity.server.settings import Settings

LOG_BYTES: Final = 4 << 20
"""Of each log file, its end."""
_LIMITS: Final = ("net.core.rmem_max", "net.core.rmem_default", "net.core.wmem_max", "vm.dirty_ratio", "fs.file-max")


def collect(data: Path, settings: Settings, look_into: Callable[[Path], Mapping[str, Any]]) -> dict[str, bytes]:
    """The files of the bundle by name."""
    found = {
        "versions.json": _json(_versions()),
        "machine.json": _json(_machine(data, settings)),
        "settings.json": redact(_json(asdict(settings)).decode()).encode(),  # an engine's URL may hold a password
        "databases.json": _json(
            {
                path.relative_to(data).as_posix(): {"bytes": path.stat().st_size, **look_into(path)}
                for part in ("control", "signal", "media")
                for path in sorted((data / part).rglob("*.db"))
            }
        ),
    }
    run = data / "run"
    where = run / "where"
    state = (Path(where.read_text("utf-8")) if where.exists() else run) / "state.json"
    if state.exists():
        found["state.json"] = state.read_bytes()
    logs = [*sorted((data / "logs").glob("*")), data / "log.txt"]
    for path in (one for one in logs if one.is_file()):
        found[f"logs/{path.name}"] = _end_of(path)
    return found


def write_bundle(target: Path, files: Mapping[str, bytes]) -> None:
    """For the owner's eyes; ConflictError rather than write over something."""
    if target.exists():
        raise ConflictError(f"{target} exists", code="bundle_exists")
    with open(target, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as raw:  # noqa: SIM117
        with tarfile.open(fileobj=raw, mode="w:gz") as tar:
            for name, content in sorted(files.items()):
                info = tarfile.TarInfo(f"safecity-support/{name}")
                info.size, info.mtime, info.mode = len(content), int(time.time()), 0o600
                tar.addfile(info, io.BytesIO(content))


def _versions() -> dict[str, Any]:
    packages = {one.metadata["Name"]: one.version for one in distributions()}
    return {"safecity": safecity.__version__, "python": sys.version, "packages": dict(sorted(packages.items()))}


def _machine(data: Path, settings: Settings) -> dict[str, Any]:
    places = {"data": data, **{f"volume {one.name}": settings.volume_path(one) for one in settings.record.volumes}}
    return {
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "memory": _first_lines(Path("/proc/meminfo"), 3),
        "load": os.getloadavg(),
        "limits": {name: _first_lines(Path("/proc/sys", *name.split(".")), 1) for name in _LIMITS},
        "disks": {name: _disk(path) for name, path in places.items()},
        "mounts": [line for line in _first_lines(Path("/proc/mounts"), 200) if line.startswith("/")],
    }


def _disk(path: Path) -> dict[str, Any]:
    try:
        usage = shutil.disk_usage(path)
    except OSError as error:
        return {"path": str(path), "error": str(error)}
    return {"path": str(path), "total": usage.total, "free": usage.free}


def _first_lines(path: Path, count: int) -> list[str]:
    try:
        return path.read_text("utf-8", "replace").splitlines()[:count]
    except OSError:
        return []


def _end_of(path: Path) -> bytes:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LOG_BYTES))
        return redact(file.read().decode("utf-8", "replace")).encode()


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, default=str, ensure_ascii=False).encode()
