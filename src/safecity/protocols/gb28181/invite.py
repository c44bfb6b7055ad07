"""Asking a device for media (GB/T 28181, 9.2, 9.8, 9.9): the offer, the Subject, and what to make of the answer."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from safecity.kit.errors import InvalidError, Param
from safecity.protocols.gb28181.session import VIDEO_PAYLOADS, GbSession, Purpose, read_session
from safecity.protocols.sip.message import Response

ANSWER_SECONDS: Final = 10.0
"""How long a device may take to answer an INVITE before it is cancelled."""
BUSY: Final = 486

_STREAM_WORDS: Final = {
    "hikvision": ("stream:{0}", ("0", "1")),
    "hik": ("stream:{0}", ("0", "1")),
    "dahua": ("streamprofile:{0}", ("0", "1")),
    "tp-link": ("streamMode:{0}", ("main", "sub")),
    "tplink": ("streamMode:{0}", ("main", "sub")),
}
"""How makers before 2022 name the stream, by the beginning of `Manufacturer`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A stream to be asked for. `transport`: `udp`, `tcp_passive` (the device connects to us) or `tcp_active`.

    `start` and `end` are Unix seconds, 0 for live. `platform` is our code; `host` and `port` where we receive.
    """

    platform: str
    channel: str
    host: str
    port: int
    ssrc: int
    transport: str = "udp"
    sub: bool = False
    purpose: Purpose = Purpose.PLAY
    start: int = 0
    end: int = 0
    download_speed: int = 0
    manufacturer: str = ""


def offer(wish: Wish) -> GbSession:
    """The SDP of the INVITE."""
    tcp = wish.transport != "udp"
    number, words = _stream(wish)
    return GbSession(
        owner=wish.platform,
        purpose=wish.purpose,
        host=wish.host,
        port=wish.port,
        tcp=tcp,
        setup="active" if wish.transport == "tcp_active" else "passive" if tcp else "",
        payloads=VIDEO_PAYLOADS,
        ssrc=wish.ssrc,
        start=wish.start,
        end=wish.end,
        source=f"{wish.channel}:0" if wish.purpose.is_history else "",
        download_speed=wish.download_speed if wish.purpose is Purpose.DOWNLOAD else 0,
        stream_number=number,
        stream_words=words,
    )


def _stream(wish: Wish) -> tuple[int | None, tuple[str, ...]]:
    if wish.purpose.is_history:
        return None, ()
    maker = wish.manufacturer.strip().lower()
    for beginning, (word, names) in _STREAM_WORDS.items():
        if maker.startswith(beginning):
            return (1 if wish.sub else None), (word.format(names[wish.sub]),)
    return (1, ("stream:1",)) if wish.sub else (None, ())


def subject(wish: Wish) -> str:
    """`Subject`. The sender's sequence stays the same for one live source, so that an INVITE after a lost BYE
    replaces the stream that nobody ended; for history it is as unique as the SSRC."""
    middle = f"{wish.ssrc:010d}"[1:6]
    sequence = f"{wish.ssrc:010d}" if wish.purpose.is_history else f"0{middle}000{int(wish.sub)}"
    return f"{wish.channel}:{sequence},{wish.platform}:0"


@dataclass(frozen=True, slots=True)
class Agreed:
    """The device sends. `ssrc` is its word, trusted over ours; host and port are a hint (UDP) or to be dialled."""

    ssrc: int
    host: str
    port: int
    file_size: int = 0


@dataclass(frozen=True, slots=True)
class Declined:
    """It does not, and why; `busy`: it has no more sessions to give, so do not press."""

    code: str
    params: dict[str, Param]
    busy: bool = False


def judge(wish: Wish, response: Response, signalling_host: str) -> Agreed | Declined:
    """What a final response to our INVITE means."""
    if response.status == BUSY:
        return Declined("gb_busy", {"status": response.status, "reason": response.reason[:80]}, busy=True)
    if response.status in (408, 487):
        return Declined("gb_no_sip_answer", {"status": response.status})
    if response.status >= 300:
        return Declined("gb_refused", {"status": response.status, "reason": response.reason[:80]})
    try:
        answer = read_session(response.body)
    except InvalidError:
        if wish.transport != "tcp_active" and not response.body.strip():
            return Agreed(wish.ssrc, signalling_host, 0)  # an empty 200 still sends, where it need not be dialled
        return Declined("gb_bad_sdp", {"what": "no media line"})
    host = trusted_host(answer.host, signalling_host)
    if wish.transport == "tcp_active" and not answer.port:
        return Declined("gb_bad_sdp", {"what": "no port to connect to"})
    ssrc = answer.ssrc if answer.ssrc else wish.ssrc
    return Agreed(ssrc, host, answer.port, answer.file_size)


def trusted_host(claimed: str, seen: str) -> str:
    """The address media may come from or be fetched at: what the SDP says where that is plausible, else where the
    signalling came from (behind NAT devices write their private address; hostile ones somebody else's)."""
    try:
        there, here = ipaddress.ip_address(claimed), ipaddress.ip_address(seen)
    except ValueError:
        return seen
    if there.is_unspecified or there.is_multicast or there.is_link_local or there.is_loopback != here.is_loopback:
        return seen
    return claimed if there.is_private == here.is_private else seen
