"""An RTSP client session (RFC 2326): DESCRIBE, SETUP of each track, PLAY, keep-alive, TEARDOWN. Told the time.

The order of requests is a generator (`_script`): it yields a request and goes on with its answer, so that it reads as
the protocol runs. Everything the caller has to do comes back as outputs.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final, NamedTuple

from safecity.kit.errors import InvalidError, Param
from safecity.protocols.rtsp.auth import ClientAuth
from safecity.protocols.rtsp.message import (
    Interleaved,
    RtspDecoder,
    RtspRequest,
    RtspResponse,
    response_to,
)
from safecity.protocols.rtsp.tracks import Offer, Track, choose_tracks
from safecity.protocols.rtsp.transport import (
    DEFAULT_TIMEOUT,
    RtspUrl,
    Transport,
    parse_rtp_info,
    parse_session,
    parse_transports,
)
from safecity.protocols.sdp import parse_sdp

ANSWER_SECONDS: Final = 8.0


class Send(NamedTuple):
    """Put these bytes on the connection."""

    data: bytes


class NeedPorts(NamedTuple):
    """Open a pair of UDP ports for this track, then call `ports`."""

    track: int


class Described(NamedTuple):
    """The camera's offer; with `describe_only` the session is over."""

    offer: Offer


class Playing(NamedTuple):
    """PLAY was answered. `server_ports` by track, for UDP; `rtp_times` is where each track begins, where said."""

    tracks: tuple[Track, ...]
    server_ports: tuple[tuple[int, int] | None, ...]
    rtp_times: tuple[int | None, ...]


class Media(NamedTuple):
    """A packet of RTP (or, with `control`, RTCP) that came over the connection."""

    track: int
    control: bool
    data: bytes


class Failed(NamedTuple):
    """It failed at `step` (a code of the catalogue): close the connection."""

    step: str
    params: dict[str, Param]


Output = Send | NeedPorts | Described | Playing | Media | Failed
_Script = Generator[RtspRequest | NeedPorts, RtspResponse | int, None]


