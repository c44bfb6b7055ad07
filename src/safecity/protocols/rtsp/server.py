"""An RTSP server session (RFC 2326), one for each connection: what it answers, and where media is to go.

The caller owns sockets, clock and the media itself; it hands in `describe` (path -> SDP) and carries out the outputs.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from safecity.protocols.rtsp.message import (
    Interleaved,
    Malformed,
    RtspDecoder,
    RtspRequest,
    RtspResponse,
    interleave,
    response_to,
)
from safecity.protocols.rtsp.transport import DEFAULT_TIMEOUT, Transport, parse_rtsp_url, parse_transports
from safecity.protocols.sdp import SessionDescription
from safecity.protocols.sip.digest import Challenge, parse_credentials

METHODS: Final = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN"
MAX_TRACKS: Final = 16

Describe = Callable[[str], SessionDescription | None]
"""The SDP of a path (with query, beginning with `/`), whose controls are `trackID=0` and so on; None: no such path."""


class Send(NamedTuple):
    """Put these bytes on the connection."""

    data: bytes


class Play(NamedTuple):
    """Send the media of `path`: each track by its transport."""

    path: str
    tracks: dict[int, Transport]


class Pause(NamedTuple):
    """Stop sending until the next Play."""


class Over(NamedTuple):
    """TEARDOWN, time-out or nonsense: stop and close the connection."""

    reason: str


class FromPeer(NamedTuple):
    """An RTCP packet of the client that came over the connection."""

    track: int
    data: bytes


Output = Send | Play | Pause | Over | FromPeer


@dataclass(frozen=True, slots=True)
class ServerAuth:
    """Who may look. `schemes`: any of `Digest`, `Basic`; `algorithm` of the digest."""

    realm: str
    users: dict[str, str]
    schemes: tuple[str, ...] = ("Digest",)
    algorithm: str = "MD5"
    qop: str = ""


class ServerSession:
    """`session` and `nonce` are random texts of the caller; `server_ports` the UDP pair that media is sent from."""

    def __init__(
        self,
        describe: Describe,
        *,
        session: str,
        nonce: str,
        auth: ServerAuth | None = None,
        server_ports: tuple[int, int] | None = None,
        timeout_seconds: int = DEFAULT_TIMEOUT,
    ) -> None:
        self._describe = describe
        self._id = session
        self._nonce = nonce
        self._auth = auth
        self._server_ports = server_ports
        self._timeout = timeout_seconds
        self._decoder = RtspDecoder()
        self._path = ""
        self._tracks: dict[int, Transport] = {}
        self._channels: dict[int, int] = {}
        self._heard: float | None = None
        self.playing = False
        self.over = False

    def packet(self, track: int, data: bytes, *, control: bool = False) -> bytes | None:
        """A packet as it goes over the connection, None where the track does not go there."""
        transport = self._tracks.get(track)
        if transport is None or not transport.tcp or transport.channels is None:
            return None
        return interleave(transport.channels[1 if control else 0], data)

    def receive(self, data: bytes, now: float) -> list[Output]:
        """Bytes of the connection."""
        self._heard = now
        outputs: list[Output] = []
        for item in self._decoder.feed(data):
            if self.over:
                break
            if isinstance(item, RtspRequest):
                self._request(item, outputs)
            elif isinstance(item, Interleaved):
                if item.channel in self._channels:
                    outputs.append(FromPeer(self._channels[item.channel], item.data))
            elif isinstance(item, Malformed):
                outputs.append(Send(RtspResponse(400, "Bad Request", ()).encode()))
        if self._decoder.broken and not self.over:
            self.over = True
            outputs.append(Over("nonsense"))
        return outputs

    def next_deadline(self) -> float | None:
        """When a silent client is given up; over TCP its connection is its life."""
        if self._heard is None or self.over or any(transport.tcp for transport in self._tracks.values()):
            return None
        return self._heard + self._timeout + 5

    def alive(self, now: float) -> None:
        """The client was heard by other ways (RTCP over UDP)."""
        self._heard = now

    def expire(self, now: float) -> list[Output]:
        """Give up who is silent."""
        deadline = self.next_deadline()
        if deadline is None or now < deadline:
            return []
        self.over = True
        return [Over("silent")]

    def _request(self, request: RtspRequest, outputs: list[Output]) -> None:
        handler = {
            "OPTIONS": self._options,
            "DESCRIBE": self._described,
            "SETUP": self._set_up,
            "PLAY": self._play,
            "PAUSE": self._pause,
            "GET_PARAMETER": self._ping,
            "SET_PARAMETER": self._ping,
            "TEARDOWN": self._teardown,
        }.get(request.method)
        if handler is None:
            outputs.append(Send(response_to(request, 501, [("Public", METHODS)]).encode()))
        elif request.method != "OPTIONS" and not self._authorized(request):
            challenges = [("WWW-Authenticate", text) for text in self._challenges()]
            outputs.append(Send(response_to(request, 401, challenges).encode()))
        else:
            handler(request, outputs)

    def _options(self, request: RtspRequest, outputs: list[Output]) -> None:
        outputs.append(Send(response_to(request, 200, [("Public", METHODS)]).encode()))

    def _described(self, request: RtspRequest, outputs: list[Output]) -> None:
        sdp = self._describe(_path(request.url))
        if sdp is None:
            outputs.append(Send(response_to(request, 404).encode()))
            return
        base = request.url if request.url.endswith("/") else request.url + "/"
        fields = [("Content-Base", base), ("Content-Type", "application/sdp")]
        outputs.append(Send(response_to(request, 200, fields, sdp.encode()).encode()))

    def _set_up(self, request: RtspRequest, outputs: list[Output]) -> None:
        path, _, name = _path(request.url).rpartition("/")
        number = name.removeprefix("trackID=")
        sdp = self._describe(path) if number.isascii() and number.isdigit() and len(number) < 4 else None
        if sdp is None or int(number) >= min(len(sdp.media), MAX_TRACKS) or (self._path and path != self._path):
            outputs.append(Send(response_to(request, 404).encode()))
            return
        chosen = next(filter(None, map(self._accept, parse_transports(request.get("Transport")))), None)
        if chosen is None:
            outputs.append(Send(response_to(request, 461).encode()))
            return
        self._path = path
        self._tracks[int(number)] = chosen
        if chosen.tcp and chosen.channels is not None:
            self._channels[chosen.channels[1]] = int(number)
        fields = [("Transport", str(chosen)), ("Session", f"{self._id};timeout={self._timeout}")]
        outputs.append(Send(response_to(request, 200, fields).encode()))

    def _accept(self, wish: Transport) -> Transport | None:
        if wish.multicast:
            return None
        if wish.tcp:
            used = 2 * len(self._tracks)
            return Transport(tcp=True, channels=wish.channels or (used, used + 1))
        if self._server_ports is None or wish.client_ports is None:
            return None
        return Transport(tcp=False, client_ports=wish.client_ports, server_ports=self._server_ports)

    def _play(self, request: RtspRequest, outputs: list[Output]) -> None:
        if not self._tracks or not self._known(request):
            outputs.append(Send(response_to(request, 454 if self._tracks else 455).encode()))
            return
        self.playing = True
        outputs.append(Send(response_to(request, 200, [("Session", self._id), ("Range", "npt=now-")]).encode()))
        outputs.append(Play(self._path, dict(self._tracks)))

    def _pause(self, request: RtspRequest, outputs: list[Output]) -> None:
        if not self.playing or not self._known(request):
            outputs.append(Send(response_to(request, 455 if self._known(request) else 454).encode()))
            return
        self.playing = False
        outputs.append(Send(response_to(request, 200, [("Session", self._id)]).encode()))
        outputs.append(Pause())

    def _ping(self, request: RtspRequest, outputs: list[Output]) -> None:
        outputs.append(Send(response_to(request, 200, [("Session", self._id)]).encode()))

    def _teardown(self, request: RtspRequest, outputs: list[Output]) -> None:
        if not self._known(request):
            outputs.append(Send(response_to(request, 454).encode()))
            return
        self.playing = False
        self.over = True
        outputs.append(Send(response_to(request, 200, [("Session", self._id)]).encode()))
        outputs.append(Over("teardown"))

    def _known(self, request: RtspRequest) -> bool:
        return request.get("Session").partition(";")[0].strip() == self._id

    def _challenges(self) -> list[str]:
        if self._auth is None:
            return []
        digest = Challenge(self._auth.realm, self._nonce, self._auth.algorithm, self._auth.qop)
        texts = {"Digest": str(digest), "Basic": f'Basic realm="{self._auth.realm}"'}
        return [texts[scheme] for scheme in self._auth.schemes]

    def _authorized(self, request: RtspRequest) -> bool:
        if self._auth is None:
            return True
        text = request.get("Authorization")
        scheme = text.partition(" ")[0].lower()
        if scheme == "digest" and "Digest" in self._auth.schemes:
            try:
                credentials = parse_credentials(text)
            except ValueError:
                return False
            password = self._auth.users.get(credentials.username)
            fresh = credentials.nonce == self._nonce and credentials.algorithm == self._auth.algorithm
            return password is not None and fresh and credentials.matches(request.method, password)
        if scheme == "basic" and "Basic" in self._auth.schemes:
            try:
                name, _, given = base64.b64decode(text.partition(" ")[2], validate=True).partition(b":")
            except (binascii.Error, ValueError):
                return False
            password = self._auth.users.get(name.decode("utf-8", "replace"))
            return password is not None and hmac.compare_digest(password.encode(), given)
        return False


def _path(url: str) -> str:
    try:
        return parse_rtsp_url(url).rest.rstrip("/") or "/"
    except ValueError:
        return url if url.startswith("/") else "/"
