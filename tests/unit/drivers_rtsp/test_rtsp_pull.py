"""The puller against a camera on loopback: both transports, every way to fail, and coming back."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import pytest

from safecity.drivers.rtsp.backoff import Backoff
from safecity.drivers.rtsp.driver import Patience, RtspPull
from safecity.drivers.rtsp.probe import probe
from safecity.kit.clock import SystemClock
from safecity.kit.errors import Param
from safecity.kit.outgoing import may_reach
from safecity.links.rtsp_server import RtspServer, Viewer
from safecity.model.facts.media_calls import RtspSource
from safecity.model.values.media import AUDIO, VIDEO, Codec, Quality, StreamKey, Unit, VideoParameters
from safecity.protocols.rtp.packets import RtpPacket, write
from safecity.protocols.rtp_payloads.writing import write_h264
from safecity.protocols.rtsp.server import ServerAuth
from safecity.protocols.sdp import SessionDescription, parse_sdp

SETS = "Z2QAKKzZQHgCJ+WEAAADAAQAAAMA8DxgxlgA,aOvjyyLA"
SPS, PPS = (base64.b64decode(part) for part in SETS.split(","))
SDP = (
    "v=0\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=0\r\n"
    "m=audio 0 RTP/AVP 8\r\na=control:trackID=1\r\n"
)
KEY = StreamKey("ch_1", Quality.MAIN)
PATIENT = Patience(packet=5, picture=8, silence=5, start=8, report=0.05, tick=0.02)
QUICK = Patience(packet=1.0, picture=2.0, silence=0.6, start=5.0, report=0.05, tick=0.02)


class Camera:
    """25 pictures a second, faster than real; `silent` sends nothing, `limit` stops after so many."""

    def __init__(self, sdp: str = SDP) -> None:
        self.sdp = sdp
        self.silent = False
        self.limit = 10**9
        self.junk = False
        self.viewers: dict[Viewer, asyncio.Task[None]] = {}
        self.joined = 0
        self.described = 0

    def describe(self) -> SessionDescription:
        self.described += 1
        return parse_sdp(self.sdp.encode())

    def attach(self, viewer: Viewer) -> None:
        self.joined += 1
        self.viewers[viewer] = asyncio.create_task(self._play(viewer))

    def detach(self, viewer: Viewer) -> None:
        task = self.viewers.pop(viewer, None)
        if task is not None:
            task.cancel()

    async def _play(self, viewer: Viewer) -> None:
        sequence = [0, 0]
        number = 0
        while not self.silent and number < self.limit:
            key = number % 25 == 0
            nals = [SPS, PPS, b"\x65\x88" + b"k" * 5000] if key else [b"\x41\x9a" + b"p" * 900]
            for payload, marker in write_h264(nals):
                body = b"\x7c\x05junk" if self.junk else payload
                viewer.send(0, write(RtpPacket(96, marker, sequence[0] & 0xFFFF, number * 3600, 1, body)))
                sequence[0] += 1
            viewer.send(1, write(RtpPacket(8, False, sequence[1] & 0xFFFF, number * 320, 2, b"\xd5" * 320)))
            sequence[1] += 1
            number += 1
            await asyncio.sleep(0.002)


class Told:
    """What a pull delivered and reported."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.states: list[tuple[str, str]] = []
        self.params: Mapping[str, Param] = {}

    def report(self, state: str, step: str, params: Mapping[str, Param]) -> None:
        self.states.append((state, step))
        self.params = params


@asynccontextmanager
async def served(
    camera: Camera, auth: ServerAuth | None = None, *, udp: bool = True
) -> AsyncIterator[tuple[str, RtspServer]]:
    server = RtspServer(lambda path: camera if path == "/live" else None, auth=auth)
    await server.start(("127.0.0.1", 0), udp=udp)
    try:
        yield f"rtsp://127.0.0.1:{server.port}/live", server
    finally:
        await server.close()
        for task in camera.viewers.values():
            task.cancel()


