"""The feed at a real broker: both versions, TLS, rights of devices, what was kept, and what is too long."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.mosquitto import Mosquitto, needs_mosquitto

from safecity.drivers.mqtt import link
from safecity.drivers.mqtt.broker import VERSIONS, Broker
from safecity.drivers.mqtt.driver import PositionFeed
from safecity.kit.brokerurl import BrokerUrl, read_broker_url
from safecity.kit.clock import SystemClock
from safecity.protocols.mqtt.packets import Connect, PubAck, Publish
from safecity.protocols.mqtt.session import Listening, Session
from safecity.sim.phones import PhoneLoad, phones

from .scene import Box

pytestmark = [needs_mosquitto, pytest.mark.slow]


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(link, "LONGEST_WAIT", 0.2)


async def becomes(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(broker: Broker, box: Box) -> AsyncIterator[PositionFeed]:
    feed = PositionFeed(broker, box, SystemClock())
    task = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def publish(url: BrokerUrl, *messages: Publish, tls: ssl.SSLContext | None = None) -> list[int]:
    """Tell the broker, each once it took the one before. What it answered."""
    reader, writer = await asyncio.open_connection(url.host, url.port, ssl=tls)
    wish = Connect(client_id=url.username or "publisher", username=url.username, password=url.password, clean=True)
    session, waiting, codes = Session(wish, "", 65_536, 0.0), list(messages), list[int]()
    while not session.over:
        writer.write(session.output(0.0))
        for one in session.feed(await reader.read(65_536), 0.0):
            if isinstance(one, PubAck):
                codes.append(one.code)
            if isinstance(one, Listening | PubAck) and waiting:
                session.publish(waiting.pop(0))
            elif isinstance(one, PubAck):
                session.leave()
        writer.write(session.output(0.0))
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    return codes


def message(payload: bytes, *, topic: str = "p/a", retained: bool = False) -> Publish:
    return Publish(topic, payload, 1, 1, retained=retained)


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_comes_while_we_are_away_is_kept_and_what_lies_there_from_before_is_not_taken(
    tmp_path: Path, version: str
) -> None:
    real = Mosquitto(tmp_path).start()
    url = BrokerUrl(False, "127.0.0.1", real.port)
    broker, box = Broker(url=url, topic="p", version=VERSIONS[version]), Box()
    try:
        await publish(url, message(b"old", topic="p/old", retained=True))
        async with listening(broker, box) as feed:
            await becomes(lambda: feed.figure().state == "online")
            # Told to whoever listens, and left there too: that is news, and no old position.
            await publish(url, message(b"1"), message(b"2", retained=True))
            await becomes(lambda: len(box.letters) == 2)
        await publish(url, message(b"3"), message(b"4"))
        real.stop()
        real.start()
        await publish(url, message(b"5"))
        async with listening(broker, box):
            await becomes(lambda: len(box.letters) == 5)
    finally:
        real.stop()
    assert [one.payload for one in box.letters] == [b"1", b"2", b"3", b"4", b"5"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_letter_of_megabytes_harms_nobody(tmp_path: Path, version: str) -> None:
    real = Mosquitto(tmp_path).start()
    url, box = BrokerUrl(False, "127.0.0.1", real.port), Box()
    broker = Broker(url=url, topic="p", version=VERSIONS[version])
    try:
        async with listening(broker, box) as feed:
            await becomes(lambda: feed.figure().state == "online")
            await publish(url, message(b"before"), message(bytes(32 << 20)), message(b"after"))
            await becomes(lambda: len(box.letters) == 2)
            # With MQTT 5 the broker itself keeps it from us.
            assert feed.figure().refused == ({} if version == "v5" else {"mqtt_too_long": 1})
            assert feed.figure().state == "online"
    finally:
        real.stop()


async def test_who_may_not_sign_in_or_listen_is_told_so(tmp_path: Path) -> None:
    rights = tmp_path / "rights"
    rights.write_text("user platform\ntopic read p/+\n")
    real = Mosquitto(tmp_path / "broker", "allow_anonymous false", f"acl_file {rights}").start()
    url = BrokerUrl(False, "127.0.0.1", real.port, "platform", "wrong")
    try:
        async with listening(Broker(url=url, topic="p"), Box()) as feed:
            await becomes(lambda: feed.figure().code == "mqtt_login")
        nobody = BrokerUrl(False, "127.0.0.1", 1)
        async with listening(Broker(url=nobody, topic="p"), Box()) as feed:
            await becomes(lambda: feed.figure().code == "mqtt_unreachable")
    finally:
        real.stop()


async def test_two_under_one_name_throw_each_other_out_and_it_shows(tmp_path: Path) -> None:
    real = Mosquitto(tmp_path).start()
    broker = Broker(url=BrokerUrl(False, "127.0.0.1", real.port), topic="p")
    try:
        async with listening(broker, Box()) as one, listening(broker, Box()):
            # Not every broker says why.
            await becomes(lambda: one.figure().code in ("mqtt_taken_over", "mqtt_lost"))
    finally:
        real.stop()


async def test_a_device_writes_under_its_own_name_alone_where_the_broker_sees_to_it(tmp_path: Path) -> None:
    rights = tmp_path / "rights"
    rights.write_text("user platform\ntopic read p/+\n\npattern write p/%u\n")
    # A user without a password is who it says it is: enough to see what the rights do.
    real = Mosquitto(tmp_path / "broker", "allow_anonymous true", f"acl_file {rights}").start()
    url, box = BrokerUrl(False, "127.0.0.1", real.port, "platform", "x"), Box()
    walking = PhoneLoad(broker=replace(url, username="{code}"), topic="p", count=3, report_seconds=0.1)
    try:
        async with listening(Broker(url=url, topic="p"), box) as feed:
            await becomes(lambda: feed.figure().state == "online")
            thief = replace(url, username="thief")
            assert await publish(thief, message(b"I am the mayor", topic="p/mayor")) == [0x87]
            figures = asyncio.create_task(phones(walking))
            await becomes(lambda: len({one.name for one in box.letters}) == 3)
            figures.cancel()
            await asyncio.gather(figures, return_exceptions=True)
    finally:
        real.stop()
    assert {one.name for one in box.letters} == {f"sim-phone-{number:04d}" for number in range(3)}


def certificates(folder: Path) -> ssl.SSLContext:
    """ca.pem, and cert.pem and key.pem of 127.0.0.1; the context of who trusts them."""
    now = datetime.datetime.now(datetime.UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def signed(name: str, public: ec.EllipticCurvePublicKey, extension: x509.ExtensionType) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        builder = builder.issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the city")]))
        builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
        builder = builder.not_valid_after(now + datetime.timedelta(hours=1)).public_key(public)
        builder = builder.serial_number(x509.random_serial_number()).add_extension(extension, critical=True)
        return builder.sign(ca_key, hashes.SHA256())

    pem = serialization.Encoding.PEM
    ca = signed("the city", ca_key.public_key(), x509.BasicConstraints(ca=True, path_length=None))
    own = signed("broker", key.public_key(), x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]))
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "cert.pem").write_bytes(own.public_bytes(pem))
    raw = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(raw)
    return ssl.create_default_context(cafile=str(folder / "ca.pem"))


async def test_a_broker_shows_who_it_is_before_it_hears_our_password(tmp_path: Path) -> None:
    trusting = certificates(tmp_path)
    real = Mosquitto(
        tmp_path / "broker", "allow_anonymous true", f"certfile {tmp_path}/cert.pem", f"keyfile {tmp_path}/key.pem"
    ).start()
    url, box = read_broker_url(f"mqtts://platform:secret@127.0.0.1:{real.port}"), Box()
    good = Broker(url=url, topic="p", ca=str(tmp_path / "ca.pem"))
    try:
        wrong = (replace(good, ca=""), replace(good, ca=str(tmp_path / "nowhere.pem")))
        other_name = replace(good, url=replace(url, host="localhost"))
        for broker in (*wrong, other_name):
            async with listening(broker, box) as feed:
                await becomes(lambda feed=feed: feed.figure().code == "mqtt_certificate")  # type: ignore[misc]
        async with listening(good, box) as feed:
            await becomes(lambda: feed.figure().state == "online")
            await publish(url, message(b"over TLS"), tls=trusting)
            await becomes(lambda: [one.payload for one in box.letters] == [b"over TLS"])
    finally:
        real.stop()
