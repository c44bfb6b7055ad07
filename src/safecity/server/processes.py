"""The processes of the node as the supervisor and the kernel see them, for the health page."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


def _boot_us() -> int:
    for line in Path("/proc/stat").read_text("ascii").splitlines():
        if line.startswith("btime "):
            return int(line.split()[1]) * 1_000_000
    return 0


def _kernel_view(pid: int) -> dict[str, Any]:
    try:
        resident = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * _PAGE
        # The name in brackets may hold spaces; the fields after it do not.
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rsplit(") ", 1)[1].split()
    except (OSError, IndexError, ValueError):
        return {"memory_bytes": 0, "since_us": 0, "cpu_seconds": 0.0}
    started = _boot_us() + int(fields[19]) * 1_000_000 // _TICKS
    return {"memory_bytes": resident, "since_us": started, "cpu_seconds": (int(fields[11]) + int(fields[12])) / _TICKS}


async def processes(run_dir: Path) -> list[dict[str, Any]]:
    """name, state (`running`, `starting`, `failing`), pid, since_us, restarts, lag_ms, memory_bytes, cpu_seconds."""
    try:
        state = json.loads((run_dir / "state.json").read_text("utf-8"))
    except (OSError, ValueError):
        return []
    rows: list[dict[str, Any]] = []
    for name, duty in state["duties"].items():
        status = "failing" if duty["failing"] else "running" if duty["pid"] else "starting"
        view = _kernel_view(int(duty["pid"]))
        rows.append({"name": name, "state": status, "pid": duty["pid"], "restarts": duty["restarts"]})
        rows[-1] |= {"lag_ms": duty["lag_ms"], **view}
    return rows
