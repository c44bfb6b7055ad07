"""Whoever takes a decoder over by a stream made for that finds itself in a box."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from safecity.vision.confined import NOT_INSTALLED
from safecity.vision.live.decoder import COMMAND as LIVE
from safecity.vision.live.wire import MAX_CHILD_BYTES
from safecity.vision.movement.decoder import COMMAND as MOVEMENT

TAKEN_OVER = f"""
import os, socket, sys
from safecity.vision.confined import confined

def tried(what):
    try:
        what()
    except (OSError, MemoryError) as error:
        return type(error).__name__
    return "done"

def serve(library, read, out):
    begun = os.nice(0)
    for what in (
        lambda: open({__file__!r}), lambda: open("/dev/null", "w"), lambda: socket.socket(), os.pipe,
        lambda: bytearray({MAX_CHILD_BYTES}), lambda: out.write(b"its pipe: "),
    ):
        out.write(tried(what).encode() + b"\\n")
    out.write(read(5) + b" %d" % begun)
    return True

before = os.nice(0)
status = confined(serve, 4)
sys.stdout.write(f" {{before}}")
sys.stdout.flush()
os._exit(status)
"""


def test_it_reads_and_writes_its_pipes_and_nothing_else() -> None:
    pytest.importorskip("av")
    done = subprocess.run([sys.executable, "-c", TAKEN_OVER], input=b"hello", capture_output=True, check=True)
    *tries, last = done.stdout.decode().split("\n")
    assert tries == ["OSError", "OSError", "OSError", "OSError", "MemoryError", "its pipe: done"]
    word, nice, before = last.split()
    assert word == "hello"
    assert int(nice) == min(int(before) + 4, 19)


@pytest.mark.parametrize("command", [LIVE, MOVEMENT])
def test_a_child_says_by_its_status_why_it_left(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "av.py").write_text("raise ImportError('not here')", "utf-8")
    without = subprocess.run(command, input=b"", check=False, env={"PYTHONPATH": str(tmp_path)})
    assert without.returncode == NOT_INSTALLED
    pytest.importorskip("av")
    assert subprocess.run(command, input=b"", check=False).returncode == 0, "nobody asks any more"
    assert subprocess.run(command, input=b"\xff" * 64, check=False).returncode == 1, "that was no question"
