"""A recording process that is killed, killed and killed again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.journey
@pytest.mark.parametrize("layout", ["channel", "shared"])
def test_kill_9_costs_two_seconds_at_most_and_the_index_tells_the_truth(layout: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.crash", "--kills", "2", "--streams", "4", "--layout", layout]
    command += ["--directory", str(tmp_path), "--slot-kills", "0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["max_lost_seconds"] <= 2
    assert result["unplayable"] == 0
    assert result["index_mismatches"] == 0
