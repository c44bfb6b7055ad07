"""The platform side against a scripted device on loopback: what the device sees, what the slots are told, which
facts are published."""

from __future__ import annotations

from safecity.model.facts.media_calls import CloseStream, ConfirmStream, PrepareStream, StreamState
from safecity.model.values.media import Quality, StreamKey
from safecity.protocols.gb28181.session import read_session

CAMERA = "34020000001310000001"
LIVE = StreamKey("ch_1", Quality.MAIN)


def wants(state: str = "idle", step: str = "") -> StreamState:
    return StreamState("ch_1", Quality.MAIN, state, True, step)


async def test_from_register_to_media(bench) -> None:
    device = await bench.device()
    answer = await device.register(**{"X-GB-Ver": "3.0"})
    assert answer.status == 200
    assert answer.get("Date").count(":") == 2
    assert answer.get("X-GB-Ver") == "3.0"
    assert (await device.keepalive()).status == 200
    received = await bench.until_event("catalog.received")
    assert received.body["items"][0]["code"] == CAMERA
    assert received.body["items"][0]["name"] == "路口01"
    assert received.body["complete"] is True

    bench.platform.streams.slot_says("media-0", wants())
    invite = await device.until("INVITE")
    offer = read_session(invite.body)
    assert offer.port == 10_000
    assert offer.ssrc is not None
    assert f"{offer.ssrc:010d}".startswith("020000")
    confirm = await bench.until_sent(ConfirmStream)
    assert confirm == ConfirmStream("ch_1", Quality.MAIN, offer.ssrc, "127.0.0.1", 40_000)
    await device.until("ACK")
    kinds = [event.kind for event in bench.events()]
    assert kinds[:2] == ["device.registered", "device.went_online"]


async def test_the_ssrc_of_the_device_is_trusted_over_ours(bench) -> None:
    device = await bench.device()
    device.on["INVITE"] = lambda incoming: device.accept(incoming, ssrc=77)
    await device.register()
    await bench.platform.open_stream(LIVE)
    assert (await bench.until_sent(ConfirmStream)).ssrc == 77
    assert bench.calls.of(PrepareStream)[0].ssrc != 77


async def test_a_stream_lost_is_ended_and_opened_again(bench) -> None:
    device = await bench.device()
    await device.register()
    bench.platform.streams.slot_says("media-0", wants())
    await bench.until_sent(ConfirmStream)
    bench.platform.streams.slot_says("media-0", wants("running"))
    bench.platform.streams.slot_says("media-0", wants("lost", "gb_no_packet"))
    await device.until("BYE")
    closed = await bench.until_sent(CloseStream)
    assert closed.reason == "gb_no_packet"
    await device.until("INVITE", 2)
    assert (await bench.until_event("stream.open_failed")).body["step"] == "gb_no_packet"
