"""The sound of terminals at a slot: bad sound harms itself alone, and it is told why nothing is heard."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator

import pytest
from tests.unit.receive.test_receive_vehicles import BUS, TAXI, Slot, datagrams, sent

from safecity.media.receive.feed import JT1078_UDP
from safecity.media.streams import RUNNING
from safecity.model.values.media import AUDIO, Codec, Unit
from safecity.protocols.jt1078.frames import packetise
from safecity.protocols.jt1078.packets import Kind, write_packet
from safecity.sim.jt808.sounds import VehicleSound


@pytest.fixture
async def slot() -> AsyncIterator[Slot]:
    made = Slot()
    made.receiver.start()
    yield made
    await made.close()


def said(phone: str, packets: list[tuple[int, bytes]], first: int = 0, long: bool = False) -> list[bytes]:
    """(payload type, payload) each, 40 ms apart, counted apart from the pictures."""
    return [
        write_packet(one)
        for number, (payload_type, data) in enumerate(packets, first)
        for one in packetise(
            data, phone=phone, channel=1, kind=Kind.AUDIO, payload_type=payload_type, sequence=number & 0xFFFF,
            timestamp_ms=number * 40, long_phone=long,
        )
    ]  # fmt: skip


def heard(slot: Slot, channel: str) -> list[Unit]:
    return [one for one in slot.kept[channel].units if one.track == AUDIO]


def pictures(slot: Slot, channel: str) -> list[Unit]:
    return [one for one in slot.kept[channel].units if one.track != AUDIO]


WICKED = {
    "ten thousand tiny packets": [(8, b"\x77")] * 10_000,
    "nothing in them": [(26, b""), (8, b"")] * 200,
    "no such step": [(26, b"\0\0\xff\0" + bytes(160))] * 300,
    "another payload type each": [(kind, random.Random(kind).randbytes(160)) for kind in range(128)] * 3,
    "more than there is time": [(8, bytes(3000))] * 400,
    "no rate": [(8, bytes(777))] * 300,
}


@pytest.mark.parametrize("kind", WICKED)
async def test_bad_sound_harms_neither_pictures_nor_neighbours_and_is_told(
    slot: Slot, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ports = {phone: slot.order(f"ch_{phone}", phone) for phone in (BUS, TAXI)}
    lines = {phone: await slot.connect(port) for phone, port in ports.items()}
    good = [(8, VehicleSound().frame(number * 40_000)) for number in range(20)]
    lines[BUS].write(sent(BUS) + b"".join(said(BUS, WICKED[kind])) + sent(BUS, first=100))
    lines[TAXI].write(sent(TAXI) + b"".join(said(TAXI, good)))
    await slot.until(lambda: len(pictures(slot, f"ch_{BUS}")) >= 10, "the pictures behind it")
    await slot.until(lambda: len(heard(slot, f"ch_{TAXI}")) >= 20, "the neighbour's sound")
    assert {one.parameters.codec for one in heard(slot, f"ch_{TAXI}")} == {Codec.PCMA}
    slot.pass_time(1.0)
    told = [one.message for one in caplog.records if "sound left out" in one.message]
    assert len(told) == 1
    assert f"channel=ch_{BUS}" in told[0]
    slot.pass_time(1.0)
    assert len([one for one in caplog.records if "sound left out" in one.message]) == 1, "it is no news again"
    assert [slot.stream(f"ch_{phone}").state for phone in (BUS, TAXI)] == [RUNNING, RUNNING]


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("kbps", [0, 16, 32])
async def test_sound_that_comes_as_datagrams_is_heard(slot: Slot, kbps: int, long: bool) -> None:
    port = slot.order("ch_bus", BUS, transport=JT1078_UDP)
    sound = VehicleSound(kbps=kbps, headed=True)
    frames = [(int(sound.payload_type), sound.frame(number * 40_000)) for number in range(20)]
    sender = slot.sender(port)
    sender.send(datagrams(BUS, long=long))
    await slot.pictures("ch_bus", 5)
    sender.send(said(BUS, frames, long=long))
    await slot.until(lambda: sum(len(one.data) for one in heard(slot, "ch_bus")) == 20 * 320, "all of it")
    slot.pass_time(1.0)
    assert slot.stream("ch_bus").packets_lost == 0
