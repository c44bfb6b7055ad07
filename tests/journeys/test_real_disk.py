"""The recorder on real file systems: filled by others, pulled away, exchanged, put back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.journey
UNSHARE = ["unshare", "--mount", "--map-root-user", "--propagation", "private"]


def may_mount() -> bool:
    """Mounts of one's own need rights that not every container gives."""
    if shutil.which("unshare") is None:
        return False
    program = [*UNSHARE, "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(program, capture_output=True, check=False).returncode == 0


def play(scene: str, folder: Path) -> dict[str, Any]:
    if not may_mount():
        pytest.skip("nothing may be mounted here")
    program = [*UNSHARE, sys.executable, str(Path(__file__).with_name("disk_scenes.py")), scene, str(folder)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_disk_that_others_fill_is_called_full_and_recording_goes_on_when_they_clean_up(tmp_path: Path) -> None:
    found = play("full", tmp_path)
    assert set(found["codes"][:-1]) <= {"", "volume_full"}
    assert "volume_full" in found["codes"]
    assert found["codes"][-1] == ""
    assert found["states"] == ["ready"]
    assert set(found["gaps"]) <= {"disk", "deleted"}
    assert found["last"] > 78 * 25
    assert found["good"]


def test_a_disk_that_is_pulled_away_is_offline_another_one_is_foreign_and_its_own_is_welcome(tmp_path: Path) -> None:
    found = play("away", tmp_path)
    assert found["codes"] == ["volume_offline", "volume_foreign", ""]
    assert found["below"] == [], "nothing is written below the mount point"
    assert found["foreign"] == ["safecity-volume.json"], "nothing is written to another's disk"
    assert found["gaps"] == ["disk"]
    assert found["last"] > 47 * 25
    assert found["good"]
