"""The RTSP server's sockets, and the UDP pairs of the client: who is heard, who is dropped, what is let go."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

from safecity.links.rtsp_server import MAX_BUFFER, RtspServer, Viewer
from safecity.links.udp_pairs import PairProtocol, bind_pair, open_pair
from safecity.protocols.rtsp.message import Interleaved, RtspDecoder, RtspResponse
from safecity.protocols.sdp import SessionDescription, parse_sdp

SDP = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=0\r\n"


class Mount:
    def __init__(self) -> None:
        self.viewers: list[Viewer] = []

    def describe(self) -> SessionDescription:
        return parse_sdp(SDP)

    def attach(self, viewer: Viewer) -> None:
        self.viewers.append(viewer)

    def detach(self, viewer: Viewer) -> None:
        if viewer in self.viewers:
            self.viewers.remove(viewer)


class Client:
    """A bare client that writes requests and reads what comes."""

    def __init__(self, port: int, path: str = "live") -> None:
        self.port, self.path = port, path
        self.decoder = RtspDecoder()
        self.cseq = 0
        self.session = ""
        self.packets: list[Interleaved] = []

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, method: str, track: str = "", **fields: str) -> RtspResponse:
        self.cseq += 1
        lines = [f"{method} rtsp://127.0.0.1:{self.port}/{self.path}{track} RTSP/1.0", f"CSeq: {self.cseq}"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        if self.session:
            lines.append(f"Session: {self.session}")
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        async with asyncio.timeout(60):
            while True:
                for item in self.decoder.feed(await self.reader.read(65536)):
                    if isinstance(item, Interleaved):
                        self.packets.append(item)
                    elif isinstance(item, RtspResponse):
                        self.session = item.get("Session").partition(";")[0] or self.session
                        return item

    async def play(self, transport: str) -> RtspResponse:
        answer = await self.ask("SETUP", "/trackID=0", Transport=transport)
        await self.ask("PLAY")
        return answer


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


async def started(mount: Mount, timeout_seconds: int = 60) -> RtspServer:
    server = RtspServer(lambda path: mount if path == "/live" else None, timeout_seconds=timeout_seconds)
    await server.start(("127.0.0.1", 0))
    return server


async def test_a_viewer_is_attached_by_play_and_detached_by_pause_teardown_and_by_leaving() -> None:
    mount = Mount()
    server = await started(mount)
    client = Client(server.port)
    await client.open()
    await client.play("RTP/AVP/TCP;unicast;interleaved=0-1")
    assert len(mount.viewers) == 1
    mount.viewers[0].send(0, b"\x80packet")
    mount.viewers[0].send(0, b"\x81report", control=True)
    assert (await client.ask("PAUSE")).status == 200
    assert client.packets == [Interleaved(0, b"\x80packet"), Interleaved(1, b"\x81report")]
    assert not mount.viewers
    await client.ask("PLAY")
    assert len(mount.viewers) == 1
    client.writer.close()
    await until(lambda: not mount.viewers)
    again = Client(server.port)
    await again.open()
    await again.play("RTP/AVP/TCP;unicast;interleaved=0-1")
    assert (await again.ask("TEARDOWN")).status == 200
    assert not mount.viewers
    assert await again.reader.read() == b""
    again.writer.close()
    await server.close()


async def test_a_viewer_that_does_not_read_loses_packets_and_nobody_waits() -> None:
    mount = Mount()
    server = await started(mount)
    client = Client(server.port)
    await client.open()
    await client.play("RTP/AVP/TCP;unicast;interleaved=0-1")
    viewer = mount.viewers[0]
    for _ in range(20 * MAX_BUFFER // 60_000):
        viewer.send(0, b"x" * 60_000)
    assert viewer.dropped > 0
    client.writer.transport.abort()
    await until(lambda: not mount.viewers)
    viewer.send(0, b"late")
    await server.close()


async def test_media_over_udp_comes_from_the_ports_the_answer_names() -> None:
    mount = Mount()
    server = await started(mount)
    heard: list[tuple[bool, bytes]] = []
    pair = await open_pair(
        "127.0.0.1", lambda control: PairProtocol("127.0.0.1", control, lambda kind, data: heard.append((kind, data)))
    )
    client = Client(server.port)
    await client.open()
    answer = await client.play(f"RTP/AVP;unicast;client_port={pair.port}-{pair.port + 1}")
    assert f"server_port={server._udp_port}-{server._udp_port + 1}" in answer.get("Transport")
    viewer = mount.viewers[0]
    assert viewer.wants(0)
    assert not viewer.wants(1)
    viewer.send(0, b"\x80media")
    viewer.send(0, b"\x81report", control=True)
    await until(lambda: len(heard) == 2)
    assert sorted(heard) == [(False, b"\x80media"), (True, b"\x81report")]
    pair.aim("127.0.0.1", (server._udp_port, server._udp_port + 1))
    session = next(iter(server._connections))._session
    assert session is not None
    session._heard = 0.0
    pair.send_control(b"\x81\xc9\x00\x01ssrc")
    await until(lambda: session._heard != 0.0)  # a receiver report keeps the session alive
    pair.close()
    client.writer.close()
    await server.close()


async def test_packets_of_strangers_do_not_pass_a_pair() -> None:
    heard: list[bytes] = []
    protocol = PairProtocol("192.0.2.1", False, lambda control, data: heard.append(data))
    pair = await open_pair("127.0.0.1", lambda control: protocol)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"\x80evil", ("127.0.0.1", pair.port))
    await until(lambda: protocol.foreign == 1)
    assert not heard
    pair.close()


def test_pairs_begin_on_even_ports_and_are_neighbours() -> None:
    for _ in range(5):
        media, control = bind_pair("127.0.0.1")
        assert media.getsockname()[1] % 2 == 0
        assert control.getsockname()[1] == media.getsockname()[1] + 1
        media.close()
        control.close()


async def test_noise_ends_its_own_connection_only() -> None:
    mount = Mount()
    server = await started(mount)
    client = Client(server.port)
    await client.open()
    await client.play("RTP/AVP/TCP;unicast;interleaved=0-1")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"\xff" * 600_000)
    with contextlib.suppress(ConnectionError):  # closed with bytes unread: a reset
        assert await reader.read() == b""
    writer.close()
    assert (await client.ask("GET_PARAMETER")).status == 200
    client.writer.close()
    await server.close()
