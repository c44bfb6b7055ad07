"""`python -m safecity.media.export JOB.json`: carries out one export and tells how it goes, line by line in JSON."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from safecity.kit.errors import SafecityError
from safecity.media.export.evidence import export_evidence
from safecity.media.export.job import Job, read_job, say
from safecity.media.export.runs import footing
from safecity.media.export.viewing import export_viewing
from safecity.ports.sqlfile import OpenSqlReader

ENGINE = "safecity.backends.sqlitefile:open_reader"
"""Assembled by name, as in `server/`: this program is an assembly of its own."""
PROGRESS_SECONDS = 0.5


class Cancelled(BaseException):
    """SIGTERM came."""


def main(arguments: list[str]) -> int:
    """0 when done, 1 when it failed (and said so), 2 for a wrong call."""
    if len(arguments) != 1:
        return 2
    signal.signal(signal.SIGTERM, _cancel)
    logging.basicConfig(level=logging.WARNING)
    folder: Path | None = None
    try:
        with contextlib.suppress(OSError):
            os.nice(10)
        job = read_job(Path(arguments[0]))
        folder = Path(job.out)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _run(job, folder)
    except SafecityError as error:
        _clean(folder)
        say(failed={"code": error.code, "params": error.params})
        return 1
    except OSError as error:
        _clean(folder)
        say(failed={"code": "export_no_space" if error.errno == 28 else "export_failed", "params": {}})
        return 1
    except Cancelled:
        _clean(folder)
        return 1
    return 0


def _run(job: Job, folder: Path) -> None:
    module, _, name = ENGINE.partition(":")
    open_reader: OpenSqlReader = getattr(importlib.import_module(module), name)
    ground = footing(job, open_reader)
    notes: list[str] = []
    progress = _progress()
    if job.product == "evidence":
        made = export_evidence(ground, folder, progress)
    else:
        made, notes = export_viewing(ground, folder, progress)
    gaps: list[dict[str, Any]] = [
        {"start_us": one.start, "end_us": one.end, "cause": one.cause} for one in ground.gaps()
    ]
    say(done=True, files=[one._asdict() for one in made], gaps=gaps, notes=notes)


def _progress() -> Callable[[float], None]:
    last = 0.0

    def tell(done: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PROGRESS_SECONDS:
            last = now
            say(progress=round(min(1.0, max(0.0, done)), 4))

    return tell


def _clean(folder: Path | None) -> None:
    """Nothing half-written stays; the folder is the job's own."""
    if folder is None or not folder.is_dir():
        return
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def _cancel(number: int, frame: FrameType | None) -> None:
    raise Cancelled


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
