"""`safecity run`: opens the sockets, starts one process per duty, restarts what dies, kills what is silent.

Standard library only and no domain, so that nothing here can fail for a reason of the city's. A duty that dies
is started again in place on the same sockets: the kernel keeps the packets of the fraction of a second between.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import selectors
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from safecity.kit.errors import ConflictError
from safecity.server.listeners import Listeners, open_listeners
from safecity.server.reserve import Reserve
from safecity.server.restart import RestartPolicy
from safecity.server.settings import Settings

logger = logging.getLogger(__name__)

SILENCE_SECONDS = 10.0
START_GRACE_SECONDS = 60.0
OWN_PAUSE_SECONDS = 2.0
START_AGAIN_SECONDS = 1.0
STOP_SECONDS = 15.0
DEMO_STOP_SECONDS = 3.0
RESERVE_SECONDS = 2.0
LOG_LIMIT = 50_000_000
_UNIX_PATH_LIMIT = 100


@dataclass
class Duty:
    """One process to keep alive. `order` is the order of stopping: the recorder leaves last."""

    name: str
    argv: list[str]
    fds: dict[str, int]
    order: int
    watched: bool = True
    process: subprocess.Popen[bytes] | None = None
    bell: socket.socket | None = None
    heard: float = 0.0
    rang: bool = False
    lag_ms: float = 0.0
    restarts: int = 0
    start_at: float | None = 0.0
    policy: RestartPolicy = field(default_factory=RestartPolicy)


class Supervisor:
    """Owns the run directory, the listening sockets and the processes of one node."""

    def __init__(self, settings: Settings, log: Path | None = None) -> None:
        self._settings = settings
        self._log = None if log is None else _open_log(log)
        self._selector = selectors.DefaultSelector()
        self._duties: list[Duty] = []
        self._listeners = Listeners()
        self._stopping = False
        self._wake_r, self._wake_w = socket.socketpair()
        self._run_dir = _run_dir(settings.data_dir)
        self._lock = _lock(settings.data_dir)
        self._state = ""
        self._reserve = Reserve(settings.data_dir)
        self._reserve_at = 0.0
        self._turned = time.monotonic()

    def run(self) -> int:
        """Until SIGTERM or SIGINT; the exit status."""
        self._settings = _for_demo(self._settings)
        self._listeners = open_listeners(self._settings)
        self._settings = _resolved(self._settings, self._listeners)
        self._duties = self._plan()
        self._reserve.look()
        self._wake_w.setblocking(False)
        self._wake_r.setblocking(False)
        signal.set_wakeup_fd(self._wake_w.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGCHLD, _wake_only)
        self._selector.register(self._wake_r, selectors.EVENT_READ)
        try:
            while not self._stopping:
                self._turn()
        finally:
            self._stop()
        return 0

    def _plan(self) -> list[Duty]:
        role = [sys.executable, "-m", "safecity.server.role"]
        slots = range(self._settings.media.slot_count())
        duties = [
            Duty(f"media-{n}", [*role, "media", "--slot", str(n)], self._listeners.of_slot(n), order=3) for n in slots
        ]
        duties += [
            Duty(f"vision-{n}", [*role, "vision", "--slot", str(n)], {}, order=1)
            for n in range(self._settings.vision.slots)
        ]
        if self._settings.roads.enabled:
            duties.append(Duty("traffic", [*role, "traffic"], {}, order=1))
        possible = ("sip-udp", "sip-tcp", "jt808-tcp", "jt808-attachments", "ais-tcp", "ais-udp")
        signalling = [name for name in possible if name in self._listeners.sockets]
        duties.append(Duty("signal", [*role, "signal"], self._listeners.of(*signalling), order=2))
        duties.append(Duty("control", [*role, "control"], self._listeners.of("http"), order=1))
        if self._settings.demo.enabled and not self._demo_removed():
            manifest = self._settings.data_dir / "demo" / "manifest.json"
            manifest.parent.mkdir(parents=True, exist_ok=True)
            argv = [sys.executable, "-m", "safecity.sim.demo", "--manifest", str(manifest)]
            argv += ["--platform", f"127.0.0.1:{self._listeners.port('sip-udp')}"]
            argv += ["--http", f"127.0.0.1:{self._listeners.port('http')}"]
            argv += ["--http-tls"] if self._settings.http.tls != "off" else []
            argv += ["--vehicles", f"127.0.0.1:{self._listeners.port('jt808-tcp')}"]
            argv += ["--roads", str(self._settings.roads_dir())]
            argv += ["--pictures-per-second", str(self._settings.demo.pictures_per_second)]
            duties.append(Duty("demo", argv, {}, order=0, watched=False))
        return duties

    def _demo_removed(self) -> bool:
        return (self._settings.data_dir / "demo" / "removed").exists()

    def _on_stop(self, *_: object) -> None:
        self._stopping = True

    def _turn(self) -> None:
        now = time.monotonic()
        if now - self._turned > OWN_PAUSE_SECONDS:
            # We were stopped or starved ourselves: what the duties said meanwhile is still unread.
            for duty in self._duties:
                duty.heard = now
        self._turned = now
        for duty in self._duties:
            self._reap(duty, now)
            if duty.process is None and duty.start_at is not None and now >= duty.start_at:
                self._start(duty, now)
            self._watch(duty, now)
        if self._demo_removed():
            self._drop_demo()
        if now >= self._reserve_at:
            self._reserve_at = now + RESERVE_SECONDS
            self._reserve.look()
        self._write_state()
        waits = [d.start_at - now for d in self._duties if d.process is None and d.start_at is not None]
        for key, _ in self._selector.select(max(0.0, min([0.5, *waits]))):
            self._hear(key)

    def _start(self, duty: Duty, now: float) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        ours.setblocking(False)
        fds = {**duty.fds, "bell": theirs.fileno()} if duty.watched else duty.fds
        environment = {
            **os.environ,
            "SAFECITY_FDS": json.dumps(fds),
            "SAFECITY_RUN": str(self._run_dir),
            "SAFECITY_SETTINGS": self._settings.to_json(),
            "PYTHONUNBUFFERED": "1",
        }
        try:
            duty.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
                duty.argv,
                env=environment,
                pass_fds=list(fds.values()),
                stdin=subprocess.DEVNULL,
                stderr=self._log,
                # A session of its own: Ctrl-C reaches the supervisor alone, which then stops all in order.
                start_new_session=True,
                # Databases hold passwords of devices, volumes hold pictures: nothing of it is for other accounts.
                umask=0o077,
            )
        except OSError as error:  # no memory, no process to be had: the other duties go on meanwhile
            ours.close()
            duty.start_at = now + START_AGAIN_SECONDS
            logger.error("duty not started name=%s why=%s", duty.name, error)
            return
        finally:
            theirs.close()
        duty.bell, duty.heard, duty.rang, duty.start_at = ours, now, False, None
        self._selector.register(ours, selectors.EVENT_READ, duty)

    def _reap(self, duty: Duty, now: float) -> None:
        if duty.process is None or (status := duty.process.poll()) is None:
            return
        self._forget_bell(duty)
        duty.process = None
        duty.restarts += 1
        duty.start_at = duty.policy.died(now)
        logger.warning("duty died name=%s status=%s again_in=%.2f", duty.name, status, duty.start_at - now)

    def _watch(self, duty: Duty, now: float) -> None:
        patience = SILENCE_SECONDS if duty.rang else START_GRACE_SECONDS
        if duty.watched and duty.process is not None and now - duty.heard > patience:
            logger.error("duty silent, killed name=%s seconds=%.0f", duty.name, now - duty.heard)
            duty.process.kill()
            duty.heard = now

    def _hear(self, key: selectors.SelectorKey) -> None:
        if key.fileobj is self._wake_r:
            with contextlib.suppress(BlockingIOError):
                self._wake_r.recv(4096)
            return
        duty = key.data
        with contextlib.suppress(OSError, ValueError, AttributeError):
            note = json.loads(duty.bell.recv(4096))
            duty.lag_ms = float(note.get("lag_ms", 0.0))
            duty.heard, duty.rang = time.monotonic(), True

    def _forget_bell(self, duty: Duty) -> None:
        if duty.bell is not None:
            with contextlib.suppress(KeyError):
                self._selector.unregister(duty.bell)
            duty.bell.close()
            duty.bell = None

    def _drop_demo(self) -> None:
        for duty in [d for d in self._duties if d.name == "demo"]:
            self._duties.remove(duty)
            self._end([duty])
            logger.info("demo city stopped")

    def _write_state(self) -> None:
        """`state.json`: ports and processes, for the health page and for tests."""
        possible = ("http", "media", "sip-udp", "jt808-tcp", "jt808-attachments", "ais-tcp")
        names = [name for name in possible if name in self._listeners.sockets]
        text = json.dumps(
            {
                "pid": os.getpid(),
                "ports": {name: self._listeners.port(name) for name in names},
                "rtp_ports": sorted(
                    self._listeners.port(name) for name in self._listeners.sockets if "/rtp-udp-" in name
                ),
                "duties": {
                    d.name: {
                        "pid": d.process.pid if d.process else 0,
                        "restarts": d.restarts,
                        "lag_ms": d.lag_ms,
                        "failing": d.policy.failing(time.monotonic()),
                    }
                    for d in self._duties
                },
            }
        )
        if text != self._state:
            # A full disk must not end the duties: the page of health is old for a while, nothing else.
            with contextlib.suppress(OSError):
                fresh = self._run_dir / "state.json.new"
                fresh.write_text(text, "utf-8")
                fresh.replace(self._run_dir / "state.json")
                self._state = text

    def _end(self, duties: list[Duty]) -> None:
        running = [d for d in duties if d.process is not None]
        for duty in running:
            assert duty.process is not None
            duty.process.terminate()
        # The demo city may be painting and has nothing to lose: whoever records must not wait for it.
        patience = STOP_SECONDS if any(duty.watched for duty in running) else DEMO_STOP_SECONDS
        limit = time.monotonic() + patience
        for duty in running:
            assert duty.process is not None
            try:
                duty.process.wait(max(0.0, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                logger.warning("duty did not stop, killed name=%s", duty.name)
                duty.process.kill()
                duty.process.wait()
            self._forget_bell(duty)
            duty.process = None

    def _stop(self) -> None:
        logger.info("stopping")
        for order in sorted({duty.order for duty in self._duties}):
            self._end([duty for duty in self._duties if duty.order == order])
        self._listeners.close()
        self._selector.close()
        signal.set_wakeup_fd(-1)
        self._wake_r.close()
        self._wake_w.close()
        with contextlib.suppress(OSError):
            (self._run_dir / "state.json").unlink()
        os.close(self._lock)
        logger.info("stopped")


def _open_log(path: Path) -> int:
    """For appending; what grew large is put aside once, at start, so that two files are all there ever is."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_name(path.name + ".1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def _wake_only(*_: object) -> None:
    """A child ended: the wake-up descriptor turns the loop, which looks for itself."""


