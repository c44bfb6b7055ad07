"""A whole platform side in one process: real sockets on loopback, a scripted device, slots and control as fakes."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from safecity.backends.outbox import SqlOutbox
from safecity.backends.sqlitefile import open_file
from safecity.drivers.gb28181.driver import GbPlatform
from safecity.kit.clock import SystemClock
from safecity.kit.errors import UnavailableError
from safecity.links.sip import Incoming, SipEndpoint, new_tag
from safecity.model.facts.media_calls import Done, Prepared, PrepareStream
from safecity.model.facts.signal_calls import ApplySignal, GbChannel, GbDevice, PlatformIdentity
from safecity.protocols.gb28181.answers import CatalogResponse, DeviceInfoResponse, DeviceStatusResponse
from safecity.protocols.gb28181.catalog import CatalogItem
from safecity.protocols.gb28181.manscdp import command_of, read_body, write_body
from safecity.protocols.gb28181.notices import Keepalive
from safecity.protocols.gb28181.session import GbSession, Purpose, read_session, write_session
from safecity.protocols.sip.digest import answer_challenge, choose_challenge
from safecity.protocols.sip.message import Request

sys.path.insert(0, str(Path(__file__).parent))  # for foreign_device

PLATFORM = "34020000002000000001"
DOMAIN = "3402000000"
CODE = "34020000001180000001"
CAMERA = "34020000001310000001"
PASSWORD = "secret-7"


class FakeCalls:
    """Plays the media slots: remembers what it was told and answers PrepareStream with a port."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.error: Exception | None = None
        self.arrived = asyncio.Event()

    async def call(self, address: str, message: Any, *, timeout: float) -> Any:
        self.sent.append((address, message))
        self.arrived.set()
        if self.error is not None:
            raise self.error
        return Prepared(port=10_000) if isinstance(message, PrepareStream) else Done()

    def stream(self, address: str, message: Any) -> Any:
        raise UnavailableError("no slot")

    async def close(self) -> None: ...

    def of(self, kind: type[Any]) -> list[Any]:
        return [message for _, message in self.sent if isinstance(message, kind)]


class ScriptedDevice:
    """A device of one recorder with channels. What it does in answer to a request can be replaced in `on`."""

    def __init__(self, server: tuple[str, int], *, code: str = CODE, password: str = PASSWORD) -> None:
        self.code = code
        self.password = password
        self.server = server
        self.requests: list[Request] = []
        self.on: dict[str, Callable[[Incoming], None]] = {}
        self.channels = [CAMERA]
        self.endpoint = SipEndpoint(self._heard)
        self.cseq = 0
        self.call_id = new_tag()
        self.invites: list[Incoming] = []
        self.arrived = asyncio.Event()
        self.tasks: set[Any] = set()
        self.per_message = 2
        self.contact = ""

    async def start(self, *, host: str = "127.0.0.1", tcp: bool = False) -> None:
        await self.endpoint.start(udp=(host, 0), tcp=(host, 0) if tcp else None)
        if tcp:
            self.flow = await self.endpoint.connect(*self.server)
        else:
            self.flow = self.endpoint.udp_flow(*self.server)

    def request(self, method: str, body: bytes = b"", fields: Any = (), call_id: str = "") -> Request:
        self.cseq += 1
        host, port = self.endpoint.local_address(self.flow)
        kind = [("Content-Type", "Application/MANSCDP+xml")] if body else []
        head = [
            ("From", f"<sip:{self.code}@{DOMAIN}>;tag={new_tag()}"),
            ("To", f"<sip:{PLATFORM}@{DOMAIN}>"),
            ("Call-ID", call_id or new_tag()),
            ("CSeq", f"{self.cseq} {method}"),
            ("Max-Forwards", "70"),
            ("Contact", f"<sip:{self.code}@{self.contact or f'{host}:{port}'}>"),
            ("User-Agent", "Scripted/1.0"),
        ]
        return Request(method, f"sip:{PLATFORM}@{DOMAIN}", [*head, *fields, *kind], body)

    async def register(self, expires: int = 3600, **fields: str) -> Any:
        extra = [("Expires", str(expires)), *fields.items()]
        first = await self.endpoint.request(self.request("REGISTER", fields=extra, call_id=self.call_id), self.flow)
        if first.status != 401:
            return first
        challenge = choose_challenge([value for name, value in first.fields if name == "WWW-Authenticate"])
        assert challenge is not None
        uri = f"sip:{PLATFORM}@{DOMAIN}"
        answer = answer_challenge(challenge, self.code, self.password, "REGISTER", uri, cnonce="abcdef")
        extra.append(("Authorization", str(answer)))
        return await self.endpoint.request(self.request("REGISTER", fields=extra, call_id=self.call_id), self.flow)

    async def send(self, body: Any, **kwargs: Any) -> Any:
        data = body if isinstance(body, bytes) else write_body(body)
        return await self.endpoint.request(self.request("MESSAGE", data, **kwargs), self.flow)

    async def keepalive(self) -> Any:
        return await self.send(Keepalive(sn=self.cseq, device_id=self.code))

    def _heard(self, incoming: Incoming) -> None:
        request = incoming.request
        self.requests.append(request)
        self.arrived.set()
        if request.method in self.on:
            self.on[request.method](incoming)
        elif request.method == "MESSAGE":
            incoming.respond(200)
            task = asyncio.get_running_loop().create_task(self._answer_while_there(request))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        elif request.method == "INVITE":
            self.accept(incoming)
        elif request.method == "SUBSCRIBE":
            incoming.respond(200, fields=[("Expires", "3600"), ("Contact", f"<sip:{self.code}@127.0.0.1>")])
        elif request.method != "ACK":
            incoming.respond(200)

    def accept(self, incoming: Incoming, *, ssrc: int | None = None) -> None:
        offer = read_session(incoming.request.body)
        self.invites.append(incoming)
        session = GbSession(
            owner=self.code,
            purpose=Purpose.PLAY,
            host="127.0.0.1",
            port=40_000,
            direction="sendonly",
            ssrc=offer.ssrc if ssrc is None else ssrc,
        )
        contact = f"<{self.endpoint.contact(self.code, incoming.flow)}>"
        fields = [("Contact", contact), ("Content-Type", "APPLICATION/SDP")]
        incoming.respond(200, fields=fields, body=write_session(session))

    async def _answer_while_there(self, request: Request) -> None:
        with contextlib.suppress(UnavailableError):  # it hung up, or was closed, while it answered
            await self._answer(request)

    async def _answer(self, request: Request) -> None:
        query = read_body(request.body)
        match command_of(query):
            case "DeviceInfo":
                await self.send(
                    DeviceInfoResponse(sn=query.sn, device_id=self.code, manufacturer="Acme", model="X", result="OK")
                )
            case "DeviceStatus":
                await self.send(DeviceStatusResponse(sn=query.sn, device_id=self.code, result="OK", online="ONLINE"))
            case "Catalog":
                for start in range(0, len(self.channels), self.per_message):
                    items = tuple(
                        CatalogItem(device_id=code, name=f"路口{code[-2:]}", status="ON", parent_id=self.code)
                        for code in self.channels[start : start + self.per_message]
                    )
                    answer = CatalogResponse(
                        sn=query.sn, device_id=self.code, sum_num=len(self.channels), device_list=items
                    )
                    await self.send(answer)
            case _:
                pass

    async def until(self, method: str, count: int = 1, match: str = "") -> Request:
        """Wait for the n-th request of a method whose body holds `match`."""
        while True:
            found = [
                request
                for request in self.requests
                if request.method == method and re.search(match, request.body.decode("gb18030", "replace"))
            ]
            if len(found) >= count:
                return found[count - 1]
            self.arrived.clear()
            async with asyncio.timeout(60):
                await self.arrived.wait()

    async def close(self) -> None:
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.endpoint.close()


