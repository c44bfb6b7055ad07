"""Run every test: what starts whole platforms and browsers mostly waits, so the groups run beside each other.

    python tools/run_tests.py [ARGUMENT OF PYTEST ...]

Each group is an ordinary run of pytest. Tests that judge pictures (marked `pictures`) come first and go before all
others: beside them run only small tests, in two halves, which take what nobody else wants. The other tests of browsers,
in two halves, and the journeys, in two as well, follow beside each other, for they mostly wait. What runs beside the
first group prints in one piece when it is done.
Exit status: that of the first group that failed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parents[1] / "tests"
BROWSER, JOURNEYS = TESTS / "browser", TESTS / "journeys"
LIGHT_JOURNEYS = tuple(JOURNEYS / f"test_{name}.py" for name in ("signal_duty", "media_slot", "gb28181_whole"))
"""They go with the browser's tests, so that all groups take about as long."""
OTHER_JOURNEYS = tuple(
    JOURNEYS / f"test_journey_{name}.py" for name in ("camera", "node", "traffic", "ships", "vehicles")
)
OTHER_PAGES = tuple(
    BROWSER / f"test_browser_{name}.py"
    for name in (
        "configuration",
        "device_recordings",
        "devices",
        "duty",
        "traffic",
        "vehicles",
        "violations",
        "watches",
    )
)
"""They start platforms of their own; the rest looks at one city."""
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


def begin(name: str, command: list[str], folder: Path, *, idle: bool = False) -> Group:
    """Start a group that prints into a file of the folder; an `idle` one takes what the others leave."""
    said = folder / name
    lower = [shutil.which("nice") or "nice", "-n", LOWER_PRIORITY]
    with said.open("wb") as out:
        process = subprocess.Popen([*lower, *command], stdout=out, stderr=subprocess.STDOUT)
    if idle and hasattr(os, "SCHED_IDLE"):
        # What it starts later inherits this: at its beginning it has started nothing.
        os.sched_setscheduler(process.pid, os.SCHED_IDLE, os.sched_param(0))
    return Group(name, process, said)


def run(arguments: list[str], folder: Path) -> int:
    """All groups; what the others printed comes after the first."""
    small = pytest([*arguments, str(TESTS), *without(BROWSER, JOURNEYS, WEB, CONTRACT)])
    doors = pytest([*arguments, str(WEB), str(CONTRACT)])
    pictures = pytest([*arguments, "-m", "pictures", str(BROWSER)])
    front = [*arguments, "-m", "not pictures"]
    whole = pytest([*front, str(BROWSER), *map(str, LIGHT_JOURNEYS), *without(*OTHER_PAGES)])
    groups = [
        begin("small tests", small, folder, idle=True),
        begin("tests of the web and of the ports", doors, folder, idle=True),
    ]
    try:
        results = [subprocess.run(pictures, check=False).returncode]
        groups += [
            begin("journeys", pytest([*arguments, str(JOURNEYS), *without(*LIGHT_JOURNEYS, *OTHER_JOURNEYS)]), folder),
            begin("other journeys", pytest([*arguments, *map(str, OTHER_JOURNEYS)]), folder),
            begin("other pages", pytest([*front, *map(str, OTHER_PAGES)]), folder),
        ]
        results += [subprocess.run(whole, check=False).returncode]
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
    return next((code for code in results if code not in (0, NOTHING_COLLECTED)), 0)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        return run(sys.argv[1:], Path(folder))


if __name__ == "__main__":
    raise SystemExit(main())
