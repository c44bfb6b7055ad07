"""Playing a device's own recordings: INVITE with a window, INFO to steer, MediaStatus to end."""

from __future__ import annotations

import asyncio

import pytest

from safecity.kit.errors import SafecityError
from safecity.model.facts.media_calls import CloseStream, ConfirmStream
from safecity.model.facts.signal_calls import StartDevicePlayback, SteerDevicePlayback
from safecity.protocols.gb28181.manscdp import write_body
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


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 5), (0, 10**15)])
async def test_a_window_that_is_none_is_refused(bench, start: int, end: int) -> None:
    with pytest.raises(SafecityError) as caught:
        await bench.platform.start_playback(StartDevicePlayback("ps_1", "ch_1", start, end))
    assert caught.value.code == "gb_bad_window"


async def test_steering_what_is_not_there(bench) -> None:
    with pytest.raises(SafecityError) as caught:
        await bench.platform.steer_playback(SteerDevicePlayback("ps_9", "pause"))
    assert caught.value.code == "gb_no_session"
