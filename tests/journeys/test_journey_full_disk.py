"""The disk of the data folder is full: cameras are seen and recorded, people are told what is wrong, and it heals."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from benchmarks.whole import Platform, free_port, until

from safecity.sim.yard import Yard

pytestmark = pytest.mark.journey
CODE, PASSWORD = "34020000001320000001", "pass-1"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 96 MiB in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this account may not mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> None:
    """To the last byte."""
    handle = os.open(disk / f"ballast-{time.monotonic_ns()}", os.O_WRONLY | os.O_CREAT, 0o600)
    with contextlib.suppress(OSError):
        while True:
            os.write(handle, b"\0" * 65536)
    os.close(handle)
    assert shutil.disk_usage(disk).free < 65536


def empty(disk: Path) -> None:
    for ballast in disk.glob("ballast-*"):
        ballast.unlink()


def footage(platform: Platform, channel: str) -> int:
    """End of what is recorded, microseconds."""
    timeline = platform.get(f"/channels/{channel}/timeline", start="2020-01-01T00:00:00Z", end="2020-12-30T00:00:00Z")
    assert timeline["pieces"] == []
    now = time.time_ns() // 1000
    span = {"start": str(now - 3_600_000_000), "end": str(now + 3_600_000_000)}
    return max(
        (piece["end_us"] for piece in platform.get(f"/channels/{channel}/timeline", **span)["pieces"]), default=0
    )


def problem(answer: httpx.Response) -> dict[str, Any]:
    return answer.json() if answer.status_code == 503 else {}


def test_a_full_disk_stops_neither_cameras_nor_recording_is_told_in_words_and_heals(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = disk / "data"
    data.mkdir()
    settings = f'[[record.volumes]]\nname = "main"\npath = "{tmp_path / "footage"}"\nextent_mib = 4\nmax_gib = 0.1\n'
    (data / "safecity.toml").write_text(settings)
    (tmp_path / "footage").mkdir()
    port = free_port()
    platform = Platform(data, "--slots", "1", "--http-port", str(port)).start()
    try:
        platform.setup()
        platform.post("/devices", {"kind": "gb28181", "name": "gate", "code": CODE, "password": PASSWORD})
        with Yard() as yard:
            device = yard.camera(code=CODE, password=PASSWORD, port=platform.state()["ports"]["sip-udp"])
            running = lambda: [one for one in platform.channels() if one["state"] == "running"]  # noqa: E731
            (channel,) = until(running, "the camera runs")
            until(lambda: footage(platform, channel["id"]), "it is recorded")

            fill(disk)
            until(lambda: not (data / "reserve").exists(), "the reserve is given up")

            def refused() -> dict[str, Any]:
                fill(disk)  # and again, until the last page of the database's log is used up
                return problem(platform.api.post("/areas", json={"name": "Gate"}, headers={"accept-language": "en"}))

            said = until(refused, "nothing is stored any more")
            assert said["code"] == "disk_full"
            assert "Free some space" in said["detail"]
            before = footage(platform, channel["id"])
            until(lambda: footage(platform, channel["id"]) > before + 3_000_000, "recording goes on")
            yard.run(device.reboot())
            until(running, "the camera is let in again")
            again = footage(platform, channel["id"])
            until(lambda: footage(platform, channel["id"]) > again + 2_000_000, "and recorded again")
            platform.kill("control")
            platform.wait_ready()
            platform.api.headers["X-CSRF-Token"] = platform.csrf
            until(running, "what was read before is read again")

            empty(disk)
            until(lambda: platform.api.post("/areas", json={"name": "Gate"}).status_code == 201, "it is stored again")
            until(lambda: (data / "reserve").exists(), "the reserve is set aside again")
        platform.stop()

        (data / "reserve").unlink()
        fill(disk)
        monkeypatch.setattr(platform, "wait_ready", lambda: None)
        platform.start()
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", headers={"accept-language": "en"})

        def told() -> dict[str, Any]:
            with contextlib.suppress(httpx.TransportError):
                return problem(client.get("/session"))
            return {}

        said = until(lambda: (found := told()) and found["code"] == "disk_full" and found, "people are told")
        assert "Free some space" in said["detail"]
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 200, "the page itself loads"
        empty(disk)
        until(lambda: client.get("/session").status_code == 401, "it heals by itself")
        client.close()
        monkeypatch.undo()
        platform.wait_ready()
        assert [one["name"] for one in platform.sign_in().get("/devices")["items"]] == ["gate"]
    finally:
        platform.stop()