@asynccontextmanager
async def pulled(
    source: RtspSource, patience: Patience = PATIENT, **options: object
) -> AsyncIterator[tuple[Told, RtspPull]]:
    told = Told()
    backoff = Backoff(lambda: 0.5, first=0.02, last=0.1)
    pull = RtspPull(
        source, KEY, told.units.append, told.report, SystemClock(), patience=patience, backoff=backoff, **options  # type: ignore[arg-type]
    )  # fmt: skip
    task = asyncio.create_task(pull.run())
    try:
        yield told, pull
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("transport", ["tcp", "udp", "auto"])
async def test_pictures_and_sound_come_over_either_transport(transport: str) -> None:
    camera = Camera()
    async with served(camera) as (url, _), pulled(RtspSource(url, transport=transport)) as (told, pull):
        await until(lambda: len(told.units) > 120)
        assert told.states == [("opening", ""), ("running", "")]
        video = [unit for unit in told.units if unit.track == VIDEO]
        audio = [unit for unit in told.units if unit.track == AUDIO]
        assert video[0].is_key
        assert isinstance(video[0].parameters, VideoParameters)
        assert (video[0].parameters.codec, video[0].parameters.width) == (Codec.H264, 1920)
        assert audio[0].parameters.codec is Codec.PCMA
        assert all(late.dts > early.dts for early, late in itertools.pairwise(video))
        assert abs(audio[0].pts - video[0].pts) < 9000
        assert pull.figures.transport == ("tcp" if transport == "auto" else transport)
        assert pull.figures.packets > 100
    await until(lambda: not camera.viewers)  # TEARDOWN reached the camera


async def test_a_camera_that_only_knows_udp_is_found_out_and_remembered() -> None:
    camera = Camera()
    async with served(camera) as (url, server):
        server_session_accept = server.open_session

        def udp_only(connection: object) -> object:
            session = server_session_accept(connection)  # type: ignore[arg-type]
            accept = session._accept  # type: ignore[union-attr]
            session._accept = lambda wish: None if wish.tcp else accept(wish)  # type: ignore[union-attr, method-assign]
            return session

        server.open_session = udp_only  # type: ignore[assignment, method-assign]
        async with pulled(RtspSource(url)) as (told, pull):
            await until(lambda: ("running", "") in told.states)
            assert pull.figures.transport == "udp"
            assert told.states == [("opening", ""), ("running", "")]


@pytest.mark.parametrize(
    ("change", "source", "step"),
    [
        ({}, {"url": "rtsp://127.0.0.1:1/live"}, "rtsp_connect_failed"),
        ({}, {"url": "http://127.0.0.1/live"}, "rtsp_url"),
        ({}, {"password": "wrong"}, "rtsp_unauthorized"),
        ({}, {"url": "/other"}, "rtsp_not_found"),
        ({"sdp": "v=0\r\nm=audio 0 RTP/AVP 8\r\na=control:trackID=0\r\n"}, {}, "rtsp_no_video"),
        ({"sdp": "v=0\r\nm=video 0 RTP/AVP 26\r\na=rtpmap:26 JPEG/90000\r\n"}, {}, "codec_unsupported"),
        ({"silent": True}, {"transport": "tcp"}, "rtsp_no_packet"),
        ({"silent": True}, {"transport": "udp"}, "rtsp_no_packet"),
        ({"junk": True}, {"transport": "tcp"}, "rtsp_no_video"),
    ],
)
async def test_each_failed_start_names_its_step(change: dict[str, object], source: dict[str, str], step: str) -> None:
    camera = Camera()
    for name, value in change.items():
        setattr(camera, name, value)
    auth = ServerAuth("camera", {"admin": "right"})
    async with served(camera, auth) as (url, _):
        given = source.get("url", url)
        given = url.replace("/live", given) if given.startswith("/") else given
        wanted = RtspSource(given, "admin", source.get("password", "right"), source.get("transport", "auto"))
        async with pulled(wanted, QUICK) as (told, _pull):
            await until(lambda: len(told.states) > 1)
            assert told.states[1] == ("lost", step)
        result = await probe(given, "admin", wanted.password, transport=wanted.transport, seconds=2.0)
        assert (result.ok, result.step) == (False, step)


async def test_a_camera_that_stops_is_lost_and_comes_back_with_running_time() -> None:
    camera = Camera()
    camera.limit = 30
    async with served(camera) as (url, _), pulled(RtspSource(url), QUICK) as (told, pull):
        await until(lambda: ("lost", "rtsp_silent") in told.states)
        camera.limit = 10**9
        await until(lambda: told.states.count(("running", "")) >= 2)
        await until(lambda: pull.figures.reconnects >= 1)
        video = [unit for unit in told.units if unit.track == VIDEO]
        assert all(late.dts > early.dts for early, late in itertools.pairwise(video))
        assert video[0].parameters == video[-1].parameters
        assert camera.joined >= 2


async def test_a_camera_that_was_not_there_is_found_when_it_comes() -> None:
    async with pulled(RtspSource("rtsp://127.0.0.1:1/live")) as (told, pull):
        await until(lambda: pull.figures.reconnects >= 3)
        assert told.states == [("opening", ""), ("lost", "rtsp_connect_failed")]  # told once, tried for ever


