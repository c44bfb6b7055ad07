"""A device that shares no code with the platform: plain sockets, texts put together by hand, its own MD5.

It says nothing by itself. A test gives it the habits of some maker by the text it lets it send.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
from collections.abc import Callable
from types import TracebackType

PLATFORM = "34020000002000000001"
DOMAIN = "3402000000"
CODE = "34020000001180000001"
CAMERA = "34020000001310000001"
PASSWORD = "secret-7"


class Heard:
    """A message of the platform, taken apart as far as a cheap device would."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        head, _, self.body = data.partition(b"\r\n\r\n")
        self.start, *lines = head.decode("utf-8", "replace").split("\r\n")
        self.fields = [(name.strip().lower(), value.strip()) for name, _, value in (x.partition(":") for x in lines)]

    def get(self, name: str) -> str:
        return next((value for key, value in self.fields if key == name.lower()), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name.lower()]

    @property
    def status(self) -> int:
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        return "" if self.status else self.start.split(" ")[0]

    def __repr__(self) -> str:
        return f"<{self.start}>"


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class Foreigner:
    """One device on one socket. `tcp`: one connection for everything."""

    def __init__(
        self, server: tuple[str, int], *, tcp: bool = False, code: str = CODE, host: str = "127.0.0.1"
    ) -> None:
        self.server = server
        self.code = code
        self.tcp = tcp
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
        self.sock.bind((host, 0))
        self.sock.setblocking(False)
        self.port: int = self.sock.getsockname()[1]
        self.branch = 0
        self.cseq = 0
        self.inbox: list[Heard] = []
        self._stream = b""

    async def __aenter__(self) -> Foreigner:
        if self.tcp:
            await asyncio.get_running_loop().sock_connect(self.sock, self.server)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sock.close()

    async def send(self, data: bytes | str) -> None:
        data = data.encode() if isinstance(data, str) else data
        loop = asyncio.get_running_loop()
        if self.tcp:
            await loop.sock_sendall(self.sock, data)
        else:
            await loop.sock_sendto(self.sock, data, self.server)

    async def _read(self) -> Heard:
        loop = asyncio.get_running_loop()
        if not self.tcp:
            return Heard(await loop.sock_recv(self.sock, 65_536))
        while True:
            end = self._stream.find(b"\r\n\r\n")
            if end >= 0:
                length = int(Heard(self._stream[: end + 4]).get("content-length") or 0)
                if len(self._stream) >= end + 4 + length:
                    whole, self._stream = self._stream[: end + 4 + length], self._stream[end + 4 + length :]
                    return Heard(whole)
            more = await loop.sock_recv(self.sock, 65_536)
            if not more:
                raise ConnectionResetError
            self._stream += more

    async def until(self, wanted: Callable[[Heard], bool], seconds: float = 60.0) -> Heard:
        """The next message of that kind; what comes before it stays in the inbox."""
        for number, heard in enumerate(self.inbox):
            if wanted(heard):
                return self.inbox.pop(number)
        async with asyncio.timeout(seconds):
            while True:
                heard = await self._read()
                if wanted(heard):
                    return heard
                self.inbox.append(heard)

    async def answer_to(self, cseq: int, method: str) -> Heard:
        """The final response to a request of ours."""
        return await self.until(lambda h: h.status >= 200 and h.get("cseq").split() == [str(cseq), method])

    async def request(self, method: str, text: str | Callable[[int], str]) -> Heard:
        """Send `text` (told its CSeq) and wait for its answer."""
        self.cseq += 1
        await self.send(text if isinstance(text, str) else text(self.cseq))
        return await self.answer_to(self.cseq, method)

    async def asked(self, method: str, match: str = "") -> Heard:
        """The next request of the platform whose body holds `match`; the others are answered with a bare 200."""
        while True:
            heard = await self.until(lambda h: h.method != "" and h.method != "ACK")
            if heard.method == method and re.search(match, heard.body.decode("gb18030", "replace")):
                return heard
            await self.send(answer(heard, 200))

    def register(self, cseq: int, authorization: str = "", *, expires: str = "Expires: 3600\r\n") -> str:
        """An ordinary REGISTER, for tests whose point lies elsewhere."""
        self.branch += 1
        way = "TCP" if self.tcp else "UDP"
        return (
            f"REGISTER sip:{PLATFORM}@{DOMAIN} SIP/2.0\r\n"
            f"Via: SIP/2.0/{way} 127.0.0.1:{self.port};rport;branch=z9hG4bK{self.port}{self.branch}\r\n"
            f"From: <sip:{self.code}@{DOMAIN}>;tag=77\r\nTo: <sip:{self.code}@{DOMAIN}>\r\n"
            f"Call-ID: 12345678@127.0.0.1\r\nCSeq: {cseq} REGISTER\r\n"
            f"Contact: <sip:{self.code}@127.0.0.1:{self.port}>\r\n{authorization}Max-Forwards: 70\r\n"
            f"{expires}Content-Length: 0\r\n\r\n"
        )

    async def sign_in(self, *, username: str = "", expires: str = "Expires: 3600\r\n") -> Heard:
        """Register in the ordinary way."""
        first = await self.request("REGISTER", lambda n: self.register(n, expires=expires))
        assert first.status == 401, first
        line = authorization(first, username or self.code)
        return await self.request("REGISTER", lambda n: self.register(n, line, expires=expires))

    def message(self, cseq: int, body: bytes, *, kind: str = "Application/MANSCDP+xml", more: str = "") -> bytes:
        """An ordinary MESSAGE."""
        self.branch += 1
        way = "TCP" if self.tcp else "UDP"
        head = (
            f"MESSAGE sip:{PLATFORM}@{DOMAIN} SIP/2.0\r\n"
            f"Via: SIP/2.0/{way} 127.0.0.1:{self.port};rport;branch=z9hG4bK{self.port}{self.branch}\r\n"
            f"From: <sip:{self.code}@{DOMAIN}>;tag=77\r\nTo: <sip:{PLATFORM}@{DOMAIN}>\r\n"
            f"Call-ID: {self.branch}@127.0.0.1\r\nCSeq: {cseq} MESSAGE\r\nMax-Forwards: 70\r\n{more}"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def say(self, body: bytes, **kwargs: str) -> Heard:
        """Send a MESSAGE and wait for its answer."""
        self.cseq += 1
        await self.send(self.message(self.cseq, body, **kwargs))
        return await self.answer_to(self.cseq, "MESSAGE")

    async def keepalive(self) -> Heard:
        return await self.say(keepalive(self.code))


def keepalive(code: str = CODE) -> bytes:
    return (
        '<?xml version="1.0"?>\r\n<Notify>\r\n<CmdType>Keepalive</CmdType>\r\n<SN>1</SN>\r\n'
        f"<DeviceID>{code}</DeviceID>\r\n<Status>OK</Status>\r\n</Notify>\r\n"
    ).encode()


def challenge_of(heard: Heard) -> dict[str, str]:
    text = heard.get("www-authenticate")
    return {name.lower(): quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', text)}


def proof(realm: str, nonce: str, username: str = CODE, *, uri: str = "", password: str = PASSWORD) -> str:
    uri = uri or f"sip:{PLATFORM}@{DOMAIN}"
    return md5(f"{md5(f'{username}:{realm}:{password}')}:{nonce}:{md5(f'REGISTER:{uri}')}")


def authorization(heard: Heard, username: str = CODE, *, password: str = PASSWORD) -> str:
    """The line a device of 2011 writes: no qop, no cnonce."""
    said = challenge_of(heard)
    uri = f"sip:{PLATFORM}@{DOMAIN}"
    response = proof(said["realm"], said["nonce"], username, password=password)
    return (
        f'Authorization: Digest username="{username}", realm="{said["realm"]}", nonce="{said["nonce"]}", '
        f'uri="{uri}", response="{response}", algorithm=MD5\r\n'
    )


def answer(
    heard: Heard, status: int, *, more: str = "", body: bytes = b"", tag: str = "99", reason: str = "OK"
) -> bytes:
    """A response as a device writes it."""
    to = heard.get("to")
    to = to if "tag=" in to or status == 100 else f"{to};tag={tag}"
    head = f"SIP/2.0 {status} {reason}\r\n" + "".join(f"Via: {via}\r\n" for via in heard.all("via"))
    head += f"From: {heard.get('from')}\r\nTo: {to}\r\nCall-ID: {heard.get('call-id')}\r\nCSeq: {heard.get('cseq')}\r\n"
    return f"{head}{more}Content-Length: {len(body)}\r\n\r\n".encode() + body
