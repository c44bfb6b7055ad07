"""A whole platform as a user starts it: for the journeys, the browser tests and the benchmarks."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import httpx

T = TypeVar("T")
PATIENCE = 60.0
"""Seconds a test waits for something to become true before it says that it did not. Not a promise of speed."""
OFTEN_SECONDS = 2.0
"""So long it is asked twenty times a second, then five times."""


def until(probe: Callable[[], T | None], what: str, patience: float = PATIENCE) -> T:
    """Ask until `probe` answers something true; AssertionError that says what never came."""
    begun = time.monotonic()
    while True:
        answer = probe()
        if answer:
            return answer
        waited = time.monotonic() - begun
        assert waited < patience, f"never happened: {what}"
        time.sleep(0.05 if waited < OFTEN_SECONDS else 0.2)  # most questions cost the platform some milliseconds


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities of this machine: to read them takes longer than twenty questions."""
    return ssl.create_default_context()


def client(**more: Any) -> httpx.Client:
    """One that keeps its connection and its cookies."""
    return httpx.Client(verify=_trusted(), **more)


class Platform:
    """`safecity run` as a user starts it. `api` is signed in as administrator once `setup()` was called."""

    def __init__(
        self, data: Path, *arguments: str, python: str = sys.executable, environment: dict[str, str] | None = None
    ) -> None:
        """`python` and `environment` are those of this checkout, its built browser application in it."""
        self.data = data
        self.arguments = arguments
        self.python = python
        dist = str(Path(__file__).resolve().parent.parent / "ui" / "dist")
        self.environment = {"SAFECITY_UI_DIST": dist, **os.environ} if environment is None else environment
        self.process: subprocess.Popen[bytes] | None = None
        self.api = client()
        self.csrf = ""

    def start(self) -> Platform:
        self.data.mkdir(parents=True, exist_ok=True)
        command = [self.python, "-m", "safecity", "run", "--data", str(self.data)]
        command += [
            "--http-port",
            "0",
            "--media-port",
            "0",
            "--sip-port",
            "0",
            "--rtp-first-port",
            "0",
            *self.arguments,
        ]
        here = {"SAFECITY_HTTP__HOST": "127.0.0.1", "SAFECITY_SIP__HOST": "127.0.0.1"}
        environment = {"SAFECITY_MEDIA__LOOPBACK_CAMERAS": "true", **self.environment, **here}
        with (self.data / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        self.wait_ready()
        return self

    def wait_ready(self) -> None:
        def ready() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, f"the platform ended:\n{self.log()[-4000:]}"
            state = self.state()
            if not state:
                return False
            self.base = f"http://127.0.0.1:{state['ports']['http']}"
            try:
                return asking.get(f"{self.base}/readyz").status_code == 200
            except httpx.HTTPError:
                return False

        try:
            with client(timeout=5) as asking:
                until(ready, "the platform becomes ready")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()[-6000:]}") from None
        cookies = self.api.cookies
        self.api.close()
        self.api = client(base_url=f"{self.base}/api/v1", timeout=30, cookies=cookies)

    def base_at(self, host: str) -> str:
        """`base` under another name of this machine."""
        return self.base.replace("127.0.0.1", host)

    def run_dir(self) -> Path:
        where = self.data / "run" / "where"
        return Path(where.read_text()) if where.exists() else self.data / "run"

    def state(self) -> dict[str, Any]:
        try:
            return json.loads((self.run_dir() / "state.json").read_text())
        except (OSError, ValueError):
            return {}

    def log(self) -> str:
        return (self.data / "log.txt").read_text("utf-8", "replace")

    def pid(self, duty: str) -> int:
        return int(self.state()["duties"][duty]["pid"])

    def kill(self, duty: str) -> None:
        """kill -9, as an out-of-memory killer would."""
        os.kill(self.pid(duty), signal.SIGKILL)

    def pause(self, duty: str) -> None:
        os.kill(self.pid(duty), signal.SIGSTOP)

    def setup(self, username: str = "admin", password: str = "correct horse battery") -> Platform:
        """Create the administrator with the one-time link and sign in."""
        link = until(lambda: self._link(), "a one-time link is printed")
        token = link.split("setup=", 1)[1].strip()
        body = {"token": token, "username": username, "password": password, "language": "en"}
        answer = self.api.post("/setup/administrator", json=body)
        assert answer.status_code in (200, 201, 204), answer.text
        return self.sign_in(username, password)

    def _link(self) -> str:
        path = self.run_dir() / "setup-link"
        return path.read_text() if path.exists() else ""

    def sign_in(self, username: str = "admin", password: str = "correct horse battery") -> Platform:
        answer = self.api.post("/session", json={"username": username, "password": password})
        assert answer.status_code in (200, 201), answer.text
        self.csrf = self.api.get("/session").json()["csrf"]
        self.api.headers["X-CSRF-Token"] = self.csrf
        return self

    def get(self, path: str, **query: Any) -> Any:
        answer = self.api.get(path, params=query)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json()

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.api.post(path, json=body if body is not None else {})
        assert answer.status_code < 300, f"POST {path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json() if answer.content else None

    def channels(self) -> list[dict[str, Any]]:
        return self.get("/channels", limit=200)["items"]

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.api.close()


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