def _for_demo(settings: Settings) -> Settings:
    """The vehicles of the demo city need a door; where nobody else is wanted it is open to this machine alone."""
    if not settings.demo.enabled or settings.jt808.enabled:
        return settings
    return replace(settings, jt808=replace(settings.jt808, enabled=True, host="127.0.0.1", port=0, attachment_port=0))


def _resolved(settings: Settings, listeners: Listeners) -> Settings:
    """The settings with the ports the system gave for 0, and with absolute paths."""
    jt808 = settings.jt808
    if jt808.enabled:
        jt808 = replace(jt808, port=listeners.port("jt808-tcp"))
    if "jt808-attachments" in listeners.sockets:
        jt808 = replace(jt808, attachment_port=listeners.port("jt808-attachments"))
    return replace(
        settings,
        data=str(settings.data_dir.absolute()),
        http=replace(settings.http, port=listeners.port("http")),
        media=replace(settings.media, port=listeners.port("media")),
        sip=replace(settings.sip, port=listeners.port("sip-udp")),
        jt808=jt808,
        ais=replace(settings.ais, port=listeners.port("ais-tcp")) if settings.ais.enabled else settings.ais,
    )


def _run_dir(data: Path) -> Path:
    """`DATA/run`, or a short folder of the system where the path would not fit a Unix socket's name."""
    run = (data / "run").absolute()
    if len(str(run / "calls" / "media-99.sock")) > _UNIX_PATH_LIMIT:
        pointer = run / "where"
        run.mkdir(mode=0o700, parents=True, exist_ok=True)
        if pointer.exists() and _is_ours(Path(pointer.read_text("utf-8"))):
            return Path(pointer.read_text("utf-8"))
        short = Path(tempfile.mkdtemp(prefix="safecity-"))
        pointer.write_text(str(short), "utf-8")
        return short
    run.mkdir(mode=0o700, parents=True, exist_ok=True)
    run.chmod(0o700)
    return run


def _is_ours(folder: Path) -> bool:
    """Of this account and closed to others: after a reboot somebody else may have made the folder anew."""
    with contextlib.suppress(OSError):
        found = folder.lstat()
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
    return False


def read_state(data: Path) -> Mapping[str, object] | None:
    """What a running supervisor wrote, or None."""
    path = _run_dir(data) / "state.json"
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _lock(data: Path) -> int:
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(data / "supervisor.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise ConflictError(
            f"another platform already runs on {data}: stop it first, or give another --data folder",
            code="already_running",
        ) from error
    return lock
