"""Opening, refusing, ending and restarting live streams against a scripted device."""

from __future__ import annotations

import asyncio

import pytest

from safecity.kit.errors import SafecityError, UnavailableError
from safecity.model.facts.media_calls import CloseStream, ConfirmStream, PrepareStream, StreamState
from safecity.model.facts.signal_calls import GbChannel
from safecity.model.values.media import Quality, StreamKey
from safecity.protocols.gb28181.session import read_session

LIVE = StreamKey("ch_1", Quality.MAIN)
OTHER = "34020000001310000002"


async def test_a_device_that_is_away_is_named_so(bench) -> None:
    with pytest.raises(SafecityError) as caught:
        await bench.platform.open_stream(LIVE)
    assert caught.value.code == "gb_device_offline"
    assert bench.calls.of(CloseStream)[0].reason == "gb_device_offline"


@pytest.mark.parametrize(("status", "code"), [(486, "gb_busy"), (488, "gb_refused"), (404, "gb_refused")])
async def test_a_refusal_tells_its_status(bench, status: int, code: str) -> None:
    device = await bench.device()
    device.on["INVITE"] = lambda incoming: incoming.respond(status)
    await device.register()
    with pytest.raises(SafecityError) as caught:
        await bench.platform.open_stream(LIVE)
    assert caught.value.code == code
    closed = bench.calls.of(CloseStream)[0]
    assert (closed.reason, closed.params["status"]) == (code, status)
    event = await bench.until_event("stream.open_failed")
    assert event.body["step"] == code


