"""What somebody gets who installs the package: the page, its fonts and both languages, and no Node anywhere."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from benchmarks.whole import Platform
from tests.wheel import DIST, Installed

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(not (DIST / "index.html").exists(), reason="needs a built ui/dist"),
]
STATIC = "safecity/web/static/"


@pytest.fixture(scope="module")
def bought(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform of the installed wheel, with nothing of the checkout near it."""
    data = tmp_path_factory.mktemp("bought")
    platform = Platform(data, python=str(installed.python), environment=installed.environment())
    try:
        yield platform.start()
    finally:
        platform.stop()


def test_the_wheel_holds_the_application_packed_and_named(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as file:
        names = {name.removeprefix(STATIC) for name in file.namelist() if name.startswith(STATIC)}
        manifest = json.loads(file.read(f"{STATIC}manifest.json"))
    assert {"index.html", "icon.svg", "manifest.webmanifest"} <= names
    named = {one["file"] for one in manifest.values()}
    named |= {file for one in manifest.values() for kind in ("css", "assets") for file in one.get(kind, ())}
    assert named <= names
    assert len(named) > 20
    for name in names:
        if name.startswith("assets/") and name.endswith((".js", ".css")) and name + ".br" not in names:
            with zipfile.ZipFile(installed.wheel) as file:
                assert file.getinfo(STATIC + name).file_size < 1024, f"{name} is not packed"
    assert {name + ".gz" for name in names if name + ".br" in names} <= names
    assert all(re.search(r"-[\w-]{8}\.\w+", name) for name in named), "names of assets carry a hash"


def test_the_source_archive_brings_the_application_built(installed: Installed) -> None:
    with tarfile.open(installed.archive) as file:
        names = {Path(*Path(name).parts[1:]).as_posix() for name in file.getnames()}
    assert {"ui/dist/index.html", "ui/package-lock.json", "tools/hatch_build.py", "src/safecity/__init__.py"} <= names
    assert not [name for name in names if "node_modules" in name]


def test_it_runs_from_the_environment_and_from_nowhere_else(installed: Installed) -> None:
    code = "import safecity, shutil; print(safecity.__file__, shutil.which('node'), shutil.which('npm'))"
    done = subprocess.run(
        [installed.python, "-c", code],
        capture_output=True, text=True, env=installed.environment(), cwd=installed.python.parent, check=True,
    )  # fmt: skip
    where, node, npm = done.stdout.split()
    assert Path(where).is_relative_to(installed.python.parents[1])
    assert (node, npm) == ("None", "None")


def loaded(base: str, path: str) -> httpx.Response:
    answer = httpx.get(urljoin(base, path), headers={"accept-encoding": "br;q=0, gzip"})
    assert answer.status_code == 200, path
    return answer


def test_the_page_its_fonts_and_both_languages_load(bought: Platform) -> None:
    page = httpx.get(f"{bought.base}/")
    assert "text/html" in page.headers["content-type"]
    assert "'unsafe" not in page.headers["content-security-policy"]
    files = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
    assert [name for name in files if name.endswith(".js")]
    manifest = loaded(bought.base, "/manifest.json").json()
    scripts = [f"/{one['file']}" for one in manifest.values() if one["file"].endswith(".js")]
    styles = {f"/{name}" for one in manifest.values() for name in one.get("css", ())}
    assert {name for name in files if name.endswith(".js")} <= set(scripts)

    words = "".join(loaded(bought.base, name).text for name in scripts)
    assert "Live" in words
    assert "实时" in words, "the Chinese catalogue"

    fonts: set[str] = set()
    for name in styles:
        answer = loaded(bought.base, name)
        assert answer.headers["content-type"].startswith("text/css")
        fonts |= {urljoin(name, found) for found in re.findall(r"url\(([^)]+?\.woff2)\)", answer.text)}
    assert fonts
    for name in fonts:
        answer = loaded(bought.base, name)
        assert answer.headers["content-type"] == "font/woff2"
        assert answer.content[:4] == b"wOF2"
        assert "immutable" in answer.headers["cache-control"]


def test_what_is_packed_travels_packed(bought: Platform) -> None:
    manifest = loaded(bought.base, "/manifest.json").json()
    (entry,) = (one["file"] for one in manifest.values() if one.get("isEntry"))
    sizes = {}
    for wanted in ("br", "gzip", "identity"):
        with httpx.stream("GET", f"{bought.base}/{entry}", headers={"accept-encoding": wanted}) as answer:
            sizes[wanted] = sum(len(part) for part in answer.iter_raw())
            assert answer.headers.get("content-encoding", "identity") == wanted
            assert answer.headers["vary"] == "Accept-Encoding"
    assert sizes["br"] < sizes["gzip"] < sizes["identity"] / 2
