"""What every duty finds when it starts: settings, inherited sockets, Calls, and the bell to the supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safecity.backends.calls import UnixCalls, UnixCallServer
from safecity.kit.clock import SystemClock
from safecity.server.settings import Settings

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1


@dataclass
class RoleContext:
    """One process's view of the node.

    name     `control`, `signal`, `traffic`, `media` or `vision`; with `slot` it gives the address (`media-0`)
    stopping set on SIGTERM: finish what is durable and leave
    """

    name: str
    slot: int
    settings: Settings
    run_dir: Path
    fds: dict[str, int]
    calls: UnixCalls
    server: UnixCallServer
    clock: SystemClock = field(default_factory=SystemClock)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    lag_ms: float = 0.0

    @property
    def address(self) -> str:
        return f"{self.name}-{self.slot}" if self.name in ("media", "vision") else self.name

    @property
    def data_dir(self) -> Path:
        return self.settings.data_dir

    def socket(self, name: str) -> socket.socket:
        """The inherited socket of that name, non-blocking; KeyError when the supervisor gave none."""
        inherited = socket.socket(fileno=os.dup(self.fds[name]))
        inherited.setblocking(False)
        return inherited

    def sockets(self, prefix: str) -> list[socket.socket]:
        """All inherited sockets `prefix0`, `prefix1`, ... in order."""
        names = sorted((name for name in self.fds if name.startswith(prefix)), key=lambda n: int(n[len(prefix) :]))
        return [self.socket(name) for name in names]


def context_from_environment(name: str, slot: int) -> RoleContext:
    """Read what the supervisor left in the environment."""
    run_dir = Path(os.environ["SAFECITY_RUN"])
    calls_dir = run_dir / "calls"
    return RoleContext(
        name=name,
        slot=slot,
        settings=Settings.from_json(os.environ["SAFECITY_SETTINGS"]),
        run_dir=run_dir,
        fds=json.loads(os.environ.get("SAFECITY_FDS", "{}")),
        calls=UnixCalls(calls_dir),
        server=UnixCallServer(calls_dir),
    )


def die_with_supervisor() -> None:
    """Ask the kernel for SIGTERM when the supervisor dies, so that no duty is left holding its sockets."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


async def ring_bell(context: RoleContext) -> None:
    """Tell the supervisor once a second that the loop turns, and how late it is."""
    fd = context.fds.get("bell")
    bell = None if fd is None else socket.socket(fileno=os.dup(fd))
    if bell is not None:
        bell.setblocking(False)
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await asyncio.sleep(1.0)
        context.lag_ms = max(0.0, (loop.time() - before - 1.0) * 1000)
        if bell is not None:
            with contextlib.suppress(OSError):
                bell.send(json.dumps({"lag_ms": round(context.lag_ms, 1)}).encode())


NICE: dict[str, int] = {"media": -10, "signal": -5, "vision": 10, "traffic": 10}
"""Who goes first when the processors are not enough: a picture that is not received in time is lost for ever."""


def go_first(role: str) -> int:
    """Take the priority of the role where the system lets us (root, CAP_SYS_NICE or LimitNICE); the one in force.

    Linux weighs sessions against each other before it looks at processes (sched(7), autogroup), so that a high
    priority counts for nothing against what was started from another terminal. Hence a session of its own.
    """
    wanted = NICE.get(role, 0)
    if wanted:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, wanted)
        with contextlib.suppress(OSError):
            os.setsid()  # the supervisor passes on what a terminal says
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(wanted), "ascii")
    return os.getpriority(os.PRIO_PROCESS, 0)


def run_role(context: RoleContext, main: Callable[[RoleContext], Awaitable[None]]) -> None:
    """Run `main` until it returns or SIGTERM sets `context.stopping`; uvloop where it is installed."""

    async def body() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, context.stopping.set)
        bell = loop.create_task(ring_bell(context))
        try:
            await main(context)
        finally:
            bell.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await bell
            await context.server.close()
            await context.calls.close()

    factory: Callable[[], Any] | None = None
    if os.environ.get("SAFECITY_LOOP", "uvloop") == "uvloop":
        try:
            import uvloop

            factory = uvloop.new_event_loop
        except ImportError:
            logger.info("uvloop is not installed, the standard loop is used")
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(body())