class Bench:
    """The platform under test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = FakeCalls()
        self.devices: list[ScriptedDevice] = []

    async def open(self, *, udp: Any = ("127.0.0.1", 0), tcp: Any = ("127.0.0.1", 0)) -> None:
        self.file = open_file(self.folder / "signal.db")
        self.outbox = SqlOutbox(self.file)
        self.platform = GbPlatform(self.calls, self.file, self.outbox, SystemClock(), node="test")
        self.endpoint = SipEndpoint(self.platform.on_request, on_lost=self.platform.on_lost)
        await self.platform.start(self.endpoint)
        await self.endpoint.start(udp=udp, tcp=tcp)
        self.address = ("127.0.0.1", self.endpoint.udp_port)

    async def shut(self) -> None:
        await self.platform.close()
        await self.endpoint.close()
        self.file.close()

    async def restart(self) -> None:
        port, tcp = self.endpoint.udp_port, self.endpoint.tcp_port
        await self.shut()
        await self.open(udp=("127.0.0.1", port), tcp=("127.0.0.1", tcp))

    def apply(
        self, revision: int = 1, *, slot: str = "media-0", also: tuple[GbChannel, ...] = (), **device: Any
    ) -> None:
        fields = {"device": "dev_1", "code": CODE, "password": PASSWORD, **device}
        self.platform.apply(
            ApplySignal(
                revision=revision,
                identity=PlatformIdentity(code=PLATFORM, domain=DOMAIN, public_host="127.0.0.1"),
                devices=(GbDevice(**fields),),
                channels=(GbChannel(channel="ch_1", device="dev_1", code=CAMERA, slot=slot), *also),
            )
        )

    async def device(self, **kwargs: Any) -> ScriptedDevice:
        start = {name: kwargs.pop(name) for name in ("host", "tcp") if name in kwargs}
        server = ("127.0.0.1", self.endpoint.tcp_port) if start.get("tcp") else self.address
        device = ScriptedDevice(server, **kwargs)
        await device.start(**start)
        self.devices.append(device)
        return device

    def events(self, kind: str = "") -> list[Any]:
        self.platform.store.flush()
        return [event for _, event in self.outbox.pending(10_000) if not kind or event.kind == kind]

    async def until_event(self, kind: str, count: int = 1) -> Any:
        async with asyncio.timeout(60):
            while len(found := self.events(kind)) < count:
                await asyncio.sleep(0.01)
        return found[count - 1]

    async def until_sent(self, kind: type[Any], count: int = 1) -> Any:
        async with asyncio.timeout(60):
            while len(found := self.calls.of(kind)) < count:
                self.calls.arrived.clear()
                await self.calls.arrived.wait()
        return found[count - 1]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    await bench.open()
    bench.apply()
    yield bench
    for device in bench.devices:
        await device.close()
    await bench.shut()