async def test_no_answer_is_cancelled(bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safecity.drivers.gb28181.streams.ANSWER_SECONDS", 0.3)
    device = await bench.device()
    device.on["INVITE"] = lambda incoming: incoming.respond(180)
    await device.register()
    with pytest.raises(SafecityError) as caught:
        await bench.platform.open_stream(LIVE)
    assert caught.value.code == "gb_no_sip_answer"
    # The CANCEL is answered by the device's endpoint itself, with 487 to the INVITE.
    async with asyncio.timeout(60):
        while bench.endpoint.counters.messages_in < 6:
            await asyncio.sleep(0.01)


async def test_a_200_without_a_media_line_is_hung_up(bench) -> None:
    device = await bench.device()
    device.on["INVITE"] = lambda incoming: incoming.respond(200, body=b"v=0\r\ns=Play\r\n")
    await device.register()
    with pytest.raises(SafecityError) as caught:
        await bench.platform.open_stream(LIVE)
    assert caught.value.code == "gb_bad_sdp"
    await device.until("ACK")
    await device.until("BYE")


async def test_a_session_is_on_the_disk_before_its_slot_is_told(bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is killed in between must find it again, or nobody could end it."""
    device = await bench.device()
    await device.register()
    bench.platform.store.flush()
    monkeypatch.setattr(bench.platform.store, "_schedule", lambda: None)  # a disk that takes its time
    opening = asyncio.create_task(bench.platform.open_stream(LIVE))
    await device.until("ACK")
    assert not bench.calls.of(ConfirmStream)
    bench.platform.store.flush()
    await opening
    assert bench.calls.of(ConfirmStream)


async def test_a_session_that_its_device_ended_meanwhile_is_not_confirmed(
    bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = await bench.device()
    await device.register()
    streams, store = bench.platform.streams, bench.platform.store

    async def ended(patience: float = 1.0) -> None:
        (call_id,) = streams._by_call
        streams.ended_by_device(call_id, "gb_bye")

    monkeypatch.setattr(store, "committed", ended)
    with pytest.raises(SafecityError):
        await bench.platform.open_stream(LIVE)
    assert (await bench.until_sent(CloseStream)).reason == "gb_bye"
    assert not bench.calls.of(ConfirmStream)


async def test_a_slot_without_ports_is_the_step_that_failed(bench) -> None:
    device = await bench.device()
    await device.register()
    bench.calls.error = UnavailableError("full", code="no_ports_left")
    with pytest.raises(SafecityError) as caught:
        await bench.platform.open_stream(LIVE)
    assert caught.value.code == "no_ports_left"
    assert not [request for request in device.requests if request.method == "INVITE"]


@pytest.mark.parametrize(
    ("transport", "setup", "tcp"),
    [("udp", "", False), ("tcp_passive", "passive", True), ("tcp_active", "active", True)],
)
async def test_each_way_of_transport_is_offered(bench, transport: str, setup: str, tcp: bool) -> None:
    bench.apply(2, transport=transport)
    device = await bench.device()
    await device.register()
    await bench.platform.open_stream(LIVE)
    offer = read_session((await device.until("INVITE")).body)
    assert (offer.tcp, offer.setup) == (tcp, setup)
    assert bench.calls.of(PrepareStream)[0].transport == transport


async def test_the_sub_stream_is_asked_for_by_number(bench) -> None:
    device = await bench.device()
    await device.register()
    await bench.platform.open_stream(StreamKey("ch_1", Quality.SUB))
    assert read_session((await device.until("INVITE")).body).stream_number == 1


async def test_one_upstream_session_whatever_the_number_of_viewers(bench) -> None:
    device = await bench.device()
    await device.register()
    await asyncio.gather(*(bench.platform.open_stream(LIVE) for _ in range(5)))
    assert len(device.invites) == 1


async def test_a_bye_of_the_device_is_answered_and_told(bench) -> None:
    device = await bench.device()
    await device.register()
    await bench.platform.open_stream(LIVE)
    dialog = device.invites[0].dialog()
    answer = await device.endpoint.request(dialog.request("BYE"), device.flow)
    assert answer.status == 200
    assert (await bench.until_sent(CloseStream)).reason == "gb_bye"
    again = await device.endpoint.request(dialog.request("BYE"), device.flow)
    assert again.status == 481


async def test_a_stream_nobody_wants_is_closed(bench, monkeypatch: pytest.MonkeyPatch) -> None:
    device = await bench.device()
    await device.register()
    bench.platform.streams.slot_says("media-0", StreamState("ch_1", Quality.MAIN, "idle", True))
    await bench.until_sent(ConfirmStream)
    monkeypatch.setattr("safecity.drivers.wanted.LINGER_SECONDS", 0.0)
    bench.platform.streams.slot_says("media-0", StreamState("ch_1", Quality.MAIN, "running", False))
    await device.until("BYE")
    assert (await bench.until_sent(CloseStream)).reason == "not_wanted"


async def test_after_a_restart_streams_go_on_and_can_be_ended(bench, monkeypatch: pytest.MonkeyPatch) -> None:
    device = await bench.device()
    await device.register()
    await bench.platform.open_stream(LIVE)
    await bench.restart()
    # The slot says it still runs: no second INVITE, though the configuration came from the own file alone.
    bench.platform.streams.slot_says("media-0", StreamState("ch_1", Quality.MAIN, "running", True))
    bench.platform.streams.tick()
    assert len(device.invites) == 1
    assert (await device.keepalive()).status == 200
    monkeypatch.setattr("safecity.drivers.wanted.LINGER_SECONDS", 0.0)
    bench.platform.streams.slot_says("media-0", StreamState("ch_1", Quality.MAIN, "running", False))
    bye = await device.until("BYE")
    assert bye.call_id == device.invites[0].request.call_id
    assert bye.cseq.number > device.invites[0].request.cseq.number


async def test_a_failing_device_is_tried_again_later_each_time(bench) -> None:
    device = await bench.device()
    device.on["INVITE"] = lambda incoming: incoming.respond(500)
    await device.register()
    with pytest.raises(SafecityError):
        await bench.platform.open_stream(LIVE)
    (session,) = bench.platform.streams._sessions.values()
    first = session.due_at
    with pytest.raises(SafecityError):
        await bench.platform.open_stream(LIVE)
    assert session.backoff.failures == 2
    assert session.due_at >= first
    device.on.pop("INVITE")
    bench.platform.streams.slot_says("media-0", StreamState("ch_1", Quality.MAIN, "idle", True))
    await bench.until_sent(ConfirmStream)
    assert len(bench.events("stream.open_failed")) == 1  # told once, not at every attempt


async def test_a_viewer_who_comes_while_the_stream_is_being_closed_gets_a_new_one(
    bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = await bench.device()
    await device.register()
    await bench.platform.open_stream(LIVE)
    held = []
    device.on["BYE"] = held.append
    monkeypatch.setattr("safecity.drivers.wanted.LINGER_SECONDS", 0.0)
    bench.platform.streams.slot_says("media-0", StreamState("ch_1", Quality.MAIN, "running", False))
    bench.platform.streams.tick()
    await device.until("BYE")
    viewer = asyncio.create_task(bench.platform.open_stream(LIVE))
    await asyncio.sleep(0)
    held[0].respond(200)
    await viewer
    assert len(device.invites) == 2


async def test_a_fault_of_ours_is_not_repeated_at_every_tick(bench, monkeypatch: pytest.MonkeyPatch) -> None:
    device = await bench.device()
    await device.register()
    calls = []

    def broken(*_: object) -> None:
        calls.append(1)
        raise RuntimeError("a bug")

    monkeypatch.setattr("safecity.drivers.gb28181.streams.media_transport", broken)
    bench.platform.streams.slot_says("media-0", StreamState("ch_1", Quality.MAIN, "idle", True))
    async with asyncio.timeout(60):
        while not calls:
            bench.platform.streams.tick()
            await asyncio.sleep(0.01)
    (session,) = bench.platform.streams._sessions.values()
    assert session.due_at > bench.platform._clock.monotonic()
    assert session.task is None


async def test_a_slot_that_speaks_of_a_channel_before_we_know_it_is_remembered(bench) -> None:
    """Control tells slot and signal at the same time; whoever is first, the camera must be opened."""
    device = await bench.device()
    await device.register()
    wanted = StreamState("ch_2", Quality.MAIN, "opening", True)
    bench.platform.streams.slot_says("media-0", wanted)
    bench.apply(2, also=(GbChannel(channel="ch_2", device="dev_1", code=OTHER, slot="media-0"),))
    invite = await device.until("INVITE")
    assert OTHER in invite.uri


async def test_a_channel_that_moved_is_opened_for_the_slot_that_spoke_first(bench) -> None:
    device = await bench.device()
    await device.register()
    bench.platform.streams.slot_says("media-1", StreamState("ch_1", Quality.MAIN, "opening", True))
    bench.apply(2, slot="media-1")
    await bench.until_sent(ConfirmStream)
    assert [address for address, sent in bench.calls.sent if isinstance(sent, PrepareStream)] == ["media-1"]