async def test_credentials_never_reach_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    camera = Camera()
    async with served(camera, ServerAuth("camera", {"admin": "s3cret"})) as (url, server):
        with_password = url.replace("rtsp://", "rtsp://admin:s3cret@")
        async with pulled(RtspSource(with_password, "admin", "s3cret")) as (told, _):
            await until(lambda: ("running", "") in told.states)
            await server.close()
            await until(lambda: told.states[-1][0] == "lost")
        assert "s3cret" not in caplog.text
        assert "s3cret" not in str(told.params)


async def test_a_forbidden_address_is_never_connected_to() -> None:
    camera = Camera()
    judged: list[str] = []

    def policy(address: str) -> bool:
        judged.append(address)
        return False

    async with served(camera) as (url, _), pulled(RtspSource(url), policy=policy) as (told, _pull):
        await until(lambda: len(told.states) > 1)
        assert told.states[1] == ("lost", "rtsp_host_forbidden")
        assert (await probe(url, "", "", policy=policy)).step == "rtsp_host_forbidden"
        assert set(judged) == {"127.0.0.1"}
        assert camera.joined == 0


async def test_a_name_that_changes_its_mind_is_asked_once_and_only_what_was_judged_is_dialled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    camera = Camera()
    loop = asyncio.get_running_loop()
    really, asked = loop.getaddrinfo, list[str]()
    answers = {"camera.example": ["127.0.0.1", "169.254.169.254"], "both.example": ["127.0.0.1,169.254.169.254"]}

    async def rebinding(host: str, port: int, **more: int) -> list[tuple[object, ...]]:
        if host not in answers:
            return await really(host, port, **more)  # the loop asks for what is an address already
        asked.append(host)
        told = answers[host][min(asked.count(host), len(answers[host])) - 1]
        return [entry for one in told.split(",") for entry in await really(one, port, **more)]

    monkeypatch.setattr(loop, "getaddrinfo", rebinding)

    def policy(address: str) -> bool:
        return may_reach(address, allow_loopback=True)

    async with served(camera) as (url, _):
        result = await probe(url.replace("127.0.0.1", "camera.example"), "", "", policy=policy)
        assert (result.ok, asked, camera.joined) == (True, ["camera.example"], 1)
        again = await probe(url.replace("127.0.0.1", "camera.example"), "", "", policy=policy)
        assert (again.step, camera.joined) == ("rtsp_host_forbidden", 1)
        both = await probe(url.replace("127.0.0.1", "both.example"), "", "", policy=policy)
        assert (both.step, camera.joined) == ("rtsp_host_forbidden", 1), "one bad address spoils the name"


@pytest.mark.parametrize("field", ["Location", "Contact", "Content-Base", "Content-Location"])
async def test_a_camera_sends_nobody_elsewhere(field: str) -> None:
    elsewhere = Camera()
    asked: list[str] = []

    async with served(elsewhere) as (target, _):

        async def misleading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    request = (await reader.readuntil(b"\r\n\r\n")).decode()
                    asked.append(request.split(" ")[0])
                    number = request.lower().partition("cseq:")[2].split("\r\n")[0].strip()
                    moved = field in ("Location", "Contact")
                    body = "" if moved or not request.startswith("DESCRIBE") else SDP
                    status = "200 OK" if body or request.startswith("OPTIONS") else "302 Moved"
                    writer.write(
                        f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n{field}: {target}\r\nContent-Type: application/sdp\r\n"
                        f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
                    )
            writer.close()

        server = await asyncio.start_server(misleading, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        result = await probe(f"rtsp://127.0.0.1:{port}/live", "", "")
        server.close()
        assert "DESCRIBE" in asked
        assert (result.ok, result.step) == (False, "rtsp_refused")
        assert elsewhere.joined == 0
    assert elsewhere.described == 0, "nobody even asked there"


async def test_a_probe_answers_with_the_tracks_and_lets_go() -> None:
    camera = Camera()
    async with served(camera, ServerAuth("camera", {"admin": "right"}, ("Basic",))) as (url, _):
        result = await probe(url, "admin", "right")
        assert result.ok
        assert result.transport == "tcp"
        assert result.tracks[0] == {"kind": "video", "codec": "h264", "width": 1920, "height": 1080, "fps": 30.0}
        assert result.tracks[1] == {"kind": "audio", "codec": "pcma", "sample_rate": 8000, "channels": 1}
        await until(lambda: not camera.viewers)


async def test_a_server_full_of_noise_is_a_step_not_a_crash() -> None:
    async def noise(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\xff" * 600_000)
        writer.close()

    server = await asyncio.start_server(noise, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with pulled(RtspSource(f"rtsp://127.0.0.1:{port}/")) as (told, _):
        await until(lambda: len(told.states) > 1)
        assert told.states[1][0] == "lost"
        assert told.states[1][1] in ("rtsp_bad_answer", "rtsp_closed")
    server.close()
    await server.wait_closed()
