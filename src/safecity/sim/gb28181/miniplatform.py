"""A platform of few words: accepts devices, asks, invites and listens. It judges the simulated devices in tests, and
stands in where no whole platform runs. Not for the field: it knows one password for all.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TypeVar

from safecity.kit.clock import SystemClock
from safecity.kit.errors import UnavailableError
from safecity.links.sip import Call, Flow, Incoming, SipEndpoint
from safecity.links.sip_client import new_request
from safecity.protocols.gb28181.body import Body
from safecity.protocols.gb28181.invite import Wish, offer, subject
from safecity.protocols.gb28181.manscdp import CONTENT_TYPE, read_body, write_body
from safecity.protocols.gb28181.session import CONTENT_TYPE as SDP
from safecity.protocols.gb28181.session import read_session, write_session
from safecity.protocols.gb28181.times import date_text
from safecity.protocols.rtp.framing import TcpDeframer
from safecity.protocols.sip.dialog import Dialog
from safecity.protocols.sip.digest import Challenge, parse_credentials
from safecity.protocols.sip.message import Response

B = TypeVar("B", bound=Body)


@dataclass(slots=True)
class Ear(asyncio.DatagramProtocol):
    """Where media arrives."""

    packets: list[bytes] = field(default_factory=list[bytes])
    port: int = 0
    transport: asyncio.BaseTransport | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.took([data])

    def took(self, packets: list[bytes]) -> None:
        """Packets came."""
        self.packets += packets
        self.news.set()

    async def heard(self, count: int, seconds: float = 10.0) -> list[bytes]:
        """Wait for so many packets. TimeoutError."""
        async with asyncio.timeout(seconds):
            while len(self.packets) < count:
                self.news.clear()
                await self.news.wait()
        return self.packets

    def close(self) -> None:
        """Hear no more."""
        if self.transport is not None:
            self.transport.close()


class MiniPlatform:
    """`start`, then look at `devices` and `bodies`, `ask`, `invite`."""

    def __init__(self, code: str = "34020000002000000001", password: str = "secret", *, qop: str = "auth") -> None:
        self.code = code
        self.password = password
        self.domain = code[:10]
        self.qop = qop
        self.endpoint = SipEndpoint(self._heard)
        self.devices: dict[str, Flow] = {}
        self.bodies: list[Body] = []
        self.registrations = 0
        self.refused = 0
        self.byes: list[str] = []
        self.calls: dict[str, Dialog] = {}
        self.talks: list[Incoming] = []
        self._news = asyncio.Event()
        self._clock = SystemClock()
        self._ssrc = 0

    @property
    def port(self) -> int:
        """Of SIP, UDP; TCP is `endpoint.tcp_port`."""
        return self.endpoint.udp_port

    async def start(self) -> None:
        """On loopback, any port."""
        await self.endpoint.start(udp=("127.0.0.1", 0), tcp=("127.0.0.1", 0))

    async def close(self) -> None:
        """Close the sockets."""
        await self.endpoint.close()

    # --- what devices say -----------------------------------------------------------------------------------

    def _heard(self, incoming: Incoming) -> None:
        request = incoming.request
        if request.method == "REGISTER":
            self._register(incoming)
        elif request.method in ("MESSAGE", "NOTIFY"):
            incoming.respond(200)
            self.bodies.append(read_body(request.body))
        elif request.method == "BYE":
            incoming.respond(200)
            self.byes.append(request.call_id)
        elif request.method == "INVITE":
            self.talks.append(incoming)
        self._news.set()

    def _register(self, incoming: Incoming) -> None:
        request = incoming.request
        given = request.get("Authorization")
        if not given:
            challenge = Challenge(realm=self.domain, nonce="0123456789abcdef", qop=self.qop)
            incoming.respond(401, fields=[("WWW-Authenticate", str(challenge))])
            return
        if not parse_credentials(given).matches("REGISTER", self.password):
            self.refused += 1
            incoming.respond(403)
            return
        if request.expires == 0:
            self.devices.pop(request.from_.user, None)
        else:
            self.registrations += 1
            self.devices[request.from_.user] = incoming.flow
        now = date_text(self._clock.now_us())
        incoming.respond(200, fields=[("Date", now), ("Expires", str(request.expires or 0)), ("X-GB-Ver", "3.0")])

    async def next_body(self, kind: type[B], seconds: float = 5.0, *, after: int = 0) -> B:
        """The first body of that kind among those that came after the first `after`. TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                found = next((each for each in self.bodies[after:] if isinstance(each, kind)), None)
                if found is not None:
                    return found
                self._news.clear()
                await self._news.wait()

    # --- what we say ----------------------------------------------------------------------------------------

    def _flow(self, device: str) -> Flow:
        flow = self.devices.get(device)
        if flow is None:
            raise UnavailableError(f"{device} is not registered", code="gb_device_offline")
        return flow

    async def say(self, device: str, body: Body, *, to: str = "") -> Response:
        """A MESSAGE to the device."""
        flow = self._flow(device)
        to = to or device
        request = new_request(
            "MESSAGE", f"sip:{to}@{flow.host}:{flow.port}", local=f"sip:{self.code}@{self.domain}",
            remote=f"sip:{to}@{self.domain}", fields=[("Content-Type", CONTENT_TYPE)], body=write_body(body),
        )  # fmt: skip
        return await self.endpoint.request(request, flow, timeout=5.0)

    async def ask(self, device: str, query: Body, kind: type[B], *, seconds: float = 5.0) -> B:
        """A query and the first answer of that kind."""
        before = len(self.bodies)
        await self.say(device, query)
        return await self.next_body(kind, seconds, after=before)

    async def subscribe(self, device: str, body: Body, *, event: str = "presence", expires: int = 60) -> Response:
        """SUBSCRIBE; notices come to `bodies`."""
        flow = self._flow(device)
        request = new_request(
            "SUBSCRIBE", f"sip:{device}@{flow.host}:{flow.port}", local=f"sip:{self.code}@{self.domain}",
            remote=f"sip:{device}@{self.domain}", contact=self.endpoint.contact(self.code, flow),
            fields=[("Event", event), ("Expires", str(expires)), ("Content-Type", CONTENT_TYPE)],
            body=write_body(body),
        )  # fmt: skip
        return await self.endpoint.request(request, flow, timeout=5.0)

    async def listen(self) -> Ear:
        """A free UDP port for media."""
        ear = Ear()
        loop = asyncio.get_running_loop()
        ear.transport, _ = await loop.create_datagram_endpoint(lambda: ear, local_addr=("127.0.0.1", 0))
        ear.port = int(ear.transport.get_extra_info("sockname")[1])
        return ear

    async def listen_tcp(self) -> tuple[Ear, asyncio.Server]:
        """A free TCP port for media."""
        ear = Ear()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            deframer = TcpDeframer()
            while data := await reader.read(65536):
                ear.took([bytes(packet) for packet in deframer.feed(data)])
            writer.close()

        server = await asyncio.start_server(take, "127.0.0.1", 0)
        ear.port = int(server.sockets[0].getsockname()[1])
        return ear, server

    async def invite(self, device: str, wish: Wish) -> Call:
        """INVITE; a 2xx is acknowledged."""
        flow = self._flow(device)
        request = new_request(
            "INVITE", f"sip:{wish.channel}@{flow.host}:{flow.port}", local=f"sip:{self.code}@{self.domain}",
            remote=f"sip:{wish.channel}@{self.domain}", contact=self.endpoint.contact(self.code, flow),
            fields=[("Subject", subject(wish)), ("Content-Type", SDP)], body=write_session(offer(wish)),
        )  # fmt: skip
        call = await self.endpoint.invite(request, flow, timeout=10.0)
        call.acknowledge()
        if call.dialog is not None:
            self.calls[call.dialog.id.call_id] = call.dialog
        return call

    def wish(self, channel: str, port: int, **changes: object) -> Wish:
        """A live wish on loopback with a fresh SSRC."""
        self._ssrc += 1
        fields: dict[str, object] = {"ssrc": 100_000_000 + self._ssrc, **changes}
        return Wish(platform=self.code, channel=channel, host="127.0.0.1", port=port, **fields)  # type: ignore[arg-type]

    async def in_call(self, call: Call, method: str, *, content_type: str = "", body: bytes = b"") -> Response:
        """A request within the dialog (BYE, INFO)."""
        assert call.dialog is not None
        fields = [("Content-Type", content_type)] if content_type else []
        return await self.endpoint.request(call.dialog.request(method, fields=fields, body=body), call.flow, timeout=5)

    def answer_talk(self, incoming: Incoming) -> tuple[str, int]:
        """Accept a device's INVITE for sound; where it wants it."""
        asked = read_session(incoming.request.body)
        body = write_session(type(asked)(owner=self.code, purpose=asked.purpose, host="127.0.0.1", port=9,
                                         media="audio", direction="sendonly", payloads=asked.payloads,
                                         ssrc=asked.ssrc))  # fmt: skip
        contact = self.endpoint.contact(self.code, incoming.flow)
        incoming.respond(200, fields=[("Contact", f"<{contact}>"), ("Content-Type", SDP)], body=body)
        return asked.host, asked.port
