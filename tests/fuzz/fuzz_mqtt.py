"""Bytes of a broker: any split gives the same, little is kept, and what is read is written as it was."""

from __future__ import annotations

from safecity.protocols.mqtt.packets import PROTOCOL_5, PROTOCOL_311, Connect, Malformed, Publish, write_publish
from safecity.protocols.mqtt.session import Session
from safecity.protocols.mqtt.stream import PacketReader

SEEDS = [
    bytes.fromhex("20020000 9003000101 3208000161000768 6921 d000"),
    bytes.fromhex("20060000 0313001e 900400010001 30060001610068 69 e0028e00"),
    bytes.fromhex("300d000161 07260001 6b000176 6869 4003000787"),
    b"\x32\xff\xff\xff\x7f\x00\x03a/b\x00\x07" + bytes(200),
    b"\x34\x04\x00\x01a\x00",
]
LIMIT = 65_539


def one_input(data: bytes) -> None:
    step = 1 + len(data) % 61
    for version in (PROTOCOL_311, PROTOCOL_5):
        whole, split = PacketReader(version, LIMIT), PacketReader(version, LIMIT)
        found = whole.feed(data)
        assert [one for at in range(0, len(data), step) for one in split.feed(data[at : at + step])] == found
        assert whole.kept <= LIMIT + 5
        assert not any(isinstance(one, Malformed) for one in found[:-1])
        for one in found:
            if isinstance(one, Publish):
                assert "+" not in one.topic
                assert PacketReader(version, LIMIT).feed(write_publish(one, version)) == [one]
        session = Session(Connect(client_id="sc", version=version), "p/+", LIMIT, 0.0)
        for at in range(0, len(data), step):
            session.feed(data[at : at + step], float(at))
            session.expire(float(at))
            session.output(float(at))
