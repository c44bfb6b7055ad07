"""Playing a device's own recordings: INVITE with a window, INFO to steer, MediaStatus to end."""

from __future__ import annotations

import asyncio

import pytest

from safecity.drivers.gb28181.history import PER_DEVICE
from safecity.drivers.progress import Progress
from safecity.kit.errors import ExhaustedError, SafecityError
from safecity.model.facts.media_calls import CloseStream, ConfirmStream, StreamState
from safecity.model.facts.signal_calls import (
    AskDevicePlayback,
    AskRecordings,
    DeviceRecording,
    StartDevicePlayback,
    SteerDevicePlayback,
)
from safecity.model.values.media import Quality
from safecity.protocols.gb28181.manscdp import read_body, write_body
from safecity.protocols.gb28181.mansrtsp import Pause, Play, read_mansrtsp
from safecity.protocols.gb28181.notices import MediaStatus
from safecity.protocols.gb28181.session import Purpose, read_session

CAMERA = "34020000001310000001"
START = 1_767_225_600_000_000
WINDOW = StartDevicePlayback("ps_1", "ch_1", START, START + 3_600_000_000)


async def playing(bench, window: StartDevicePlayback = WINDOW):
    device = await bench.device()
    await device.register()
    await bench.platform.start_playback(window)
    return device


async def test_the_window_is_asked_for_in_unix_seconds(bench) -> None:
    device = await playing(bench)
    request = await device.until("INVITE")
    session = read_session(request.body)
    assert (session.purpose, session.start, session.end) == (Purpose.PLAYBACK, 1_767_225_600, 1_767_229_200)
    assert session.source == f"{CAMERA}:0"
    assert f"{session.ssrc:010d}"[0] == "1"
    assert request.get("Subject").startswith(f"{CAMERA}:1")
    assert bench.calls.of(ConfirmStream)[0].channel == "ps_1"


async def test_a_download_names_its_speed(bench) -> None:
    device = await playing(bench, StartDevicePlayback("ps_1", "ch_1", START, START + 60_000_000, download_speed=4))
    session = read_session((await device.until("INVITE")).body)
    assert (session.purpose, session.download_speed) == (Purpose.DOWNLOAD, 4)


async def test_it_is_steered_by_info_within_its_dialog(bench) -> None:
    device = await playing(bench)
    steer = bench.platform.steer_playback
    await steer(SteerDevicePlayback("ps_1", "pause"))
    await steer(SteerDevicePlayback("ps_1", "resume"))
    await steer(SteerDevicePlayback("ps_1", "scale", 4.0))
    await steer(SteerDevicePlayback("ps_1", "seek", 100.0))
    infos = [request for request in device.requests if request.method == "INFO"]
    acts = [read_mansrtsp(request.body) for request in infos]
    assert [type(act) for act in acts] == [Pause, Play, Play, Play]
    assert acts[1].resumes
    assert (acts[2].scale, acts[3].start) == (4.0, 100.0)
    assert len({act.cseq for act in acts}) == 4
    assert {request.call_id for request in infos} == {device.invites[0].request.call_id}


async def test_a_dragged_slider_sends_only_the_last_of_many_seeks(bench) -> None:
    device = await playing(bench)
    steer = bench.platform.steer_playback
    await asyncio.gather(*(steer(SteerDevicePlayback("ps_1", "seek", float(place))) for place in range(20)))
    places = [read_mansrtsp(request.body).start for request in device.requests if request.method == "INFO"]
    assert places == [0.0, 19.0]


async def test_the_end_of_the_file_is_ended_by_us(bench) -> None:
    device = await playing(bench)
    dialog = device.invites[0].dialog()
    body = write_body(MediaStatus(sn=1, device_id=CAMERA))
    message = dialog.request("MESSAGE", fields=[("Content-Type", "Application/MANSCDP+xml")], body=body)
    assert (await device.endpoint.request(message, device.flow)).status == 200
    await device.until("BYE")
    assert (await bench.until_sent(CloseStream)).reason == "end"


async def test_a_media_status_outside_the_dialog_is_understood(bench) -> None:
    device = await playing(bench)
    await device.send(MediaStatus(sn=1, device_id=CAMERA))
    await device.until("BYE")


async def test_sessions_of_one_recorder_are_limited_and_a_stop_makes_room(bench) -> None:
    device = await playing(bench)
    for number in range(2, 5):
        await bench.platform.start_playback(StartDevicePlayback(f"ps_{number}", "ch_1", START, START + 1_000_000))
    with pytest.raises(SafecityError) as caught:
        await bench.platform.start_playback(StartDevicePlayback("ps_5", "ch_1", START, START + 1_000_000))
    assert caught.value.code == "gb_busy"
    await bench.platform.steer_playback(SteerDevicePlayback("ps_1", "stop"))
    await device.until("BYE")
    await bench.platform.start_playback(StartDevicePlayback("ps_5", "ch_1", START, START + 1_000_000))


