"""RTSP cameras that share no code with the puller: texts by hand, own framing, own digest, the habits of makers."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

SPS = base64.b64decode("Z2QAKKzZQHgCJ+WEAAADAAQAAAMA8DxgxlgA")
PPS = base64.b64decode("aOvjyyLA")
H265 = (Path(__file__).parents[2] / "vectors" / "h26x" / "aud_320x240.h265").read_bytes().split(b"\0\0\1")[1:]
VIDEO = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track1\r\n"
AUDIO = "m=audio 0 RTP/AVP 8\r\na=control:track2\r\n"
METADATA = "m=application 0 RTP/AVP 107\r\na=control:track3\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=recvonly\r\n"
HEAD = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=Media\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"


def digest(text: str, algorithm: str) -> str:
    return getattr(hashlib, {"MD5": "md5", "SHA-256": "sha256"}[algorithm])(text.encode()).hexdigest()


@dataclass
class Habits:
    """`{url}` in texts becomes the address of the camera."""

    sdp: str = HEAD + VIDEO + AUDIO
    public: str = "Public: OPTIONS, DESCRIBE, SETUP, TEARDOWN, PLAY\r\n"
    base: str = "Content-Base: {url}/\r\n"
    tracks: tuple[str, ...] = ("{url}/track1", "{url}/track2")
    challenges: tuple[str, ...] = ()
    nonce_each_time: bool = False
    options_status: int = 200
    setup_status: dict[int, int] = field(default_factory=dict)
    session: str = "Session: 4711;timeout=60\r\n"
    transport: str = "Transport: RTP/AVP/TCP;unicast;interleaved={a}-{b};ssrc=1234ABCD\r\n"
    channels: tuple[int, ...] = (0, 2)
    early: bool = False
    marker: bool = True
    chunk: int = 0
    answers_teardown: bool = True
    line_end: str = "\r\n"
    cseq_name: str = "CSeq"
    pictures: Callable[[int, bool], list[tuple[bytes, bool]]] | None = None
    sound: tuple[int, bytes, int] = (8, b"\xd5" * 320, 320)


class ForeignCamera:
    """Over the connection only; one viewer."""

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.set_up: list[str] = []
        self.nonce = "abc0"
        self.tasks: list[asyncio.Task[None]] = []
        self.url = ""
        self.gone = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                first = await reader.readexactly(1)
                if first == b"$":  # receiver reports
                    _, size = struct.unpack("!BH", await reader.readexactly(3))
                    await reader.readexactly(size)
                    continue
                head = (first + await reader.readuntil(b"\r\n\r\n")).decode()
                start, *lines = head.split("\r\n")
                fields = {name.strip().lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
                method, url, _ = start.split(" ")
                self.asked.append((method, url, fields))
                await self.answer(method, url, fields, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            for task in self.tasks:
                task.cancel()
            writer.close()
            self.gone.set()

    async def say(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        step = self.habits.chunk or len(data)
        for at in range(0, len(data), max(1, step)):
            writer.write(data[at : at + step])
            if self.habits.chunk:
                await asyncio.sleep(0)

    async def reply(
        self, writer: asyncio.StreamWriter, status: int, fields: dict[str, str], more: str = "", body: bytes = b""
    ) -> None:
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        cseq = f"{self.habits.cseq_name}: {fields.get('cseq', '')}\r\n" if self.habits.cseq_name else ""
        text = f"RTSP/1.0 {status} Whatever\r\n{cseq}{more}{length}\r\n".replace("{url}", self.url)
        await self.say(writer, text.replace("\r\n", self.habits.line_end).encode() + body)

    def allowed(self, method: str, fields: dict[str, str]) -> bool:
        text = fields.get("authorization", "")
        if text.startswith("Basic "):
            return base64.b64decode(text[6:]) == b"admin:pass:word" and any(
                "Basic" in c for c in self.habits.challenges
            )
        said = {k: q or p for k, q, p in re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^,\s]+))', text)}
        if not said or said["nonce"] != self.nonce:
            return False
        algorithm = said.get("algorithm", "MD5")
        realm = said["realm"].replace('\\"', '"')
        ha1 = digest(f"admin:{realm}:pass:word", algorithm)
        ha2 = digest(f"{method}:{said['uri']}", algorithm)
        middle = f"{said['nc']}:{said['cnonce']}:{said['qop']}:" if "qop" in said else ""
        return digest(f"{ha1}:{said['nonce']}:{middle}{ha2}", algorithm) == said["response"]

    async def answer(self, method: str, url: str, fields: dict[str, str], writer: asyncio.StreamWriter) -> None:
        habits = self.habits
        if habits.challenges and (method != "OPTIONS" or habits.options_status == 401):
            good = self.allowed(method, fields)
            if habits.nonce_each_time:
                self.nonce = f"abc{len(self.asked)}"
            if not good:
                lines = "".join(f"WWW-Authenticate: {one}\r\n" for one in habits.challenges)
                await self.reply(writer, 401, fields, lines.replace("{nonce}", self.nonce))
                return
        match method:
            case "OPTIONS":
                await self.reply(
                    writer, 200 if habits.options_status == 401 else habits.options_status, fields, habits.public
                )
            case "DESCRIBE":
                body = habits.sdp.replace("{url}", self.url).encode()
                await self.reply(writer, 200, fields, habits.base + "Content-Type: application/sdp\r\n", body)
            case "SETUP":
                expected = [
                    one.replace("{url}", self.url).replace("{port}", self.url.split(":")[2].split("/")[0])
                    for one in habits.tracks
                ]
                number = expected.index(url) if url in expected else -1
                status = 404 if number < 0 else habits.setup_status.get(number, 200)
                if status != 200:
                    await self.reply(writer, status, fields)
                    return
                self.set_up.append(url)
                channel = habits.channels[number]
                way = habits.transport.replace("{a}", str(channel)).replace("{b}", str(channel + 1))
                await self.reply(writer, 200, fields, habits.session + way)
            case "PLAY":
                task = asyncio.create_task(self.play(writer))
                self.tasks.append(task)
                if habits.early:
                    await asyncio.sleep(0.05)
                await self.reply(
                    writer, 200, fields, habits.session.partition(";")[0] + "\r\n" if habits.session else ""
                )
            case "TEARDOWN" if not habits.answers_teardown:
                pass
            case "TEARDOWN":
                await self.reply(writer, 200, fields)
                writer.close()
            case _:
                await self.reply(writer, 405, fields)

    async def play(self, writer: asyncio.StreamWriter) -> None:
        sequences = [100, 200]
        for number in range(100_000):
            key = number % 10 == 0
            if writer.is_closing():
                return
            for payload, marker in (self.habits.pictures or h264)(number, key):
                second = 96 | (0x80 if marker and self.habits.marker else 0)
                head = struct.pack("!BBHII", 0x80, second, sequences[0] & 0xFFFF, number * 3600, 7)
                await self.say(writer, framed(self.habits.channels[0], head + payload))
                sequences[0] += 1
            if len(self.set_up) > 1:
                kind, payload, step = self.habits.sound
                head = struct.pack("!BBHII", 0x80, kind | 0x80, sequences[1] & 0xFFFF, number * step, 8)
                await self.say(writer, framed(self.habits.channels[1], head + payload))
                sequences[1] += 1
            await asyncio.sleep(0.002)


def framed(channel: int, packet: bytes) -> bytes:
    return b"$" + struct.pack("!BH", channel, len(packet)) + packet


def h264(number: int, key: bool) -> list[tuple[bytes, bool]]:
    """Parameter sets each alone, the picture in fragments."""
    nal = (b"\x65\x88" if key else b"\x41\x9a") + bytes((number % 251,)) * 2500
    pieces = [nal[at : at + 1000] for at in range(1, len(nal), 1000)]
    out = [(SPS, False), (PPS, False)] if key else []
    for at, piece in enumerate(pieces):
        flags = (0x80 if at == 0 else 0) | (0x40 if at == len(pieces) - 1 else 0) | nal[0] & 31
        out.append((bytes((nal[0] & 0x60 | 28, flags)) + piece, at == len(pieces) - 1))
    return out


def h265(number: int, key: bool) -> list[tuple[bytes, bool]]:
    """Parameter sets in one aggregate, the picture in fragments; no decoding order numbers anywhere."""
    nal = (b"\x26\x01\xaf" if key else b"\x02\x01\xd0") + bytes((number % 251,)) * 2500
    kind = nal[0] >> 1 & 63
    out: list[tuple[bytes, bool]] = []
    if key:
        sets = [one for one in H265 if one[0] >> 1 & 63 in (32, 33, 34)][:3]
        out.append((b"\x60\x01" + b"".join(struct.pack("!H", len(one)) + one for one in sets), False))
    pieces = [nal[at : at + 1000] for at in range(2, len(nal), 1000)]
    for at, piece in enumerate(pieces):
        last = at == len(pieces) - 1
        out.append((b"\x62\x01" + bytes(((0x80 if at == 0 else 0) | (0x40 if last else 0) | kind,)) + piece, last))
    return out


@asynccontextmanager
async def foreign(habits: Habits) -> AsyncIterator[ForeignCamera]:
    camera = ForeignCamera(habits)
    server = await asyncio.start_server(camera.serve, "127.0.0.1", 0)
    camera.url = f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/cam/1?subtype=0"
    try:
        yield camera
    finally:
        server.close()
        for task in camera.tasks:
            task.cancel()
        await asyncio.gather(*camera.tasks, return_exceptions=True)
