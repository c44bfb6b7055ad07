"""One node: its processes, its files, its ports."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from benchmarks.whole import Platform, until

from safecity.sim.yard import Yard

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One for all tests that leave it as they found it."""
    platform = Platform(tmp_path_factory.mktemp("node"), "--slots", "2")
    try:
        yield platform.start()
    finally:
        platform.stop()


def writers(platform: Platform) -> dict[str, set[str]]:
    """Which duty has which SQL file open for writing, seen from outside."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, duty in platform.state()["duties"].items():
        folder = Path(f"/proc/{duty['pid']}/fd")
        for entry in folder.iterdir():
            try:
                target = os.readlink(entry)
                flags = int(
                    (Path(f"/proc/{duty['pid']}/fdinfo") / entry.name).read_text().split("flags:")[1].split()[0], 8
                )
            except OSError:
                continue
            if target.endswith(".db") and flags & os.O_ACCMODE != os.O_RDONLY:
                found[target].add(name)
    return found


def test_every_sql_file_has_one_writing_process(node: Platform) -> None:
    seen = until(lambda: (found := writers(node)) and len(found) >= 4 and found, "the duties opened their files")
    assert {path: names for path, names in seen.items() if len(names) > 1} == {}


@pytest.mark.parametrize("duty", ["control", "signal", "media-0"])
def test_a_killed_duty_is_started_again_in_place(node: Platform, duty: str) -> None:
    before = {name: entry["pid"] for name, entry in node.state()["duties"].items()}
    node.kill(duty)
    until(lambda: node.state()["duties"][duty]["pid"] not in (0, before[duty]), f"{duty} has a new process")
    node.wait_ready()
    after = {name: entry["pid"] for name, entry in node.state()["duties"].items()}
    assert {name for name in before if before[name] != after[name]} == {duty}, "nobody else was disturbed"


def test_a_second_start_keeps_the_administrator_and_prints_no_new_link(
    platform_factory: Callable[..., Platform], tmp_path: Path
) -> None:
    first = platform_factory(data=tmp_path / "kept").setup()
    first.stop()
    second = platform_factory(data=tmp_path / "kept")
    assert second.api.get("/setup").json()["needed"] is False
    second.sign_in()
    assert second.get("/session")["user"]["username"] == "admin"


def test_a_taken_port_is_named_with_the_setting_that_moves_it(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "safecity", "run", "--data", str(tmp_path / "data"), "--http-port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert port in done.stderr
    assert "http.port" in done.stderr


def test_two_platforms_never_share_a_folder(node: Platform) -> None:
    command = [sys.executable, "-m", "safecity", "run", "--data", str(node.data), "--http-port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "already runs" in done.stderr


def test_no_port_answers_with_more_than_it_must_without_a_session(node: Platform) -> None:
    for path in ("/channels", "/devices", "/users", "/audit", "/health", "/settings"):
        assert node.api.get(path).status_code == 401, path


def test_a_backup_of_a_running_platform_starts_elsewhere_with_its_users_and_devices(
    platform_factory: Callable[..., Platform], tmp_path: Path
) -> None:
    first = platform_factory(data=tmp_path / "one").setup()
    first.post("/devices", {"kind": "gb28181", "name": "gate", "code": "34020000001320000001", "password": "pass-1"})
    for command in (["backup", "b.tar.gz", "--data", "one"], ["restore", "b.tar.gz", "--data", "two"]):
        done = subprocess.run(
            [sys.executable, "-m", "safecity", *command], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    first.stop()
    second = platform_factory(data=tmp_path / "two").sign_in()
    assert [device["name"] for device in second.get("/devices")["items"]] == ["gate"]
    assert second.get("/audit")["items"], "the log came along"


def test_everything_works_on_the_standard_event_loop_too(
    platform_factory: Callable[..., Platform], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAFECITY_LOOP", "asyncio")
    platform = platform_factory().setup()
    code, password = "34020000001320000002", "pass-2"
    platform.post("/devices", {"kind": "gb28181", "name": "gate", "code": code, "password": password})
    with Yard() as yard:
        yard.camera(code=code, password=password, port=platform.state()["ports"]["sip-udp"])
        until(lambda: [one for one in platform.channels() if one["state"] == "running"], "the camera runs")
        for duty in ("control", "signal", "media-0"):
            assert "uvloop" not in Path(f"/proc/{platform.pid(duty)}/maps").read_text(), duty
