"""One node: its processes, its files, its ports."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.whole import Platform, until

pytestmark = pytest.mark.journey


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


def test_every_sql_file_has_one_writing_process(platform_factory: Callable[..., Platform]) -> None:
    platform = platform_factory("--slots", "2")
    seen = until(lambda: (found := writers(platform)) and len(found) >= 4 and found, "the duties opened their files")
    assert {path: names for path, names in seen.items() if len(names) > 1} == {}


@pytest.mark.parametrize("duty", ["control", "signal", "media-0"])
def test_a_killed_duty_is_started_again_in_place(platform_factory: Callable[..., Platform], duty: str) -> None:
    platform = platform_factory()
    before = {name: entry["pid"] for name, entry in platform.state()["duties"].items()}
    platform.kill(duty)
    until(lambda: platform.state()["duties"][duty]["pid"] not in (0, before[duty]), f"{duty} has a new process")
    platform.wait_ready()
    after = {name: entry["pid"] for name, entry in platform.state()["duties"].items()}
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


def test_two_platforms_never_share_a_folder(platform_factory: Callable[..., Platform], tmp_path: Path) -> None:
    platform_factory(data=tmp_path / "one")
    command = [sys.executable, "-m", "safecity", "run", "--data", str(tmp_path / "one"), "--http-port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "already runs" in done.stderr


def test_no_port_answers_with_more_than_it_must_without_a_session(platform_factory: Callable[..., Platform]) -> None:
    platform = platform_factory()
    for path in ("/channels", "/devices", "/users", "/audit", "/health", "/settings"):
        assert platform.api.get(path).status_code == 401, path