class ClientSession:
    """One try. `transport` is `tcp` (interleaved) or `udp`; `media_channel` writes RTCP back on TCP."""

    def __init__(
        self,
        url: RtspUrl,
        auth: ClientAuth,
        *,
        transport: str = "tcp",
        user_agent: str = "Safecity",
        describe_only: bool = False,
    ) -> None:
        self._url = url
        self._auth = auth
        self._tcp = transport == "tcp"
        self._agent = user_agent
        self._describe_only = describe_only
        self._decoder = RtspDecoder()
        self._cseq = 0
        self._session = ""
        self._timeout = DEFAULT_TIMEOUT
        self._public = ""
        self._outputs: list[Output] = []
        self._script: _Script | None = None
        self._asked: RtspRequest | None = None
        self._cseq_asked = ""
        self._retried = False
        self._deadline: float | None = None
        self._keepalive_at: float | None = None
        self._keepalives: set[str] = set()
        self._channels: dict[int, tuple[int, bool]] = {}
        self._offer: Offer | None = None
        self._server_ports: list[tuple[int, int] | None] = []
        self.playing = False
        self.over = False
        self.strays = 0

    # --- what the caller does --------------------------------------------------------------------------------

    def start(self, now: float) -> list[Output]:
        """Connected: begin."""
        self._script = self._run()
        return self._go(None, now)

    def ports(self, first: int, now: float) -> list[Output]:
        """The pair `first`, `first + 1` is open for the track asked for."""
        return self._go(first, now)

    def receive(self, data: bytes, now: float) -> list[Output]:
        """Bytes of the connection."""
        for item in self._decoder.feed(data):
            if isinstance(item, Interleaved):
                known = self._channels.get(item.channel)
                if known is None:
                    self.strays += 1
                else:
                    self._outputs.append(Media(known[0], known[1], item.data))
            elif isinstance(item, RtspResponse):
                self._answered(item, now)
            elif isinstance(item, RtspRequest):
                self._asked_by_server(item)
            else:
                self.strays += 1
        if self._decoder.broken:
            self._fail("rtsp_bad_answer", {})
        return self._drain()

    def teardown(self) -> list[Output]:
        """Say goodbye; no answer is waited for."""
        self._outputs.clear()
        if self._session and not self.over:
            self._send("TEARDOWN", self._aggregate(), [])
        self.over = True
        return self._drain()

    def control_packet(self, track: int, packet: bytes) -> bytes | None:
        """An RTCP packet of ours as it goes over the connection; None where the track has no channel."""
        for channel, known in self._channels.items():
            if known == (track, True):
                return b"$" + bytes((channel,)) + len(packet).to_bytes(2, "big") + packet
        return None

    def next_deadline(self) -> float | None:
        """When `expire` has work next."""
        times = [at for at in (self._deadline, self._keepalive_at) if at is not None]
        return None if self.over or not times else min(times)

    def expire(self, now: float) -> list[Output]:
        """Give up what was not answered; keep the session alive."""
        if self.over:
            return []
        if self._deadline is not None and now >= self._deadline and self._asked is not None:
            self._fail("rtsp_timeout", {"method": self._asked.method})
        elif self._keepalive_at is not None and now >= self._keepalive_at:
            self._keepalive_at = now + self._keepalive_seconds()
            # RFC 2326, 10.8: GET_PARAMETER without a body is the ping; who does not know it gets OPTIONS.
            method = "GET_PARAMETER" if "GET_PARAMETER" in self._public else "OPTIONS"
            if len(self._keepalives) < 16:
                self._keepalives.add(self._send(method, self._aggregate(), []))
        return self._drain()

    # --- the order of things -----------------------------------------------------------------------------------

    def _run(self) -> _Script:
        answer = yield self._request("OPTIONS", str(self._url), [])
        if isinstance(answer, RtspResponse) and answer.status < 300:
            self._public = answer.get("Public").upper()
        # A refused OPTIONS means nothing: some cameras know DESCRIBE alone.
        answer = yield self._request("DESCRIBE", str(self._url), [("Accept", "application/sdp")])
        if not isinstance(answer, RtspResponse) or self._refused(answer, "DESCRIBE"):
            return
        offer = self._understand(answer)
        if offer is None:
            return
        self._offer = offer
        self._outputs.append(Described(offer))
        if self._describe_only:
            self.over = True
            return
        for number, track in enumerate(offer.tracks):
            wish = Transport(tcp=True, channels=(2 * number, 2 * number + 1))
            if not self._tcp:
                first = yield NeedPorts(number)
                if not isinstance(first, int):
                    return
                wish = Transport(tcp=False, client_ports=(first, first + 1))
            answer = yield self._request("SETUP", track.url, [("Transport", str(wish))])
            if isinstance(answer, RtspResponse) and number and not 200 <= answer.status < 300 and answer.status != 401:
                self._server_ports.append(None)  # pictures without sound are better than none
                continue
            if not isinstance(answer, RtspResponse) or self._refused(answer, "SETUP"):
                return
            if not self._set_up(number, wish, answer):
                return
        answer = yield self._request("PLAY", self._aggregate(), [("Range", "npt=0.000-")])
        if isinstance(answer, RtspResponse) and answer.status in (455, 457, 459, 501):
            answer = yield self._request("PLAY", self._aggregate(), [])  # live sources may not like a range
        if not isinstance(answer, RtspResponse) or self._refused(answer, "PLAY"):
            return
        times = parse_rtp_info(answer.get("RTP-Info"))
        self.playing = True
        self._outputs.append(
            Playing(
                offer.tracks, tuple(self._server_ports), tuple(self._time_of(track, times) for track in offer.tracks)
            )
        )

    def _refused(self, answer: RtspResponse, method: str) -> bool:
        if 200 <= answer.status < 300:
            return False
        step = {401: "rtsp_unauthorized", 403: "rtsp_unauthorized", 404: "rtsp_not_found"}.get(answer.status)
        self._fail(step or "rtsp_refused", {"status": answer.status, "method": method})
        return True

    def _understand(self, answer: RtspResponse) -> Offer | None:
        base = answer.get("Content-Base") or answer.get("Content-Location")
        try:
            offer = choose_tracks(parse_sdp(answer.body), self._url, base)
        except InvalidError as error:
            self._fail("rtsp_no_video", {"reason": str(error.params.get("reason", ""))})
            return None
        if not any(track.kind == 0 for track in offer.tracks):
            video = [name for name in offer.unsupported if name.startswith("video/")]
            if video:
                self._fail("codec_unsupported", {"codec": video[0].removeprefix("video/")})
            else:
                self._fail("rtsp_no_video", {"reason": "no video in the description"})
            return None
        return offer

    def _set_up(self, number: int, wish: Transport, answer: RtspResponse) -> bool:
        """Take the answer to a SETUP over; what the camera really does may differ from what we asked."""
        given = next(iter(parse_transports(answer.get("Transport"))), None)
        if given is None:
            given = wish  # some cameras leave the field out when they agree
        if given.tcp != self._tcp and (given.channels is None) == self._tcp:
            self._fail("rtsp_refused", {"status": 461, "method": "SETUP"})
            return False
        if self._tcp:
            channels = given.channels or wish.channels or (0, 1)
            if channels[0] in self._channels:
                channels = wish.channels or channels
            self._channels[channels[0]] = (number, False)
            self._channels[channels[1]] = (number, True)
            self._server_ports.append(None)
        else:
            self._server_ports.append(given.server_ports)
        session, timeout = parse_session(answer.get("Session"))
        if session:
            self._session, self._timeout = session, timeout
        return True

    @staticmethod
    def _time_of(track: Track, times: dict[str, int]) -> int | None:
        """RTP-Info names the track by its URL, whole or by its end."""
        for url, stamp in times.items():
            if url and (url == track.url or url.endswith(track.url.rpartition("/")[2]) or track.url.endswith(url)):
                return stamp
        return None

    # --- requests and answers ------------------------------------------------------------------------------------

    def _go(self, value: RtspResponse | int | None, now: float) -> list[Output]:
        if self._script is not None and not self.over:
            try:
                step = next(self._script) if value is None else self._script.send(value)
            except StopIteration:
                self._script = None
                self._deadline = None
                if self.playing:
                    self._keepalive_at = now + self._keepalive_seconds()
            else:
                if isinstance(step, NeedPorts):
                    self._outputs.append(step)
                else:
                    self._ask(step, now)
        return self._drain()

    def _request(self, method: str, url: str, fields: list[tuple[str, str]]) -> RtspRequest:
        return RtspRequest(method, url, tuple(fields))

    def _ask(self, request: RtspRequest, now: float) -> None:
        self._asked = request
        self._retried = False
        self._deadline = now + ANSWER_SECONDS
        self._cseq_asked = self._send(request.method, request.url, list(request.fields))

    def _send(self, method: str, url: str, fields: list[tuple[str, str]]) -> str:
        self._cseq += 1
        built = [("CSeq", str(self._cseq)), ("User-Agent", self._agent), *fields]
        if self._session:
            built.append(("Session", self._session))
        authorization = self._auth.field(method, url)
        if authorization:
            built.append(("Authorization", authorization))
        self._outputs.append(Send(RtspRequest(method, url, tuple(built)).encode()))
        return str(self._cseq)

    def _answered(self, answer: RtspResponse, now: float) -> None:
        number = answer.get("CSeq").split(" ")[0]
        if number in self._keepalives:
            self._keepalives.discard(number)
            if answer.status == 401:
                self._auth.learn(answer)
            elif answer.status == 454:
                self._fail("rtsp_session_lost", {"status": 454})
            return
        if self._asked is None or (number and number != self._cseq_asked) or answer.status < 200:
            return
        asked = self._asked
        if answer.status == 401 and not self._retried and self._auth.learn(answer):
            self._retried = True
            self._deadline = now + ANSWER_SECONDS
            self._cseq_asked = self._send(asked.method, asked.url, list(asked.fields))
            return
        self._asked = None
        self._deadline = None
        self._go_on(answer, now)

    def _go_on(self, answer: RtspResponse, now: float) -> None:
        # Outputs stay queued: `receive` hands them out in order.
        held, self._outputs = self._outputs, []
        self._outputs = [*held, *self._go(answer, now)]

    def _asked_by_server(self, request: RtspRequest) -> None:
        status = 200 if request.method in ("OPTIONS", "SET_PARAMETER", "GET_PARAMETER", "ANNOUNCE") else 501
        self._outputs.append(Send(response_to(request, status).encode()))

    def _aggregate(self) -> str:
        return self._offer.aggregate if self._offer is not None else str(self._url)

    def _keepalive_seconds(self) -> float:
        return max(5.0, min(30.0, self._timeout / 2))

    def _fail(self, step: str, params: dict[str, Param]) -> None:
        if not self.over:
            self.over = True
            self._outputs.append(Failed(step, params))

    def _drain(self) -> list[Output]:
        outputs, self._outputs = self._outputs, []
        return outputs
