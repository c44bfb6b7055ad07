"""The HTTP server of the API: uvicorn behind our gate, on sockets that it inherits."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from collections.abc import Callable, Generator
from pathlib import Path
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from safecity.kit.clock import Clock
from safecity.server.http_gate import Gate, Limits

MAX_FILES = 65_536
FILES_BESIDE = 256
"""Databases, calls to other duties, exports."""
MAX_REQUEST_HEAD = 65_536


def room_for_sockets() -> int:
    """How many connections the port may take: what the system lets us open, less what everything else needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, MAX_FILES) if hard > 0 else MAX_FILES
    if soft < wanted:  # the usual 1,024 would be used up by a few impolite addresses
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return min(Limits().connections, max(100, max(soft, wanted) - FILES_BESIDE))


class HttpServer(uvicorn.Server):
    """`serve` until `should_exit` is set; signals are somebody else's. `gate` holds the connections."""

    def __init__(
        self, app: ASGIApp, limits: Limits, clock: Clock, *, certificate: tuple[Path, Path] | None = None
    ) -> None:
        self.gate = Gate(limits, clock.monotonic)
        self._limits = limits
        super().__init__(_config(self.gate.app(app), certificate))

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """None are ours."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn's own listens without the gate, and gives a TLS handshake a minute."""
        loop = asyncio.get_running_loop()
        make = cast("Callable[..., asyncio.Protocol]", self.config.http_protocol_class)

        def connected() -> asyncio.Protocol:
            inner = make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
            return self.gate.protocol(inner)

        self.servers = [
            await loop.create_server(
                connected,
                sock=sock,
                ssl=self.config.ssl,
                backlog=self.config.backlog,
                ssl_handshake_timeout=self._limits.head_seconds if self.config.ssl else None,
            )
            for sock in sockets or ()
        ]
        self._sweeping = loop.create_task(self.gate.keep_sweeping())
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it."""
        self._sweeping.cancel()
        await super().shutdown(sockets)


def _config(app: ASGIApp, certificate: tuple[Path, Path] | None) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http="h11",  # the one that limits the size of a head
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        # Somebody else's header must not decide who a caller is; a proxy is a deployment of its own.
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=MAX_REQUEST_HEAD,
        ws_max_size=64 * 1024,
        ws_ping_interval=20.0,
        ssl_certfile=str(certificate[0]) if certificate else None,
        ssl_keyfile=str(certificate[1]) if certificate else None,
    )
    config.load()
    return config
