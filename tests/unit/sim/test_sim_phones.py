"""Simulated phones: they walk as people do, keep what they could not tell, and tell it once somebody takes it."""

from __future__ import annotations

import asyncio
import itertools
import json

from safecity.core.upper.fleet.beacons import read_all
from safecity.core.upper.fleet.mail import read_letter
from safecity.kit.brokerurl import BrokerUrl
from safecity.kit.earth import metres_between
from safecity.protocols.mqtt.packets import PROTOCOL_5, Connect, PubAck, Publish, write_connect
from safecity.protocols.mqtt.session import Session
from safecity.protocols.mqtt.stream import PacketReader
from safecity.sim.phones import IN_FLIGHT, PhoneLoad, SimPhone, phone_manifest, phones

NOWHERE = BrokerUrl(False, "127.0.0.1", 1)
SECOND = 1_000_000
NOW = 1_700_000_000 * SECOND
WELCOME = bytes.fromhex("20 03 00 00 00")


def told(session: Session) -> list[Publish]:
    """What it publishes now."""
    return [one for one in PacketReader(PROTOCOL_5, 65_539).feed(session.output(0.0)) if isinstance(one, Publish)]


def test_what_a_phone_tells_is_what_the_platform_reads() -> None:
    phone = SimPhone(PhoneLoad(broker=NOWHERE, count=1, tokens=("officer-7.secret",)), 0)
    for second in range(120):
        phone.tell(float(second), NOW + second * SECOND)
    assert phone.topic == "safecity/positions/officer-7"
    letters = [read_letter(payload) for payload in phone.untold.values()]
    assert {token for token, _ in letters} == {"officer-7.secret"}
    good, bad = read_all([one for _, features in letters for one in features], NOW)
    assert bad == []
    assert [one.at for one in good] == [NOW + second * SECOND for second in range(120)]
    for before, after in itertools.pairwise(good):
        moved = metres_between((before.longitude, before.latitude), (after.longitude, after.latitude))
        assert moved < 15


def test_what_was_not_taken_is_told_again_and_no_more_at_once_than_a_broker_likes() -> None:
    phone = SimPhone(PhoneLoad(broker=NOWHERE, count=1), 0)
    for second in range(50):
        phone.tell(float(second), NOW + second * SECOND)
    session = Session(Connect(client_id="x", clean=True), "", 65_536, 0.0)
    session.output(0.0)
    session.feed(WELCOME, 0.0)
    phone.hand_over(session)
    first = told(session)
    assert len(first) == IN_FLIGHT
    phone.hand_over(session)
    assert told(session) == []
    phone.heard(PubAck(first[0].packet_id))
    phone.heard(PubAck(first[1].packet_id, 0x87))  # not authorised: told to nobody, and not again
    phone.heard(PubAck(first[0].packet_id))
    assert phone.acknowledged == [NOW]
    phone.hand_over(session)
    assert len(told(session)) == 2
    assert len(phone.untold) == 48


async def test_they_call_again_and_tell_what_they_would_have_told_meanwhile() -> None:
    seen: list[Publish] = []
    calls = 0
    enough = asyncio.Event()

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        writer.write(WELCOME)
        packets = PacketReader(PROTOCOL_5, 65_539)
        await reader.readexactly(len(write_connect(Connect(client_id="sim-phone-0000", clean=True))))
        while data := await reader.read(4096):
            for one in packets.feed(data):
                assert isinstance(one, Publish)
                seen.append(one)
                if calls == 1:
                    writer.transport.abort()
                    return
                writer.write(bytes((0x40, 2)) + one.packet_id.to_bytes(2, "big"))
            if len(seen) > 5:
                enough.set()
        writer.close()

    server = await asyncio.start_server(broker, "127.0.0.1", 0)
    url = BrokerUrl(False, "127.0.0.1", server.sockets[0].getsockname()[1])
    people: list[SimPhone] = []
    walking = asyncio.create_task(phones(PhoneLoad(broker=url, count=1, report_seconds=0.05), None, people))
    await enough.wait()
    walking.cancel()
    await asyncio.gather(walking, return_exceptions=True)
    server.close()
    # The one that was taken by nobody came again.
    assert seen[0].payload == seen[1].payload
    times = [json.loads(one.payload)["properties"]["time"] for one in seen[1:]]
    assert times == sorted(set(times))
    assert people[0].connections == 2


def test_a_platform_that_believes_the_topic_learns_who_they_are() -> None:
    manifest = phone_manifest(PhoneLoad(broker=NOWHERE, count=3, first=10))
    assert [(one.kind, one.code) for one in manifest.devices] == [("http", f"sim-phone-{n:04d}") for n in (10, 11, 12)]
