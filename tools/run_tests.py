"""Run every test: what starts whole platforms and browsers mostly waits, so the groups run beside each other.

    python tools/run_tests.py [ARGUMENT OF PYTEST ...]

Each group is an ordinary run of pytest. The small tests, in two halves of about the same length, take a lower priority.
Tests that judge pictures (marked `pictures`) come last and have the processors for themselves. What runs beside the
first group prints in one piece when it is done. Exit status: that of the first group that failed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parents[1] / "tests"
BROWSER, JOURNEYS = TESTS / "browser", TESTS / "journeys"
LIGHT_JOURNEYS = tuple(JOURNEYS / f"test_{name}.py" for name in ("signal_duty", "media_slot", "gb28181_whole"))
"""They go with the browser's tests, so that both groups take about as long."""
WEB, CONTRACT = TESTS / "unit" / "web", TESTS / "contract"
NOTHING_COLLECTED = 5
LOWER_PRIORITY = "10"


class Group(NamedTuple):
    """A run of pytest beside the first one; `said` is the file it prints into."""

    name: str
    process: subprocess.Popen[bytes]
    said: Path


def pytest(arguments: list[str]) -> list[str]:
    """The command."""
    return [sys.executable, "-m", "pytest", "-q", *arguments]


def without(*paths: Path) -> list[str]:
    """Arguments that leave those out."""
    return [f"--ignore={path}" for path in paths]


def begin(name: str, command: list[str], folder: Path) -> Group:
    """Start a group that prints into a file of the folder."""
    said = folder / name
    with said.open("wb") as out:
        return Group(name, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT), said)


def run(arguments: list[str], folder: Path) -> int:
    """All groups; what the others printed comes after the first."""
    small = pytest([*arguments, str(TESTS), *without(BROWSER, JOURNEYS, WEB, CONTRACT)])
    doors = pytest([*arguments, str(WEB), str(CONTRACT)])
    whole = pytest([*arguments, "-m", "not pictures", str(BROWSER), *map(str, LIGHT_JOURNEYS)])
    lower = [shutil.which("nice") or "nice", "-n", LOWER_PRIORITY]
    groups = [
        begin("small tests", [*lower, *small], folder),
        begin("tests of the web and of the ports", [*lower, *doors], folder),
        begin("journeys", pytest([*arguments, str(JOURNEYS), *without(*LIGHT_JOURNEYS)]), folder),
    ]
    try:
        results = [subprocess.run(whole, check=False).returncode]
        results += [group.process.wait() for group in groups]
    finally:
        for group in groups:
            if group.process.poll() is None:
                group.process.terminate()
                group.process.wait()
    sys.stdout.flush()
    for group in groups:
        sys.stdout.buffer.write(f"\n{group.name}, which ran beside these:\n".encode() + group.said.read_bytes())
        sys.stdout.flush()
    print("\ntests that judge pictures:", flush=True)
    results.append(subprocess.run(pytest([*arguments, "-m", "pictures", str(BROWSER)]), check=False).returncode)
    return next((code for code in results if code not in (0, NOTHING_COLLECTED)), 0)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        return run(sys.argv[1:], Path(folder))


if __name__ == "__main__":
    raise SystemExit(main())
