"""One media slot in its own process, as the supervisor would start it: for journeys and measurements."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from safecity.backends.calls import UnixCalls, UnixCallServer
from safecity.kit.errors import SafecityError
from safecity.model.facts import media_calls as calls
from safecity.model.facts.control_calls import Publish, Published
from safecity.model.facts.envelope import Event
from safecity.model.values.media import Quality
from safecity.model.values.ticket import Ticket, sign
from safecity.server.sections.footage import MediaSettings
from safecity.server.settings import Settings

KEY = b"a key that control has pushed...."[:32]


class SlotProcess:
    """The duty as the supervisor would start it, with the sockets in our hands."""

    def __init__(self, folder: Path, number: int = 0, run: Path | None = None) -> None:
        self.data, self.run = folder / "data", run or folder / "run"
        self.run.mkdir(exist_ok=True)
        self.number = number
        self.media = socket.create_server(("127.0.0.1", 0))
        self.fds = {"media": self.media}
        for port in range(2):
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            udp.bind(("127.0.0.1", 0))
            self.fds[f"rtp-udp-{port}"] = udp
            self.fds[f"rtp-tcp-{port}"] = socket.create_server(("127.0.0.1", 0))
        self.calls = UnixCalls(self.run / "calls")
        self.control = UnixCallServer(self.run / "calls")
        self.events: list[Event] = []
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        numbers = {name: one.fileno() for name, one in self.fds.items()}
        settings = Settings(data=str(self.data), media=MediaSettings(stream_loss_seconds=5))
        environment = {
            **os.environ,
            "SAFECITY_FDS": json.dumps(numbers),
            "SAFECITY_RUN": str(self.run),
            "SAFECITY_SETTINGS": settings.to_json(),
        }
        command = [sys.executable, "-m", "safecity.server.role", "media", "--slot", str(self.number)]
        self.process = subprocess.Popen(command, env=environment, pass_fds=list(numbers.values()))

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    async def control_comes(self) -> None:
        async def publish(message: Publish) -> calls.Message:
            self.events += message.events
            return Published(len(message.events))

        await self.control.serve("control", {Publish: publish}, {})

    async def ask(self, message: calls.Message, patience: float = 10.0) -> Any:
        """Ask until the slot is up."""
        end = time.monotonic() + patience
        while True:
            try:
                return await self.calls.call(f"media-{self.number}", message, timeout=5)
            except SafecityError as error:
                if error.code not in ("duty_down", "duty_gone") or time.monotonic() > end:
                    raise
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        await self.calls.close()
        await self.control.close()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(15) == 0
        for one in self.fds.values():
            one.close()

    def url(self, action: str, channel: str, **fields: Any) -> str:
        ticket = Ticket("s1", "user", channel, action, Quality.MAIN, int(time.time()) + 50, **fields)
        return f"ws://127.0.0.1:{self.media.getsockname()[1]}/v1/{action}/{sign(ticket, KEY)}"
