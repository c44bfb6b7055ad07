"""Debian's MQTT broker on a free port of this machine, for tests that need a real one."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from benchmarks.whole import free_port, until

PROGRAM = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
needs_mosquitto = pytest.mark.skipif(PROGRAM is None, reason="no mosquitto on this machine")


class Mosquitto:
    """Everybody in `passwords` may sign in, with what they may do in `rights` (lines of its file of rights)."""

    def __init__(self, folder: Path, *lines: str, port: int = 0) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        settings = [
            f"listener {self.port} 127.0.0.1", "persistence true", f"persistence_location {folder}/",
            "max_queued_messages 0", "user root" if os.geteuid() == 0 else "", *(lines or ("allow_anonymous true",)),
        ]  # fmt: skip
        (folder / "mosquitto.conf").write_text("\n".join(settings) + "\n")

    def start(self) -> Mosquitto:
        assert PROGRAM is not None
        with (self.folder / "log.txt").open("ab") as log:
            command = [PROGRAM, "-c", str(self.folder / "mosquitto.conf")]
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        until(self._answers, "the broker answers")
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log.txt").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """As its service is stopped: it writes down what it keeps."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)
            self.process = None
