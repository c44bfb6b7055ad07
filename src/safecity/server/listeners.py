"""The sockets of a node: opened once by the supervisor, inherited by the duties, alive while a duty restarts."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass, field

from safecity.kit.errors import ConflictError
from safecity.server.settings import Settings

_SO_RCVBUFFORCE = 33


@dataclass
class Listeners:
    """`sockets[name]`; names are those of docs/design/contracts.md."""

    sockets: dict[str, socket.socket] = field(default_factory=dict[str, socket.socket])

    def port(self, name: str) -> int:
        return int(self.sockets[name].getsockname()[1])

    def of(self, *names: str) -> dict[str, int]:
        """Descriptors by name, for one duty."""
        return {name: self.sockets[name].fileno() for name in names}

    def of_slot(self, slot: int) -> dict[str, int]:
        """What media slot `slot` needs: its RTP ports renamed from 0, and the viewers' port."""
        prefix = f"slot{slot}/"
        own = {name.removeprefix(prefix): s.fileno() for name, s in self.sockets.items() if name.startswith(prefix)}
        return own | self.of("media")

    def close(self) -> None:
        for opened in self.sockets.values():
            opened.close()
        self.sockets.clear()


def _bind(kind: socket.SocketKind, host: str, port: int, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, kind)
    try:
        if kind == socket.SOCK_STREAM:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        protocol = "TCP" if kind == socket.SOCK_STREAM else "UDP"
        raise ConflictError(
            f"{protocol} port {port} cannot be opened ({error.strerror}): stop what uses it, or set {setting}"
            " in safecity.toml",
            code="port_taken",
            params={"port": port, "protocol": protocol, "setting": setting},
        ) from error
    opened.set_inheritable(True)
    return opened


def _listen(host: str, port: int, setting: str) -> socket.socket:
    opened = _bind(socket.SOCK_STREAM, host, port, setting)
    opened.listen(1024)
    return opened


def _pair(host: str, port: int, setting: str) -> tuple[socket.socket, socket.socket]:
    """UDP and TCP on the same number; with port 0 the system chooses one that is free for both."""
    for _ in range(50):
        udp = _bind(socket.SOCK_DGRAM, host, port, setting)
        try:
            return udp, _listen(host, port or udp.getsockname()[1], setting)
        except ConflictError:
            udp.close()
            if port:
                raise
    raise ConflictError("no free pair of ports", code="port_taken", params={"setting": setting})


def widen(receiver: socket.socket, size: int) -> int:
    """Give a UDP socket a large buffer, past the system's limit where we may; the size reached."""
    for option in (_SO_RCVBUFFORCE, socket.SO_RCVBUF):
        with contextlib.suppress(OSError):
            receiver.setsockopt(socket.SOL_SOCKET, option, size)
            break
    return receiver.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2


def open_listeners(settings: Settings) -> Listeners:
    """Open all of a node, or none: ConflictError says which port is taken and which setting moves it."""
    opened = Listeners()
    try:
        opened.sockets["http"] = _listen(settings.http.host, settings.http.port, "http.port")
        opened.sockets["media"] = _listen(settings.http.host, settings.media.port, "media.port")
        udp, tcp = _pair(settings.sip.host, settings.sip.port, "sip.port")
        opened.sockets |= {"sip-udp": udp, "sip-tcp": tcp}
        widen(udp, settings.media.rcvbuf_bytes)
        if settings.jt808.enabled:
            opened.sockets["jt808-tcp"] = _listen(settings.jt808.host, settings.jt808.port, "jt808.port")
        if settings.jt808.takes_attachments():
            port = settings.jt808.attachment_port
            opened.sockets["jt808-attachments"] = _listen(settings.jt808.host, port, "jt808.attachment_port")
        if settings.ais.enabled:
            udp, tcp = _pair(settings.ais.host, settings.ais.port, "ais.port")
            opened.sockets |= {"ais-udp": udp, "ais-tcp": tcp}
        first, count = settings.media.rtp_first_port, settings.media.rtp_ports
        for slot in range(settings.media.slot_count()):
            for index in range(count):
                port = first + slot * count + index if first else 0
                udp, tcp = _pair(settings.sip.host, port, "media.rtp_first_port")
                widen(udp, settings.media.rcvbuf_bytes)
                opened.sockets[f"slot{slot}/rtp-udp-{index}"] = udp
                opened.sockets[f"slot{slot}/rtp-tcp-{index}"] = tcp
    except BaseException:
        opened.close()
        raise
    return opened
