"""By what others come in: browsers, cameras, vehicles, ships, brokers."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from safecity.kit.brokerurl import FORM, BrokerUrl, is_topic, read_broker_url
from safecity.kit.errors import InvalidError
from safecity.kit.upperurl import FORM as UPPER_FORM
from safecity.kit.upperurl import Upper, read_upper
from safecity.server.sections.checks import host_port, listed, malformed, one_of, within


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpSettings:
    """[http] The browser application and the API.

    host          address to listen on
    port          TCP port, 0 takes a free one
    public_host   name or address that browsers and cameras reach; empty: found, and set by the first-run wizard
    tls           `off`, `generated` (own certificate authority, made at first start) or `files`
    certificate, key   PEM files for tls = "files"
    session_idle_minutes, session_hours   a session ends when idle, and at the latest after
    connections_per_address   open at once from one address; behind a proxy everybody comes from its address
    """

    host: str = "0.0.0.0"  # noqa: S104 - a platform is there to be reached; nothing answers without a session
    port: int = 8080
    public_host: str = ""
    tls: str = "off"
    certificate: str = ""
    key: str = ""
    session_idle_minutes: int = 30
    session_hours: int = 12
    connections_per_address: int = 500

    def __post_init__(self) -> None:
        within("http.port", self.port, 0, 65535)
        one_of("http.tls", self.tls, ("off", "generated", "files"))
        within("http.session_idle_minutes", self.session_idle_minutes, 1, 24 * 60)
        within("http.session_hours", self.session_hours, 1, 24 * 7)
        within("http.connections_per_address", self.connections_per_address, 16, 4000)


@dataclass(frozen=True, kw_only=True, slots=True)
class SipSettings:
    """[sip] Signalling of GB/T 28181.

    host              address to listen on, for signalling and media
    port              UDP and TCP, 0 takes a free one
    keepalive_seconds, keepalive_misses   a device is offline after so many missed keepalives
    """

    host: str = "0.0.0.0"  # noqa: S104 - cameras call from anywhere
    port: int = 5060
    keepalive_seconds: int = 60
    keepalive_misses: int = 3

    def __post_init__(self) -> None:
        within("sip.port", self.port, 0, 65535)
        within("sip.keepalive_seconds", self.keepalive_seconds, 5, 3600)
        within("sip.keepalive_misses", self.keepalive_misses, 1, 20)


@dataclass(frozen=True, kw_only=True, slots=True)
class Jt808Settings:
    """[jt808] Vehicle terminals (JT/T 808).

    enabled             listen for them
    host                address to listen on
    port                TCP, 0 takes a free one
    heartbeat_seconds   a terminal is offline after three of these without a word
    connections_per_address   open at once from one address; a network of vehicles often comes from one
    connections_per_second    new ones from one address
    media_host          where vehicles send their pictures (media.rtp_first_port): an address that they reach;
                        empty: the platform's public address, else the one their own connection came to
    picture_days        single pictures, sounds and films that terminals took are kept for so long; 0: none are
    aal2_terminals      phone numbers of terminals whose G.726 is noise: they pack it the other way round (AAL2), which
                        nothing in it says; with commas between, * for all
    attachments         have terminals bring what they recorded of alarms of active safety (T/JSATL 12-2017)
    attachment_port     TCP, where they bring it (at media_host); 0 takes a free one
    attachment_mib      one file may be so large, and all of an alarm four times as much
    attachment_files    files of one alarm
    attachment_hours    so long after its alarm a terminal may bring them
    attachment_connections   open at once from one address
    """

    enabled: bool = False
    host: str = "0.0.0.0"  # noqa: S104 - vehicles call from anywhere
    port: int = 6808
    heartbeat_seconds: int = 60
    connections_per_address: int = 5000
    connections_per_second: int = 200
    media_host: str = ""
    picture_days: int = 30
    aal2_terminals: str = ""
    attachments: bool = True
    attachment_port: int = 6809
    attachment_mib: int = 32
    attachment_files: int = 16
    attachment_hours: int = 24
    attachment_connections: int = 200

    def __post_init__(self) -> None:
        if len(self.media_host) > 255 or any(not 33 <= ord(c) < 127 for c in self.media_host):
            raise malformed("jt808.media_host", self.media_host[:80], "an address")
        within("jt808.port", self.port, 0, 65535)
        within("jt808.heartbeat_seconds", self.heartbeat_seconds, 5, 3600)
        within("jt808.connections_per_address", self.connections_per_address, 1, 50_000)
        within("jt808.connections_per_second", self.connections_per_second, 1, 10_000)
        within("jt808.picture_days", self.picture_days, 0, 3650)
        for one in listed(self.aal2_terminals):
            if one != "*" and not (one.isascii() and one.isdigit() and len(one) <= 20):
                raise malformed("jt808.aal2_terminals", one[:80], "a phone number")
        within("jt808.attachment_port", self.attachment_port, 0, 65535)
        within("jt808.attachment_mib", self.attachment_mib, 1, 256)
        within("jt808.attachment_files", self.attachment_files, 1, 255)
        within("jt808.attachment_hours", self.attachment_hours, 1, 24 * 7)
        within("jt808.attachment_connections", self.attachment_connections, 1, 2000)

    def packs_aal2(self) -> frozenset[str]:
        """Phone numbers without zeros in front, or `*`."""
        return frozenset(one.lstrip("0") for one in listed(self.aal2_terminals))

    def takes_attachments(self) -> bool:
        """Whether anybody is to bring them: what is not kept need not be sent."""
        return self.enabled and self.attachments and self.picture_days > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class AisSettings:
    """[ais] Ships (AIS), as receivers hand on what they hear (NMEA 0183). Nothing of it is signed: whoever reaches the
    port, or has a transmitter, can make up ships.

    enabled   listen for receivers, and call those in `feeds`
    host      address to listen on
    port      TCP and UDP, 0 takes a free one
    senders   addresses or networks that may connect or send here, with commas between; empty: all that reach the port
    feeds     HOST:PORT of receivers that wait to be called (TCP), with commas between
    """

    enabled: bool = False
    host: str = "127.0.0.1"
    port: int = 10110
    senders: str = ""
    feeds: str = ""

    def __post_init__(self) -> None:
        within("ais.port", self.port, 0, 65535)
        for one in self.networks():
            try:
                ipaddress.ip_network(one, strict=False)
            except ValueError as error:
                raise malformed("ais.senders", one, "address or network") from error
        within("ais.feeds", len(self.called()), 0, 32)

    def networks(self) -> tuple[str, ...]:
        """The senders one by one."""
        return listed(self.senders)

    def called(self) -> tuple[tuple[str, int], ...]:
        """The feeds one by one: (host, port)."""
        return tuple(host_port("ais.feeds", one) for one in listed(self.feeds))


@dataclass(frozen=True, kw_only=True, slots=True)
class ViidSettings:
    """[viid] Libraries above us (GA/T 1400), which we register at: what they subscribed to, and people here agreed to,
    they take of whom they know. Each of them is a device here, too, by which it subscribes.

    uppers              http(s)://[USER]:PASSWORD@HOST[:PORT], with commas between; empty: none. Without USER the
                        platform's own code. Signs of a URL within a password as %XX, a comma as %2C
    keepalive_seconds   so often each hears that we are there
    """

    uppers: str = ""
    keepalive_seconds: int = 60

    def __post_init__(self) -> None:
        within("viid.uppers", len(self.libraries()), 0, 8)
        within("viid.keepalive_seconds", self.keepalive_seconds, 10, 90)

    def libraries(self) -> tuple[Upper, ...]:
        """Them one by one."""
        try:
            return tuple(read_upper(one) for one in listed(self.uppers))
        except InvalidError as error:
            # Never what was given: it holds a password.
            raise malformed("viid.uppers", "...", UPPER_FORM) from error


@dataclass(frozen=True, kw_only=True, slots=True)
class MqttSettings:
    """[mqtt] Positions from a broker: GeoJSON under `topic/NAME`, as over HTTP (docs/standards/positions.md).

    url         mqtt(s)://[USER:PASSWORD@]HOST[:PORT]; empty: none
    topic       what stands before the name of a device
    trust       `token`: each message carries the token of its device; `topic`: the broker lets each device write under
                its own name alone, and the platform believes it
    client_id   our own name there; two platforms with one name throw each other out
    version     of MQTT, `v5` or `v3.1.1`
    ca          PEM file with who signed the broker's certificate; empty: those that this machine trusts
    """

    url: str = ""
    topic: str = "safecity/positions"
    trust: str = "token"
    client_id: str = "safecity"
    version: str = "v5"
    ca: str = ""

    def __post_init__(self) -> None:
        self.broker()
        if not is_topic(self.topic):
            raise malformed("mqtt.topic", self.topic, "LEVEL/LEVEL")
        one_of("mqtt.trust", self.trust, ("token", "topic"))
        one_of("mqtt.version", self.version, ("v5", "v3.1.1"))
        # Names of up to 23 letters and digits every broker takes (MQTT 3.1.3-5); most take more.
        if not (0 < len(self.client_id) <= 64 and self.client_id.isascii() and self.client_id.isprintable()):
            raise malformed("mqtt.client_id", self.client_id, "NAME")

    def broker(self) -> BrokerUrl | None:
        """Where it is; None: there is none."""
        try:
            return read_broker_url(self.url) if self.url else None
        except InvalidError as error:
            # Never what was given: it may hold a password.
            raise malformed("mqtt.url", "...", FORM) from error
