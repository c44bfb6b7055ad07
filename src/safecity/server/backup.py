"""Backups of everything but the footage, taken while the platform runs, and putting one back.

The archive is a gzipped tar of copies (databases by SQLite's online API) and a `backup.json` with the digest of each.
It holds the keys too: without them the devices' passwords in it could not be opened. Keep it as safe as the machine.
The footage stays on its volumes; its index can be rebuilt from the media alone (`safecity recover`).
"""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Final

import safecity
from safecity.kit.errors import ConflictError, InvalidError

CopySql = Callable[[Path, Path], None]
MANIFEST: Final = "backup.json"
MAX_MANIFEST: Final = 16 << 20
_PARTS: Final = ("safecity.toml", "secrets", "traffic", "control", "signal", "media", "roads")
"""In the order in which they are copied: what stands on the bus goes before it, so that it is never ahead of it."""
_LEFT_OUT: Final = (".lock", "-wal", "-shm", ".sock", ".tmp", ".part")


def kept(data: Path) -> Iterator[Path]:
    """The files that a backup holds, relative to the data folder."""
    for part in _PARTS:
        place = data / part
        found = [place] if place.is_file() else sorted(place.rglob("*")) if place.is_dir() else []
        for path in found:
            if path.is_file() and not path.is_symlink() and not path.name.endswith(_LEFT_OUT):
                yield path.relative_to(data)


def back_up(data: Path, target: Path, copy_sql: CopySql) -> dict[str, Any]:
    """Write the archive; it appears under its name only when it is whole. The manifest."""
    if target.exists():
        raise ConflictError(f"{target} exists", code="backup_exists")
    if not (data / "control").is_dir():
        raise InvalidError(f"{data} is no data folder", code="backup_no_data")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
        root = Path(folder)
        files: dict[str, str] = {}
        for relative in kept(data):
            copy = root / relative
            copy.parent.mkdir(parents=True, exist_ok=True)
            try:
                if relative.suffix == ".db":
                    copy_sql(data / relative, copy)
                else:
                    shutil.copyfile(data / relative, copy)
            except FileNotFoundError:
                continue  # retention took it meanwhile
            files[relative.as_posix()] = _digest(copy)
        manifest: dict[str, Any] = {"format": 1, "safecity": safecity.__version__, "files": files}
        (root / MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
        partial = root / "archive"
        with open(partial, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as raw:
            with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=3) as tar:
                for name in (MANIFEST, *files):
                    tar.add(root / name, name, recursive=False, filter=_plain)
            raw.flush()
            os.fsync(raw.fileno())
        os.link(partial, target)  # unlike a rename, never over a file that came meanwhile
    descriptor = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return manifest


def put_back(archive: Path, data: Path) -> dict[str, Any]:
    """Unpack into a folder that is empty or not there; nothing is left of an archive that is not sound."""
    if data.exists() and any(data.iterdir()):
        raise ConflictError(f"{data} is not empty", code="restore_not_empty")
    data.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data.parent, prefix=".restore-") as folder:
        root = Path(folder) / "data"
        root.mkdir(mode=0o700)
        try:
            manifest = _unpack(archive, root)
        except (tarfile.TarError, OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidError(f"{archive.name}: {error}", code="backup_damaged") from error
        if data.exists():
            data.rmdir()
        root.rename(data)
    return manifest


def _unpack(archive: Path, root: Path) -> dict[str, Any]:
    with tarfile.open(archive, "r:gz") as tar:
        head = tar.next()
        if head is None or head.name != MANIFEST or not head.isreg() or head.size > MAX_MANIFEST:
            raise InvalidError("no manifest at its beginning", code="backup_damaged")
        source = tar.extractfile(head)
        assert source is not None
        manifest = json.loads(source.read())
        if manifest["format"] != 1:
            raise InvalidError("written by a newer version", code="backup_version")
        wanted: dict[str, str] = dict(manifest["files"])
        while (member := tar.next()) is not None:
            digest = wanted.pop(member.name)
            path = PurePosixPath(member.name)
            if not member.isreg() or path.is_absolute() or ".." in path.parts or path.parts[0] not in _PARTS:
                raise InvalidError(f"does not belong into a backup: {member.name[:200]!r}", code="backup_damaged")
            target = root / path
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            content = tar.extractfile(member)
            assert content is not None
            with open(target, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                shutil.copyfileobj(content, file, 1 << 20)
                file.flush()
                os.fsync(file.fileno())
            if _digest(target) != digest:
                raise InvalidError(f"changed since it was written: {member.name[:200]}", code="backup_damaged")
    if wanted:
        raise InvalidError(f"cut off: {len(wanted)} files are missing", code="backup_damaged")
    return manifest


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mode = 0o600
    return info


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        digest = sha256()
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
