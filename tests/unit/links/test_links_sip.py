"""A SIP endpoint on loopback: both transports, calls, cancels, lost connections, noise."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from safecity.kit.errors import UnavailableError
from safecity.links.sip import Flow, Incoming, SipEndpoint, SipLimits
from safecity.links.sip_client import DigestMemory, new_request, request_authorized
from safecity.protocols.sip.digest import Challenge, Nonces, NonceState, parse_credentials
from safecity.protocols.sip.guard import Allowance, Forbearance, Patience, SourceGuard
from safecity.protocols.sip.message import Request
from safecity.protocols.sip.steps import Timing

FAST = Timing(t1=0.02, t2=0.1, t4=0.05)


class Pair:
    """A platform and a device on loopback; `heard` is what each was told."""

    def __init__(self) -> None:
        self.heard: list[Incoming] = []
        self.device_heard: list[Incoming] = []
        self.lost: list[Flow] = []
        self.answer: Callable[[Incoming], None] = lambda incoming: incoming.respond(200)
        self.platform = SipEndpoint(self._platform, timing=FAST, on_lost=self.lost.append)
        self.device = SipEndpoint(self._device, timing=FAST)

    def _platform(self, incoming: Incoming) -> None:
        self.heard.append(incoming)
        self.answer(incoming)

    def _device(self, incoming: Incoming) -> None:
        self.device_heard.append(incoming)
        incoming.respond(200)

    async def flow(self, transport: str) -> Flow:
        if transport == "udp":
            return self.device.udp_flow("127.0.0.1", self.platform.udp_port)
        return await self.device.connect("127.0.0.1", self.platform.tcp_port)


@asynccontextmanager
async def endpoints() -> AsyncIterator[Pair]:
    pair = Pair()
    await pair.platform.start(udp=("127.0.0.1", 0), tcp=("127.0.0.1", 0))
    await pair.device.start(udp=("127.0.0.1", 0))
    try:
        yield pair
    finally:
        await pair.device.close()
        await pair.platform.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


def message(method: str = "MESSAGE", body: bytes = b"x", contact: str = "") -> Request:
    return new_request(method, "sip:p@h", local="sip:d@h", remote="sip:p@h", contact=contact, body=body)


BOTH = pytest.mark.parametrize("transport", ["udp", "tcp"])


@BOTH
async def test_a_request_is_answered_over_the_way_it_came(transport: str) -> None:
    async with endpoints() as pair:
        flow = await pair.flow(transport)
        answer = await pair.device.request(message(), flow)
        assert (answer.status, pair.heard[0].request.body, pair.heard[0].flow.transport) == (200, b"x", transport)
        # and the platform asks the device back over the same flow
        back = await pair.platform.request(message(), pair.heard[0].flow)
        assert back.status == 200
        assert pair.device_heard[0].request.method == "MESSAGE"


@BOTH
async def test_a_call_is_made_acknowledged_and_ended(transport: str) -> None:
    async with endpoints() as pair:

        def ring_then_answer(incoming: Incoming) -> None:
            incoming.respond(180)
            incoming.respond(200, fields=[("Contact", "<sip:p@127.0.0.1:9>")], body=b"sdp")

        pair.answer = ring_then_answer
        flow = await pair.flow(transport)
        rung: list[int] = []
        invite = message("INVITE", contact=pair.device.contact("d", flow))
        call = await pair.device.invite(invite, flow, on_provisional=lambda response: rung.append(response.status))
        assert (call.response.body, rung) == (b"sdp", [180])
        call.acknowledge()
        await pair.heard[0].acknowledged()
        assert [incoming.request.method for incoming in pair.heard] == ["INVITE", "ACK"]
        assert call.dialog is not None
        bye = await pair.device.request(call.dialog.request("BYE"), flow)
        assert bye.status == 200
        theirs = pair.heard[0].dialog()
        assert theirs.judge(pair.heard[-1].request).value == "next"


async def test_a_200_nobody_acknowledges_is_told_to_the_one_who_waits() -> None:
    async with endpoints() as pair:
        flow = await pair.flow("udp")
        await pair.device.invite(message("INVITE"), flow)
        with pytest.raises(UnavailableError) as caught:
            await pair.heard[0].acknowledged()
        assert caught.value.code == "sip_no_ack"


async def test_a_refused_call_has_no_dialog() -> None:
    async with endpoints() as pair:
        pair.answer = lambda incoming: incoming.respond(486)
        call = await pair.device.invite(message("INVITE"), await pair.flow("udp"))
        assert (call.response.status, call.dialog) == (486, None)
        call.acknowledge()


async def test_a_call_given_up_is_cancelled_and_a_200_that_crosses_is_hung_up() -> None:
    async with endpoints() as pair:
        cancelled: list[bool] = []

        def ring(incoming: Incoming) -> None:
            if incoming.request.method == "INVITE":
                incoming.respond(180)
                incoming.on_cancel = lambda: (cancelled.append(True), incoming.respond(200))[0]
            else:
                incoming.respond(200)

        pair.answer = ring
        flow = await pair.flow("udp")
        with pytest.raises(UnavailableError) as caught:
            await pair.device.invite(message("INVITE"), flow, timeout=0.1)
        assert caught.value.code == "sip_timeout"
        await until(lambda: [incoming.request.method for incoming in pair.heard] == ["INVITE", "ACK", "BYE"])
        assert cancelled == [True]


async def test_a_cancelled_call_is_answered_487_and_forgotten() -> None:
    async with endpoints() as pair:
        pair.answer = lambda incoming: incoming.respond(180)
        task = asyncio.create_task(pair.device.invite(message("INVITE"), await pair.flow("udp")))
        await until(lambda: bool(pair.heard))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: pair.heard[0].answered)
        await until(lambda: not pair.device._pending)


async def test_nobody_there_is_a_timeout() -> None:
    async with endpoints() as pair:
        nowhere = pair.device.udp_flow("127.0.0.1", 9)
        with pytest.raises(UnavailableError) as caught:
            await pair.device.request(message(), nowhere)
        assert caught.value.code == "sip_timeout"
        with pytest.raises(UnavailableError) as refused:
            await pair.device.connect("127.0.0.1", 9)
        assert refused.value.code == "sip_connect_failed"


async def test_a_lost_connection_fails_what_waits_on_it_at_once_and_is_told() -> None:
    async with endpoints() as pair:
        pair.answer = lambda incoming: incoming.flow.connection.close() if incoming.flow.connection else None
        flow = await pair.flow("tcp")
        with pytest.raises(UnavailableError) as caught:
            await pair.device.request(message(), flow)
        assert caught.value.code == "sip_connection_lost"
        await until(lambda: len(pair.lost) == 1)
        with pytest.raises(UnavailableError):
            await pair.device.request(message(), flow)


async def test_a_handler_that_fails_answers_500_and_harms_nobody_else() -> None:
    async with endpoints() as pair:

        def fail(incoming: Incoming) -> None:
            raise RuntimeError("bug")

        pair.answer = fail
        flow = await pair.flow("udp")
        assert (await pair.device.request(message(), flow)).status == 500
        pair.answer = lambda incoming: incoming.respond(200)
        assert (await pair.device.request(message(), flow)).status == 200
        assert pair.platform.counters.handler_errors == 1


@BOTH
async def test_a_device_registers_with_digest_and_refreshes_without_being_asked_again(transport: str) -> None:
    async with endpoints() as pair:
        nonces, statuses = Nonces(b"k" * 32), []

        def register(incoming: Incoming) -> None:
            request = incoming.request
            scope = request.call_id
            authorization = request.get("Authorization")
            good = authorization and parse_credentials(authorization).matches("REGISTER", "secret")
            if good:
                credentials = parse_credentials(authorization)
                good = nonces.check(0.0, scope, credentials.nonce, credentials.nc) is NonceState.GOOD
            statuses.append(200 if good else 401)
            if good:
                incoming.respond(200)
            else:
                challenge = Challenge("3402000000", nonces.issue(0.0, scope, b"12345678"), "SM3", "auth")
                incoming.respond(401, fields=[("WWW-Authenticate", str(challenge))])

        pair.answer = register
        flow = await pair.flow(transport)
        memory = DigestMemory("34020000001320000001", "secret")
        first = message("REGISTER")
        assert (await request_authorized(pair.device, first, flow, memory)).status == 200
        second = first.with_fields([("CSeq", "3 REGISTER")])
        assert (await request_authorized(pair.device, second, flow, memory)).status == 200
        assert statuses == [401, 200, 200]
        wrong = DigestMemory("34020000001320000001", "wrong")
        assert (await request_authorized(pair.device, message("REGISTER"), flow, wrong)).status == 401


async def test_noise_is_counted_and_a_broken_request_is_answered_400() -> None:
    async with endpoints() as pair:
        loop = asyncio.get_running_loop()
        answers: list[bytes] = []

        class Noise(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: object) -> None:
                answers.append(data)

        transport, _ = await loop.create_datagram_endpoint(Noise, remote_addr=("127.0.0.1", pair.platform.udp_port))
        transport.sendto(b"\x00" * 40)
        transport.sendto(b"\r\n")
        wire = message().with_fields([("Via", "SIP/2.0/UDP h;branch=z9hG4bK1;rport")]).encode()
        transport.sendto(wire.replace(b"Max-Forwards: 70", b"Max-Forwards: x"))
        await until(lambda: bool(answers))
        assert answers[0].startswith(b"SIP/2.0 400 ")
        assert pair.platform.counters.malformed == 2
        assert not pair.heard
        transport.close()


async def test_a_stream_that_loses_its_framing_is_closed_and_the_others_go_on() -> None:
    async with endpoints() as pair:
        flow = await pair.flow("tcp")
        reader, writer = await asyncio.open_connection("127.0.0.1", pair.platform.tcp_port)
        writer.write(b"GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
        assert (await pair.device.request(message(), flow)).status == 200


async def test_a_keepalive_on_a_connection_is_answered() -> None:
    async with endpoints() as pair:
        reader, writer = await asyncio.open_connection("127.0.0.1", pair.platform.tcp_port)
        writer.write(b"\r\n\r\n")
        assert await reader.readexactly(2) == b"\r\n"
        writer.close()
        await writer.wait_closed()


async def test_a_flooding_source_is_cut_and_counted() -> None:
    guard = SourceGuard(Allowance(per_second=1, burst=3))
    heard: list[Incoming] = []
    platform = SipEndpoint(lambda incoming: (heard.append(incoming), incoming.respond(200))[0], admit=guard.admit)
    device = SipEndpoint(lambda incoming: None, timing=FAST)
    await platform.start(udp=("127.0.0.1", 0))
    await device.start(udp=("127.0.0.1", 0))
    flow = device.udp_flow("127.0.0.1", platform.udp_port)
    for _ in range(10):
        device.send_blind(message(), flow)
    await until(lambda: platform.counters.dropped == 7)
    assert len(heard) == 3
    await device.close()
    await platform.close()


async def test_who_sends_rubbish_is_dropped_by_the_kernel_and_its_neighbour_is_heard() -> None:
    heard: list[Incoming] = []
    limits = Forbearance(of_way=Allowance(per_second=1, burst=20), seconds=10)
    platform = SipEndpoint(
        lambda incoming: (heard.append(incoming), incoming.respond(200))[0], patience=Patience(limits)
    )
    device = SipEndpoint(lambda incoming: None, timing=FAST)
    await platform.start(udp=("127.0.0.1", 0))
    await device.start(udp=("127.0.0.1", 0))
    flow = device.udp_flow("127.0.0.1", platform.udp_port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mad:
        mad.connect(("127.0.0.1", platform.udp_port))
        for _ in range(21):
            mad.send(b"MESSAGE rubbish SIP/2.0\r\n\r\n")
        await until(lambda: platform.counters.malformed == 21)
        for _ in range(500):
            mad.send(b"MESSAGE rubbish SIP/2.0\r\n\r\n")
        assert (await device.request(message(), flow)).status == 200, "the same host, another port"
        assert (platform.counters.malformed, len(heard)) == (21, 1)
        platform._shield.expire(platform._loop.time() + 11)
        mad.send(b"MESSAGE rubbish SIP/2.0\r\n\r\n")
        await until(lambda: platform.counters.malformed == 22)
    await device.close()
    await platform.close()


async def test_a_connection_that_sends_rubbish_is_closed_and_the_next_one_is_heard() -> None:
    limits = Forbearance(of_way=Allowance(per_second=1, burst=3))
    platform = SipEndpoint(lambda incoming: incoming.respond(403), patience=Patience(limits))
    device = SipEndpoint(lambda incoming: None, timing=FAST)
    await platform.start(tcp=("127.0.0.1", 0))
    await device.start(udp=("127.0.0.1", 0))
    flow = await device.connect("127.0.0.1", platform.tcp_port)
    for _ in range(4):
        device.send_blind(message(), flow)
    await until(lambda: platform.counters.connections == 0)
    again = await device.connect("127.0.0.1", platform.tcp_port)
    assert (await device.request(message(), again)).status == 403
    await device.close()
    await platform.close()


async def test_a_connection_that_hangs_inside_a_message_is_closed_and_an_idle_one_later() -> None:
    platform = SipEndpoint(lambda incoming: None, limits=SipLimits(message_seconds=10, idle_seconds=900))
    await platform.start(tcp=("127.0.0.1", 0))
    slow = await asyncio.open_connection("127.0.0.1", platform.tcp_port)
    idle = await asyncio.open_connection("127.0.0.1", platform.tcp_port)
    await until(lambda: platform.counters.connections == 2)
    for letter in b"MESS":
        slow[1].write(bytes([letter]))
        await asyncio.sleep(0.005)
    await until(lambda: sum(link._decoder.waiting for link in platform._streams.links) == 1)
    now = asyncio.get_running_loop().time()
    platform._streams.sweep(now + 9)
    assert platform.counters.connections == 2
    platform._streams.sweep(now + 11)
    assert await slow[0].read() == b""
    await until(lambda: platform.counters.connections == 1)
    platform._streams.sweep(now + 901)
    assert await idle[0].read() == b""
    for _, writer in (slow, idle):
        writer.close()
    await platform.close()


async def test_connections_beyond_the_limit_are_refused() -> None:
    platform = SipEndpoint(lambda incoming: None, limits=SipLimits(connections_per_host=1))
    await platform.start(tcp=("127.0.0.1", 0))
    first = await asyncio.open_connection("127.0.0.1", platform.tcp_port)
    await until(lambda: platform.counters.connections == 1)
    reader, writer = await asyncio.open_connection("127.0.0.1", platform.tcp_port)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()
    first[1].close()
    await platform.close()


async def test_closing_fails_what_waits() -> None:
    pair = Pair()
    await pair.device.start(udp=("127.0.0.1", 0))
    task = asyncio.create_task(pair.device.request(message(), pair.device.udp_flow("127.0.0.1", 9)))
    await asyncio.sleep(0)
    await pair.device.close()
    with pytest.raises(UnavailableError) as caught:
        await task
    assert caught.value.code == "sip_closed"
