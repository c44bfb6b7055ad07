"""Run every test: what starts whole platforms and browsers mostly waits, so the groups run beside each other.

    python tools/run_tests.py [ARGUMENT OF PYTEST ...]

Each group is an ordinary run of pytest. First come the tests that judge pictures (marked `pictures`), then the other
whole platforms. The small tests run beside both, and take only what those leave over. What roads compile on a first
call is compiled before, or each platform that starts meanwhile would compile it, too. What a group says is printed in
one piece when it is done. Exit status: that of the first group that failed.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"
BROWSER, JOURNEYS = TESTS / "browser", TESTS / "journeys"
WEB, CONTRACT = TESTS / "unit" / "web", TESTS / "contract"
NOTHING_COLLECTED = 5
LOWEST_PRIORITY = "19"
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of pytest's own is made in it
ROOM_IN_MEMORY = 4 << 30


def files(folder: Path, prefix: str, names: str) -> tuple[Path, ...]:
    """Test files of a folder by the words that tell them apart."""
    return tuple(folder / f"{prefix}{name}.py" for name in names.split())


# Each half takes about as long as the other one; whatever is named in no half goes with the last.
PICTURES_THAT_WAIT = files(BROWSER, "test_browser_", "sound movement")
PAGES = files(
    BROWSER,
    "test_browser_",
    "configuration device_recordings devices first_run ptz traffic vehicles violations watches wheel",
)
SHORT_JOURNEYS = files(
    JOURNEYS,
    "test_",
    "signal_duty media_slot gb28181_whole journey_camera record_kill device_recordings two_slots journey_movement",
)


class Group(NamedTuple):
    """A run of pytest; `said` is the file it prints into."""

    name: str
    process: subprocess.Popen[bytes]
    said: Path
    began: float


class Runs:
    """The groups that were started, in a folder for what they say."""

    def __init__(self, arguments: Sequence[str], folder: Path) -> None:
        self._arguments = arguments
        self._folder = folder
        self._running: list[Group] = []
        self.results: list[int] = []

    def begin(self, name: str, *what: str | Path, without: Iterable[Path] = (), lowest: bool = False) -> None:
        """Start a group: arguments and paths of pytest, and paths it leaves out."""
        command = [sys.executable, "-m", "pytest", "-q", *self._arguments, *map(str, what)]
        command += [f"--ignore={path}" for path in without]
        self.begin_command(name, command, lowest=lowest)

    def begin_command(self, name: str, command: Sequence[str], *, lowest: bool = False) -> None:
        """The same for whatever is no run of pytest."""
        if lowest:
            command = [shutil.which("nice") or "nice", "-n", LOWEST_PRIORITY, *command]
        said = self._folder / name
        with said.open("wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=_environment())
        self._running.append(Group(name, process, said, time.monotonic()))

    def wait(self, *names: str) -> None:
        """Until these groups have ended (all, if none is named); each is printed as soon as it has."""
        while waiting := [group for group in self._running if not names or group.name in names]:
            for group in tuple(self._running):
                before = _worked()
                if group.process.poll() is None:
                    continue
                self._running.remove(group)
                self.results.append(group.process.returncode)
                took, worked = time.monotonic() - group.began, _worked() - before
                title = f"\n{group.name} ({took:.0f} s, {worked:.0f} s of processors):\n"
                sys.stdout.buffer.write(title.encode() + group.said.read_bytes())
                sys.stdout.flush()
            if waiting[0].process.poll() is None:
                time.sleep(0.5)

    def end(self) -> None:
        """Whatever still runs is ended."""
        for group in self._running:
            group.process.terminate()
            group.process.wait()


def _worked() -> float:
    """CPU seconds of the groups that have ended, with all they started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _environment() -> dict[str, str]:
    """Some machines forbid bytecode to be kept: each of the hundred platforms would compile all of it anew."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _in_memory(folder: Path) -> list[str]:
    """Each of these tests has a database and a bus, and would wait for the disk half of its time. No power fails here:
    what has to outlive that is tested on disks."""
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM_IN_MEMORY:
        return []
    return [f"--basetemp={MEMORY / f'safecity-{folder.name}'}"]


def run(arguments: Sequence[str], folder: Path) -> int:
    """All groups."""
    runs = Runs(arguments, folder)
    try:
        runs.begin("small tests", TESTS, without=(BROWSER, JOURNEYS, WEB, CONTRACT), lowest=True)
        runs.begin("tests of the web and of the ports", *_in_memory(folder), WEB, CONTRACT, lowest=True)
        if (ROOT / "ui" / "node_modules").is_dir():
            browser = [sys.executable, str(ROOT / "tools" / "build_ui.py"), "--test"]
            runs.begin_command("tests of the browser's parts", browser, lowest=True)
        runs.begin_command("kernels of roads", [sys.executable, "-m", "tests.kernels"])
        runs.wait("kernels of roads")
        runs.begin("sound and movement", "-m", "pictures", *PICTURES_THAT_WAIT)
        runs.begin("pictures", "-m", "pictures", BROWSER, without=PICTURES_THAT_WAIT)
        runs.wait("sound and movement", "pictures")
        runs.begin("pages", "-m", "not pictures", *PAGES)
        runs.begin("other pages", "-m", "not pictures", BROWSER, without=PAGES)
        runs.begin("short journeys", *SHORT_JOURNEYS)
        runs.begin("journeys", JOURNEYS, without=SHORT_JOURNEYS)
        runs.wait()
    finally:
        runs.end()
    return next((code for code in runs.results if code not in (0, NOTHING_COLLECTED)), 0)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        try:
            return run(sys.argv[1:], Path(folder))
        finally:
            shutil.rmtree(MEMORY / f"safecity-{Path(folder).name}", ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
