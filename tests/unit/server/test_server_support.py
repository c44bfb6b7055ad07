"""The support bundle says what is wrong and gives nothing away."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from safecity.backends.sqlitecopy import look_into
from safecity.backends.sqlitefile import open_file
from safecity.kit.errors import ConflictError
from safecity.server.sections.machine import EngineSettings
from safecity.server.settings import Settings
from safecity.server.support import collect, write_bundle

SECRET = "s3cr3t-of-the-gate"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for part in ("control", "secrets", "logs"):
        (root / part).mkdir(parents=True)
    file = open_file(root / "control" / "control.db")
    file.execute("CREATE TABLE devices (secret TEXT)")
    file.execute("INSERT INTO devices VALUES (?)", [SECRET])
    file.close()
    (root / "control" / "bus.db").write_bytes(b"SQLite format 3\0" + bytes(200))
    (root / "secrets" / "vault.key").write_text(SECRET, "utf-8")
    line = f"rtsp lost url=rtsp://admin:{SECRET}@192.0.2.7/1 password={SECRET}\n"
    (root / "logs" / "safecity.log").write_text(line * 10, "utf-8")
    return root


def test_a_bundle_tells_what_is_sound_and_what_is_not_without_a_secret(data: Path, tmp_path: Path) -> None:
    engines = EngineSettings(database=f"postgresql://safecity:{SECRET}@db/safecity")
    target = tmp_path / "support.tar.gz"
    write_bundle(target, collect(data, Settings(data=str(data), engines=engines), look_into))
    with tarfile.open(target) as tar:
        files = {one.name.split("/", 1)[1]: tar.extractfile(one).read() for one in tar}  # type: ignore[union-attr]
    databases = json.loads(files["databases.json"])
    assert databases["control/control.db"]["check"] == "ok"
    assert databases["control/control.db"]["rows"] == {"devices": 1}
    assert databases["control/bus.db"]["check"] != "ok"
    assert json.loads(files["machine.json"])["disks"]["data"]["free"] > 0
    assert b"rtsp lost" in files["logs/safecity.log"]
    assert json.loads(files["settings.json"])["engines"]["database"] == "postgresql://***@db/safecity"
    assert not [name for name, content in files.items() if SECRET.encode() in content]
    assert target.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConflictError):
        write_bundle(target, {})
