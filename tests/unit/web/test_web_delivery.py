"""How the browser application reaches people: its lock file, and machines that have no Node."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tools import build_ui

from safecity.web.pages import ui_folder

UI = Path(__file__).resolve().parents[3] / "ui"
LOCK = (UI / "package-lock.json").read_text("utf-8")
MACHINES = ("linux-x64-gnu", "linux-arm64-gnu")


def packages() -> dict[str, dict[str, Any]]:
    return {name: one for name, one in json.loads(LOCK)["packages"].items() if name}


def test_the_lock_names_no_place_and_knows_every_package_by_its_digest() -> None:
    assert set(re.findall(r"https?://([^/\"]+)", LOCK)) <= {
        host
        for one in packages().values()
        for host in re.findall(r"https?://([^/\"]+)", json.dumps(one.get("funding")))
    } | {"registry.npmjs.org"}
    assert [name for name, one in packages().items() if not one.get("integrity", "").startswith("sha512-")] == []
    assert [name for name, one in packages().items() if "resolved" in one] == []


@pytest.mark.parametrize("machine", MACHINES)
def test_the_lock_serves_either_kind_of_machine(machine: str) -> None:
    """A lock made on one machine easily lacks the native packages of the other."""
    known = packages()
    natives = [
        name
        for one in known.values()
        for name in one.get("optionalDependencies", {})
        if re.search(r"linux-(x64|arm64)(-gnu)?$", name)
    ]
    assert natives
    for name in natives:
        if machine.removesuffix("-gnu") in name:
            assert any(found.endswith(f"node_modules/{name}") for found in known), name
            other = name.replace("x64", "#").replace("arm64", "x64").replace("#", "arm64")
            assert other in natives, f"{name} has no sister"


def test_no_package_is_held_to_one_version() -> None:
    assert "overrides" not in json.loads((UI / "package.json").read_text("utf-8"))


@pytest.fixture
def no_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A checkout on a machine without Node, and without the wheel that has one."""
    (tmp_path / "package-lock.json").write_text("{}")
    monkeypatch.setattr(build_ui, "UI", tmp_path)
    monkeypatch.setattr(build_ui, "STAMP", tmp_path / "dist" / ".sources")
    monkeypatch.setattr(build_ui, "node_bin", lambda: None)
    monkeypatch.delenv("CI", raising=False)
    return tmp_path


def test_without_node_the_setup_goes_on_and_says_so(
    no_node: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["build_ui.py"])
    assert build_ui.main() == 0
    assert "The platform starts without it" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--check"], ["--test"], ["--client"]])
def test_without_node_no_check_passes_unseen(
    no_node: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["build_ui.py", *arguments])
    assert build_ui.main() == 1


def test_in_ci_a_missing_application_is_a_failure(no_node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr("sys.argv", ["build_ui.py"])
    assert build_ui.main() == 1


async def test_without_the_application_the_page_says_how_to_get_it_and_the_api_is_whole(house: Any, admin: Any) -> None:
    object.__setattr__(house.services.web, "ui_dist", house.services.web.data_dir / "nowhere")
    assert ui_folder(house.services.web) is None
    page = await house.client().inner.get("/live")
    assert page.status_code == 200
    assert page.headers["content-security-policy"] == "default-src 'none'"
    makefile = (UI.parent / "Makefile").read_text("utf-8")
    told = re.findall(r"<code>make (\w+)</code>", page.text)
    assert len(told) == 2, "in both languages"
    assert all(f"\n{target}:" in makefile for target in told), "what it says exists"
    assert page.text.count("SAFECITY_UI_DIST") == 2
    assert (await admin.ok("GET", "openapi.json"))["paths"]
    assert await admin.ok("GET", "channels") == {"items": [], "next": None}


async def test_packed_files_are_served_as_the_browser_can_read_them(house: Any) -> None:
    dist = house.services.web.data_dir / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<title>x</title>")
    for suffix, text in (("", b"plain"), (".gz", b"gzip"), (".br", b"brotli")):
        (dist / "assets" / f"a-1.js{suffix}").write_bytes(text)
    object.__setattr__(house.services.web, "ui_dist", dist)
    for accept, kind, wanted in (
        ("gzip, deflate, br", "br", b"brotli"),
        ("gzip;q=0.5", "gzip", b"gzip"),
        ("br;q=0, gzip", "gzip", b"gzip"),
        ("identity", None, b"plain"),
    ):
        async with house.client().inner.stream("GET", "/assets/a-1.js", headers={"accept-encoding": accept}) as answer:
            raw = b"".join([part async for part in answer.aiter_raw()])
        assert (raw, answer.headers.get("content-encoding")) == (wanted, kind), accept
        assert answer.headers["vary"] == "Accept-Encoding"
