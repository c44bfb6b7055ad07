"""Packets of MQTT byte by byte, at any split, and what hostile ones cost."""

from __future__ import annotations

import tracemalloc

import pytest

from safecity.protocols.mqtt.packets import (
    GOODBYE,
    PING,
    PROTOCOL_5,
    PROTOCOL_311,
    ConnAck,
    Connect,
    Disconnect,
    Malformed,
    Pong,
    PubAck,
    Publish,
    SubAck,
    TooLong,
    write_connect,
    write_puback,
    write_publish,
    write_subscribe,
)
from safecity.protocols.mqtt.stream import PacketReader
from safecity.protocols.mqtt.wire import write_length

LIMIT = 65_539
VERSIONS = (PROTOCOL_311, PROTOCOL_5)


def read(data: bytes, version: int = PROTOCOL_5) -> list[object]:
    return list(PacketReader(version, LIMIT).feed(data))


def message(topic: bytes, rest: bytes = b"", *, flags: int = 2, number: bytes = b"\0\7") -> bytes:
    """A PUBLISH of 3.1.1 by hand."""
    body = len(topic).to_bytes(2, "big") + topic + number + rest
    return bytes((0x30 | flags,)) + write_length(len(body)) + body


def test_what_we_say_is_what_the_standard_shows() -> None:
    # MQTT 5, figure 3-6 and table 3.1.2: name, level, flags, keep-alive; then properties, client id, name, password.
    wish = Connect(
        client_id="sc", username="u", password="p", keep_alive=10, session_seconds=10, in_flight=20, max_bytes=300
    )
    assert write_connect(wish).hex(" ") == (
        "10 22 00 04 4d 51 54 54 05 c0 00 0a 0d 11 00 00 00 0a 21 00 14 27 00 00 01 2c 00 02 73 63 00 01 75 00 01 70"
    )
    old = Connect(client_id="sc", version=PROTOCOL_311, clean=True, keep_alive=60)
    assert write_connect(old).hex(" ") == "10 0e 00 04 4d 51 54 54 04 02 00 3c 00 02 73 63"
    assert write_subscribe(10, "a/+", PROTOCOL_311).hex(" ") == "82 08 00 0a 00 03 61 2f 2b 01"
    # What was kept at the broker is not asked for.
    assert write_subscribe(10, "a/+", PROTOCOL_5).hex(" ") == "82 09 00 0a 00 00 03 61 2f 2b 21"
    assert (write_puback(0x0102).hex(), PING.hex(), GOODBYE.hex()) == ("40020102", "c000", "e000")


@pytest.mark.parametrize(
    ("data", "version", "meant"),
    [
        ("20 02 01 00", PROTOCOL_311, ConnAck(True, 0, {})),
        ("20 02 00 05", PROTOCOL_311, ConnAck(False, 5, {})),
        ("20 06 00 00 03 13 00 1e", PROTOCOL_5, ConnAck(False, 0, {0x13: 30})),
        ("20 02 00 01", PROTOCOL_5, ConnAck(False, 1, {})),  # a broker that knows no MQTT 5
        ("20 0a 00 86 07 1f 00 04 6e 6f 70 65", PROTOCOL_5, ConnAck(False, 0x86, {})),
        ("90 03 00 01 01", PROTOCOL_311, SubAck(1, (1,))),
        ("90 04 00 01 00 80", PROTOCOL_5, SubAck(1, (0x80,))),
        ("32 08 00 01 61 00 07 68 69 21", PROTOCOL_311, Publish("a", b"hi!", 1, 7)),
        ("3b 05 00 01 61 00 07", PROTOCOL_311, Publish("a", b"", 1, 7, retained=True, again=True)),
        ("30 06 00 01 61 00 68 69", PROTOCOL_5, Publish("a", b"hi")),
        ("30 0d 00 01 61 07 26 00 01 6b 00 01 76 68 69", PROTOCOL_5, Publish("a", b"hi")),
        ("40 02 00 07", PROTOCOL_5, PubAck(7)),
        ("40 03 00 07 87", PROTOCOL_5, PubAck(7, 0x87)),
        ("d0 00", PROTOCOL_5, Pong()),
        ("e0 02 8e 00", PROTOCOL_5, Disconnect(0x8E)),
    ],
)
def test_what_a_broker_says_is_understood(data: str, version: int, meant: object) -> None:
    raw = bytes.fromhex(data)
    assert read(raw, version) == [meant]
    reader = PacketReader(version, LIMIT)
    assert [one for byte in raw for one in reader.feed(bytes((byte,)))] == [meant]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_message_survives_any_split_and_a_neighbour(version: int) -> None:
    said = [Publish("positions/车", b"\0\xff" * 40, 1, 0xFFFF), Publish("a/b", b"", 0)]
    wire = b"".join(write_publish(one, version) for one in said)
    for cut in range(len(wire) + 1):
        reader = PacketReader(version, LIMIT)
        assert [*reader.feed(wire[:cut]), *reader.feed(wire[cut:])] == said
        assert reader.kept == 0


@pytest.mark.parametrize(
    "data",
    [
        message(b"\xff\xfe"),
        message(b"a\0b"),
        message(b"\xed\xa0\x80"),  # half of a pair
        message(b"safecity/positions/+"),
        message(b"safecity/#"),
        message(b""),
        message(b"a", number=b"\0\0"),
        message(b"a", flags=4),  # more than was asked for
        bytes.fromhex("32 04 ff ff 61 61"),
        bytes.fromhex("30 ff ff ff ff 01"),
        bytes.fromhex("d1 00"),
        bytes.fromhex("10 00"),
        bytes.fromhex("f0 00"),
        bytes.fromhex("20 01 00"),
        bytes.fromhex("20 ff ff 7f") + bytes(100),  # a welcome of two megabytes
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ],
)
def test_what_is_no_mqtt_ends_the_connection_and_nothing_else(data: bytes) -> None:
    reader = PacketReader(PROTOCOL_311, LIMIT)
    found = [*reader.feed(data), *reader.feed(bytes(70_000))]
    assert len(found) == 1
    assert isinstance(found[0], Malformed)
    assert reader.feed(PING) == []
    assert reader.kept == 0


def test_properties_that_are_cut_or_unknown_are_no_mqtt() -> None:
    for data in ("30 05 00 01 61 7f 00", "30 06 00 01 61 02 7e 00", "20 05 00 00 03 13 00", "20 04 00 00 01 13"):
        assert [type(one) for one in read(bytes.fromhex(data))] == [Malformed], data


def test_a_message_of_a_quarter_of_a_gibibyte_is_passed_over_and_costs_no_memory() -> None:
    size = 268_435_455
    reader, piece = PacketReader(PROTOCOL_311, LIMIT), bytes(1 << 20)
    begun = b"\x32" + write_length(size) + b"\0\3a/b\0\7"
    tracemalloc.start()
    try:
        found = reader.feed(begun)
        left = size - 7
        while left:
            found += reader.feed(piece[:left])
            left -= min(left, len(piece))
        after = reader.feed(write_publish(Publish("a/c", b"next", 1, 8), PROTOCOL_311))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == [TooLong("a/b", 1, 7, size)]
    assert after == [Publish("a/c", b"next", 1, 8)]
    assert peak < 8 << 20
    assert reader.kept == 0


def test_a_name_or_a_topic_that_mqtt_cannot_say_is_not_sent() -> None:
    with pytest.raises(ValueError, match="too long"):
        write_connect(Connect(client_id="x" * 65_536))
    with pytest.raises(ValueError, match="no length"):
        write_length(268_435_456)
