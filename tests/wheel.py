"""The wheel as somebody gets it: built, and installed into an empty environment, without Node and without a network."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from email.parser import Parser
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "ui" / "dist"


@dataclass(frozen=True)
class Installed:
    """`python` runs the installed wheel; `wheel` is the file itself, `archive` the sources it was made of."""

    python: Path
    wheel: Path
    archive: Path

    def environment(self, **more: str) -> dict[str, str]:
        """No Node, no checkout: the path names no folder but the environment's own."""
        return {"PATH": str(self.python.parent), "HOME": str(self.python.parents[2]), "LANG": "C.UTF-8", **more}


def install_wheel(folder: Path) -> Installed:
    """The source archive of this checkout, the wheel of that archive, and an environment with it.

    What the wheel asks for is linked from this environment, so that no index is needed; what it does not ask for is
    not there, so that nothing of ours can lean on it.
    """
    archive = _build("--sdist", ROOT, folder / "sdist", os.environ["PATH"])
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    (sources,) = (one for one in folder.glob("safecity-*") if one.is_dir())
    wheel = _build("--wheel", sources, folder / "wheel", "/nowhere")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    subprocess.run([*pip, "install", "-q", "--no-index", "--no-deps", str(wheel)], check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    for needed in _closure(wheel):
        _link(needed, packages)
    checked = subprocess.run([*pip, "check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    return Installed(python, wheel, archive)


def _build(what: str, sources: Path, target: Path, path: str) -> Path:
    command = [sys.executable, "-m", "build", what, "--no-isolation", "--outdir", str(target), str(sources)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": path}, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = target.iterdir()
    return made


def _closure(wheel: Path) -> list[Distribution]:
    """Everything the wheel asks for, and what that asks for, as it stands in this environment."""
    with zipfile.ZipFile(wheel) as file:
        (metadata,) = (name for name in file.namelist() if name.endswith(".dist-info/METADATA"))
        asked = Parser().parsestr(file.read(metadata).decode()).get_all("Requires-Dist") or []
    found: dict[tuple[str, str], Distribution] = {}
    open_ones = [(Requirement(one), "") for one in asked]
    while open_ones:
        requirement, extra = open_ones.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        for wanted in ("", *requirement.extras):
            if (requirement.name, wanted) in found:
                continue
            got = found[requirement.name, wanted] = distribution(requirement.name)
            open_ones += [(Requirement(one), wanted) for one in got.requires or ()]
    return list(found.values())


def _link(needed: Distribution, packages: Path) -> None:
    for part in {file.parts[0] for file in needed.files or ()} - {"..", "__pycache__"}:
        target = packages / part
        if not target.exists():
            target.symlink_to(Path(str(needed.locate_file(part))).resolve())