async def test_a_recorder_plays_as_many_as_it_may_to_those_who_ask_at_once(
    bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has agreed to some while their slot has not heard of it: these have one place each, not two."""
    device = await bench.device()
    await device.register()
    slot, may_answer = bench.calls.call, asyncio.Event()

    async def slow(address: str, message: object, *, timeout: float) -> object:
        if isinstance(message, ConfirmStream):
            await may_answer.wait()
        return await slot(address, message, timeout=timeout)

    monkeypatch.setattr(bench.calls, "call", slow)
    starting = []
    for number in range(PER_DEVICE):
        window = StartDevicePlayback(f"dp_{number}", "ch_1", START, START + 1_000_000)
        starting.append(asyncio.create_task(bench.platform.start_playback(window)))
        await device.until("ACK", number + 1)
    with pytest.raises(SafecityError) as caught:
        await bench.platform.start_playback(StartDevicePlayback("dp_9", "ch_1", START, START + 1_000_000))
    assert caught.value.code == "gb_busy"
    may_answer.set()
    await asyncio.gather(*starting)


async def test_who_has_left_stands_in_nobodys_way(bench) -> None:
    """Whoever looks into one recording after the other leaves sessions that still wait for them."""
    device = await playing(bench, StartDevicePlayback("dp_1", "ch_1", START, START + 1_000_000))
    for number in range(2, 5):
        await bench.platform.start_playback(StartDevicePlayback(f"dp_{number}", "ch_1", START, START + 1_000_000))
    for name, wanted in (("dp_2", True), ("dp_3", True), ("dp_2", False), ("dp_4", False)):
        bench.platform.slot_says("media-0", StreamState(name, Quality.MAIN, "running", wanted, ""))
    await bench.platform.start_playback(StartDevicePlayback("dp_5", "ch_1", START, START + 1_000_000))
    await device.until("BYE")
    with pytest.raises(SafecityError) as caught:
        bench.platform.look_at_playback(AskDevicePlayback("dp_2"))
    assert caught.value.code == "gb_no_session", "its viewer had left"
    for name in ("dp_1", "dp_3", "dp_4"):
        bench.platform.look_at_playback(AskDevicePlayback(name))
    with pytest.raises(SafecityError) as caught:
        await bench.platform.start_playback(StartDevicePlayback("dp_6", "ch_1", START, START + 1_000_000))
    assert caught.value.code == "gb_busy", "nobody who looks, or is about to, is thrown out"


async def test_a_recorder_is_not_busy_with_what_could_not_begin(bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(kind: int) -> int:
        raise ExhaustedError("all SSRC numbers are in use", code="ssrc_exhausted")

    device = await bench.device()
    await device.register()
    with monkeypatch.context() as patch:
        patch.setattr(bench.platform.history.ssrcs, "take", none_left)
        for _ in range(PER_DEVICE):
            with pytest.raises(SafecityError) as caught:
                await bench.platform.start_playback(WINDOW)
            assert caught.value.code == "ssrc_exhausted"
    await bench.platform.start_playback(WINDOW)
    assert len(device.invites) == 1


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 5), (0, 10**15)])
async def test_a_window_that_is_none_is_refused(bench, start: int, end: int) -> None:
    with pytest.raises(SafecityError) as caught:
        await bench.platform.start_playback(StartDevicePlayback("ps_1", "ch_1", start, end))
    assert caught.value.code == "gb_bad_window"


async def test_steering_what_is_not_there(bench) -> None:
    with pytest.raises(SafecityError) as caught:
        await bench.platform.steer_playback(SteerDevicePlayback("ps_9", "pause"))
    assert caught.value.code == "gb_no_session"


# --- who watches, and how far it is ----------------------------------------------------------------------------------

DP = StartDevicePlayback("dp_1", "ch_1", START, START + 3_600_000_000)


def says(bench, state: str, wanted: bool, step: str = "") -> None:
    bench.platform.slot_says("media-0", StreamState("dp_1", Quality.MAIN, state, wanted, step))


async def test_a_session_nobody_watches_is_ended(bench, monkeypatch: pytest.MonkeyPatch) -> None:
    device = await playing(bench, DP)
    says(bench, "running", True)
    bench.platform.history.tick()
    says(bench, "running", False)
    bench.platform.history.tick()
    assert not [request for request in device.requests if request.method == "BYE"], "a viewer may come back"
    monkeypatch.setattr("safecity.drivers.played.UNWATCHED_SECONDS", -1.0)
    bench.platform.history.tick()
    await device.until("BYE")
    assert (await bench.until_sent(CloseStream)).reason == "not_wanted"


async def test_a_session_whose_pictures_stop_is_ended_unless_it_pauses(bench) -> None:
    device = await playing(bench, DP)
    says(bench, "running", True)
    await bench.platform.steer_playback(SteerDevicePlayback("dp_1", "pause"))
    says(bench, "lost", True, "gb_packets_stopped")
    assert bench.platform.look_at_playback(AskDevicePlayback("dp_1")).paused
    await bench.platform.steer_playback(SteerDevicePlayback("dp_1", "resume"))
    says(bench, "running", True)
    says(bench, "lost", True, "gb_packets_stopped")
    await device.until("BYE")
    assert (await bench.until_sent(CloseStream)).reason == "gb_packets_stopped"
    with pytest.raises(SafecityError) as caught:
        bench.platform.look_at_playback(AskDevicePlayback("dp_1"))
    assert caught.value.code == "gb_no_session"


async def test_a_session_outlives_a_restart_and_can_be_steered(bench) -> None:
    device = await playing(bench, DP)
    await bench.restart()
    shown = bench.platform.look_at_playback(AskDevicePlayback("dp_1"))
    assert (shown.channel, shown.start, shown.end) == ("ch_1", DP.start, DP.end)
    await bench.platform.steer_playback(SteerDevicePlayback("dp_1", "seek", 60.0))
    assert read_mansrtsp((await device.until("INFO")).body).start == 60.0


async def test_states_of_sessions_that_are_over_are_not_kept_as_those_of_channels(bench) -> None:
    says(bench, "running", True)
    bench.platform.slot_says("media-0", StreamState("ch_new", Quality.MAIN, "lost", True))
    bench.platform.slot_says("media-0", StreamState("ch_new", Quality.MAIN, "idle", False))
    assert not bench.platform.streams._early


def test_the_position_is_reckoned_from_what_was_asked() -> None:
    second = 1_000_000
    progress = Progress(0, 3600 * second)
    assert progress.at(50.0) == 0, "nothing is shown yet"
    progress.begun(100.0)
    assert progress.at(110.0) == 10 * second
    progress.play_at(4.0, 110.0)
    assert progress.at(120.0) == 50 * second
    progress.pause(120.0)
    assert progress.at(999.0) == 50 * second
    progress.seek(600.0, 1000.0)
    assert progress.at(1005.0) == 600 * second
    progress.resume(1010.0)
    assert progress.at(1011.0) == 604 * second
    progress.play_at(-1.0, 1011.0)
    assert progress.at(1021.0) == 594 * second
    progress.seek(3599.0, 1021.0)
    progress.play_at(1.0, 1021.0)
    assert progress.at(1e6) == 3600 * second


# --- what the device has ---------------------------------------------------------------------------------------------


def record(number: int, *, start: str, end: str, more: str = "") -> str:
    return (
        f"<Item><DeviceID>{CAMERA}</DeviceID><Name>f{number}</Name><StartTime>{start}</StartTime>"
        f"<EndTime>{end}</EndTime><Type>time</Type>{more}</Item>"
    )


async def test_recordings_are_found_and_put_in_order(bench) -> None:
    device = await bench.device()
    await device.register()

    def tell(incoming) -> None:
        incoming.respond(200)
        query = read_body(incoming.request.body)
        if b"RecordInfo" not in incoming.request.body:
            return
        items = (
            record(2, start="2026-01-01T08:30:00", end="2026-01-01T09:00:00", more="<FileSize>-5</FileSize>")
            + record(1, start="2026-01-01T08:00:00", end="2026-01-01T08:30:00", more="<FilePath>/a/1</FilePath>")
            + record(3, start="", end="2026-01-01T09:30:00")
        )
        body = (
            f"<Response><CmdType>RecordInfo</CmdType><SN>{query.sn}</SN><DeviceID>{CAMERA}</DeviceID><SumNum>3</SumNum>"
            f"<RecordList Num='3'>{items}</RecordList></Response>"
        )
        device.tasks.add(asyncio.get_running_loop().create_task(device.send(body.encode())))

    device.on["MESSAGE"] = tell
    found = await bench.platform.recordings(AskRecordings("ch_1", START, START + 86_400_000_000, "time"))
    query = read_body((await device.until("MESSAGE", match="RecordInfo")).body)
    assert (query.start_time, query.end_time, query.type) == ("2026-01-01T08:00:00", "2026-01-02T08:00:00", "time")
    assert found.recordings == (
        DeviceRecording(START, START + 1_800_000_000, "f1", "time", "/a/1"),
        DeviceRecording(START + 1_800_000_000, START + 3_600_000_000, "f2", "time"),
    )
    assert (found.complete, found.received, found.total) == (True, 3, 3)


@pytest.mark.parametrize(("start", "end", "kind"), [(5, 5, "all"), (9, 5, "all"), (1, 5, "weird")])
async def test_a_search_that_is_none_asks_nobody(bench, start: int, end: int, kind: str) -> None:
    with pytest.raises(SafecityError) as caught:
        await bench.platform.recordings(AskRecordings("ch_1", start, end, kind))
    assert caught.value.code == "gb_bad_window"
