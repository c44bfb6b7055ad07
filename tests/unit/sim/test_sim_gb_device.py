"""A simulated GB/T 28181 device, judged by a platform of few words over real loopback sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from safecity.model.values.media import Codec, Quality
from safecity.protocols.gb28181 import answers, controls, mansrtsp, notices, queries
from safecity.protocols.gb28181.ptz import Move, encode_ptz
from safecity.protocols.gb28181.session import Purpose, read_session
from safecity.protocols.gb28181.times import local_text, parse_local
from safecity.protocols.rtp.packets import parse
from safecity.sim.camera import Camera, CameraSpec
from safecity.sim.encode import VideoSpec
from safecity.sim.gb28181.device import SimDevice
from safecity.sim.gb28181.faults import Faults
from safecity.sim.gb28181.miniplatform import MiniPlatform
from safecity.sim.gb28181.profiles import CAMERA_2016, CAMERA_2022, CAMERA_NAT, DVR_2011, NVR_2022, Profile
from safecity.sim.gb28181.state import Channel, DeviceSpec
from safecity.sim.makes import dvr_2011_channels

DEVICE, CHANNEL = "34020000001320000001", "34020000001310000001"
SMALL = VideoSpec(width=320, height=180, fps=25, kbps=300, gop_seconds=1.0)
Make = Callable[..., Awaitable[SimDevice]]


@pytest.fixture
def painter() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
async def platform() -> AsyncIterator[MiniPlatform]:
    platform = MiniPlatform()
    await platform.start()
    yield platform
    await platform.close()


@pytest.fixture
async def make(platform: MiniPlatform, painter: ThreadPoolExecutor) -> AsyncIterator[Make]:
    made: list[SimDevice] = []

    async def build(
        profile: Profile = CAMERA_2016, *, channels: int = 1, tcp: bool = False, password: str = "secret",
        wait: bool = True, sound: Codec | None = None, faults: Faults | None = None, video: VideoSpec = SMALL,
        keepalive: float = 60.0,
    ) -> SimDevice:  # fmt: skip
        all_channels = [
            Channel(
                code=str(int(CHANNEL) + number),
                name=f"路口{number}",
                camera=Camera(
                    CameraSpec(number=number, title="T", main=video, sound=sound, fixed=False, light=1.0), painter
                ),
            )
            for number in range(channels)
        ]
        over_tcp = tcp or profile.tcp_signalling
        device = SimDevice(
            DeviceSpec(
                code=DEVICE, password=password, platform_code=platform.code, platform_host="127.0.0.1",
                platform_port=platform.endpoint.tcp_port if over_tcp else platform.port, profile=profile,
                name="测试设备", tcp=tcp, retry_seconds=0.1, keepalive_seconds=keepalive,
            ),
            all_channels, faults=faults,
        )  # fmt: skip
        await device.start()
        made.append(device)
        if wait:
            await device.registered()
        return device

    yield build
    for device in made:
        await device.stop()
        for channel in device.state.channels.values():
            await channel.camera.close()


async def test_a_camera_registers_and_keeps_alive(platform: MiniPlatform, make: Make) -> None:
    device = await make()
    assert DEVICE in platform.devices
    alive = await platform.next_body(notices.Keepalive)
    assert alive.status == "OK"
    assert abs(device.state.offset_us) < 2_000_000


@pytest.mark.parametrize("profile", [DVR_2011, CAMERA_2022, CAMERA_NAT], ids=lambda each: each.name)
async def test_every_profile_registers(platform: MiniPlatform, make: Make, profile: Profile) -> None:
    await make(profile)
    assert DEVICE in platform.devices
    assert platform.devices[DEVICE].transport == ("tcp" if profile.tcp_signalling else "udp")


async def test_a_wrong_password_never_registers(platform: MiniPlatform, make: Make) -> None:
    device = await make(password="wrong", wait=False)
    async with asyncio.timeout(60):
        while platform.refused < 2:
            await asyncio.sleep(0.01)
    assert not device.state.registered


async def test_the_catalogue_comes_in_several_messages(platform: MiniPlatform, make: Make) -> None:
    await make(NVR_2022, channels=20)
    await platform.ask(DEVICE, queries.CatalogQuery(sn=7, device_id=DEVICE), answers.CatalogResponse)
    async with asyncio.timeout(60):
        while sum(len(each.device_list or ()) for each in _catalogs(platform)) < 20:
            await asyncio.sleep(0.01)
    parts = _catalogs(platform)
    assert [len(each.device_list or ()) for each in parts] == [8, 8, 4]
    assert {each.sum_num for each in parts} == {20}
    assert {each.sn for each in parts} == {7}
    items = [item for each in parts for item in each.device_list or ()]
    assert items[3].name == "路口3"
    assert items[3].steering == 1


def _catalogs(platform: MiniPlatform) -> list[answers.CatalogResponse]:
    return [each for each in platform.bodies if isinstance(each, answers.CatalogResponse)]


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (queries.DeviceInfoQuery(sn=1, device_id=DEVICE), answers.DeviceInfoResponse),
        (queries.DeviceStatusQuery(sn=1, device_id=DEVICE), answers.DeviceStatusResponse),
        (queries.PresetQuery(sn=1, device_id=CHANNEL), answers.PresetResponse),
        (queries.ConfigDownloadQuery(sn=1, device_id=DEVICE), answers.ConfigDownloadResponse),
        (queries.HomePositionQuery(sn=1, device_id=CHANNEL), answers.HomePositionResponse),
        (queries.CruiseTrackListQuery(sn=1, device_id=CHANNEL), answers.CruiseTrackListResponse),
        (queries.CruiseTrackQuery(sn=1, device_id=CHANNEL, number=1), answers.CruiseTrackResponse),
        (queries.PtzPositionQuery(sn=1, device_id=CHANNEL), answers.PtzPositionResponse),
        (queries.SdCardStatusQuery(sn=1, device_id=CHANNEL), answers.SdCardStatusResponse),
    ],
    ids=lambda each: getattr(each, "COMMAND", ""),
)
async def test_every_query_is_answered(
    platform: MiniPlatform, make: Make, query: queries.Query, answer: type[answers.Response]
) -> None:
    await make(CAMERA_2022)
    reply = await platform.ask(DEVICE, query, answer)
    assert (reply.sn, reply.device_id) == (1, query.device_id)


@pytest.mark.parametrize(
    "command",
    [
        {"record_cmd": "StopRecord"},
        {"guard_cmd": "SetGuard"},
        {"alarm_cmd": "ResetAlarm"},
        {"home_position": answers.HomePositionItem(enabled=0)},
        {"device_upgrade": controls.Upgrade(firmware="2.0", session_id="s" * 32)},
    ],
    ids=lambda each: next(iter(each)),
)
async def test_controls_that_the_standard_has_answered_are_answered(
    platform: MiniPlatform, make: Make, command: dict[str, object]
) -> None:
    await make(CAMERA_2022)
    control = controls.DeviceControl(sn=5, device_id=CHANNEL, **command)  # type: ignore[arg-type]
    reply = await platform.ask(DEVICE, control, answers.DeviceControlResponse)
    assert (reply.sn, reply.result) == (5, "OK")


async def test_controls_without_an_answer_are_obeyed(platform: MiniPlatform, make: Make) -> None:
    device = await make(CAMERA_2022)
    lens = device.state.channels[CHANNEL].camera.lens
    loop = asyncio.get_running_loop()
    precise = controls.PreciseControl(pan=20.0, tilt=5.0, zoom=2.0)
    await platform.say(DEVICE, controls.DeviceControl(sn=1, device_id=CHANNEL, ptz_precise_ctrl=precise))
    await until(lambda: lens.commands == 1)
    lens.advance(loop.time() + 60)
    assert (lens.pose.pan, lens.pose.tilt, lens.pose.zoom) == (20.0, 5.0, 2.0)
    drag = controls.DragZoom(length=100, width=100, mid_point_x=80, mid_point_y=50, length_x=50, length_y=50)
    await platform.say(DEVICE, controls.DeviceControl(sn=2, device_id=CHANNEL, drag_zoom_in=drag))
    await until(lambda: lens.commands == 2)
    lens.advance(loop.time() + 120)
    assert (lens.pose.zoom, lens.pose.pan > 20.0) == (4.0, True)
    await platform.say(DEVICE, controls.DeviceControl(sn=3, device_id=CHANNEL, target_track="Auto"))
    await platform.say(DEVICE, controls.DeviceControl(sn=4, device_id=CHANNEL, format_sd_card=0))
    card = await platform.ask(DEVICE, queries.SdCardStatusQuery(sn=5, device_id=CHANNEL), answers.SdCardStatusResponse)
    assert card.sd_card_status_info[0].free_space == card.sd_card_status_info[0].capacity
    assert device.state.config[f"track/{CHANNEL}"] == "Auto"


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.005)


async def test_a_device_lives_by_the_configuration_it_is_given(platform: MiniPlatform, make: Make) -> None:
    device = await make(CAMERA_2022)
    await platform.next_body(notices.Keepalive)
    before = len(platform.bodies)
    basic = answers.BasicParam(name="东门", heart_beat_interval=30, heart_beat_count=5, expiration=7200)
    config = controls.DeviceConfig(sn=1, device_id=DEVICE, basic_param=basic)
    assert (await platform.ask(DEVICE, config, answers.DeviceConfigResponse)).result == "OK"
    await platform.next_body(notices.Keepalive, after=before)  # at once: the pause under way was of the old length
    query = queries.ConfigDownloadQuery(sn=2, device_id=DEVICE, config_type="BasicParam")
    told = (await platform.ask(DEVICE, query, answers.ConfigDownloadResponse)).basic_param
    assert (told.name, told.heart_beat_interval, told.heart_beat_count, told.expiration) == ("东门", 30, 5, 7200)
    assert device.spec.keepalive_seconds == 30.0


async def test_live_over_udp_carries_the_agreed_ssrc_and_ends_with_bye(platform: MiniPlatform, make: Make) -> None:
    device = await make()
    ear = await platform.listen()
    wish = platform.wish(CHANNEL, ear.port)
    call = await platform.invite(DEVICE, wish)
    assert call.response.status == 200
    packets = [parse(each) for each in await ear.heard(20)]
    assert {each.ssrc for each in packets if each} == {wish.ssrc}
    assert packets[0] is not None
    assert packets[0].payload.startswith(b"\0\0\1\xba")
    assert (await platform.in_call(call, "BYE")).status == 200
    assert not device.sessions.running
    ear.close()


async def test_live_over_tcp_when_the_platform_listens(platform: MiniPlatform, make: Make) -> None:
    await make()
    ear, server = await platform.listen_tcp()
    call = await platform.invite(DEVICE, platform.wish(CHANNEL, ear.port, transport="tcp_passive"))
    assert read_session(call.response.body).setup == "active"
    await ear.heard(20)
    await platform.in_call(call, "BYE")
    server.close()


async def test_live_over_tcp_when_the_device_listens(platform: MiniPlatform, make: Make) -> None:
    await make()
    call = await platform.invite(DEVICE, platform.wish(CHANNEL, 9, transport="tcp_active"))
    answer = read_session(call.response.body)
    assert answer.setup == "passive"
    reader, writer = await asyncio.open_connection("127.0.0.1", answer.port)
    size = int.from_bytes(await reader.readexactly(2), "big")
    packet = parse(await reader.readexactly(size))
    assert packet is not None
    assert packet.ssrc == answer.ssrc
    writer.close()
    await platform.in_call(call, "BYE")


async def test_a_ptz_command_turns_the_lens_and_the_picture(platform: MiniPlatform, make: Make) -> None:
    device = await make()
    camera = device.state.channels[CHANNEL].camera
    before = camera.street.render(10**15, 320, 180, camera.lens.pose).rgb()
    ear = await platform.listen()
    call = await platform.invite(DEVICE, platform.wish(CHANNEL, ear.port))
    command = controls.DeviceControl(sn=2, device_id=CHANNEL, ptz_cmd=encode_ptz(Move(pan=255)))
    await platform.say(DEVICE, command)
    async with asyncio.timeout(60):
        while camera.lens.pose.pan < 5:
            await asyncio.sleep(0.01)
    await platform.say(DEVICE, controls.DeviceControl(sn=3, device_id=CHANNEL, ptz_cmd=encode_ptz(Move())))
    await platform.in_call(call, "BYE")
    after = camera.street.render(10**15, 320, 180, camera.lens.pose).rgb()
    assert abs(before.astype(int) - after.astype(int)).mean() > 10
    ear.close()


async def test_recordings_are_found_and_played_and_end_with_media_status(platform: MiniPlatform, make: Make) -> None:
    device = await make()
    now = device.state.clock.now_us()
    day = local_text(now - 86_400 * 10**6), local_text(now)
    found = await platform.ask(
        DEVICE,
        queries.RecordInfoQuery(sn=9, device_id=CHANNEL, start_time=day[0], end_time=day[1], type="all"),
        answers.RecordInfoResponse,
    )
    assert found.record_list
    begun = parse_local(found.record_list[0].start_time)  # whatever the hour: recorders rest for a while each night
    assert begun is not None
    start = begun // 10**6 + 1
    end = start + 1
    ear = await platform.listen()
    wish = platform.wish(CHANNEL, ear.port, purpose=Purpose.PLAYBACK, start=start, end=end)
    call = await platform.invite(DEVICE, wish)
    faster = mansrtsp.write_mansrtsp(mansrtsp.Play(2, scale=4.0))
    info = await platform.in_call(call, "INFO", content_type=mansrtsp.CONTENT_TYPE, body=faster)
    assert info.status == 200
    status = await platform.next_body(notices.MediaStatus)
    assert status.notify_type == "121"
    assert len(ear.packets) > 20
    await platform.in_call(call, "BYE")
    ear.close()


async def test_the_sub_stream_is_the_smaller_one(platform: MiniPlatform, make: Make) -> None:
    device = await make(CAMERA_2022)
    ear = await platform.listen()
    call = await platform.invite(DEVICE, platform.wish(CHANNEL, ear.port, sub=True))
    await ear.heard(3)
    assert [each.quality for each in device.sessions.running.values()] == [Quality.SUB]
    await platform.in_call(call, "BYE")
    ear.close()


async def test_subscribers_hear_of_channels_alarms_and_positions(platform: MiniPlatform, make: Make) -> None:
    device = await make(CAMERA_2022, channels=2)
    await platform.subscribe(DEVICE, queries.CatalogQuery(sn=1, device_id=DEVICE), event="Catalog;id=1")
    await platform.subscribe(DEVICE, queries.AlarmQuery(sn=2, device_id=DEVICE))
    await platform.subscribe(DEVICE, queries.MobilePositionQuery(sn=3, device_id=DEVICE, interval=5))
    await device.subscriptions.switch(CHANNEL, False)
    change = await platform.next_body(notices.CatalogNotify)
    assert [(item.device_id, item.event) for item in change.device_list or ()] == [(CHANNEL, "OFF")]
    await device.subscriptions.alarm(CHANNEL, method=5, kind=6)
    assert (await platform.next_body(notices.AlarmNotify)).alarm_method == "5"
    assert (await platform.next_body(notices.MobilePositionNotify)).items()[0].longitude


async def test_an_alarm_without_subscription_comes_as_message(platform: MiniPlatform, make: Make) -> None:
    device = await make()
    await device.subscriptions.alarm(CHANNEL)
    assert (await platform.next_body(notices.AlarmNotify)).device_id == CHANNEL


async def test_a_rebooted_device_registers_again_without_a_bye(platform: MiniPlatform, make: Make) -> None:
    device = await make()
    ear = await platform.listen()
    await platform.invite(DEVICE, platform.wish(CHANNEL, ear.port))
    before = platform.registrations
    await device.reboot(dark_seconds=0)
    await device.registered()
    assert platform.registrations == before + 1
    assert not platform.byes
    ear.close()


async def test_broadcast_makes_the_device_ask_for_sound(platform: MiniPlatform, make: Make) -> None:
    device = await make()
    await platform.say(DEVICE, notices.BroadcastNotify(sn=4, source_id=platform.code, target_id=CHANNEL))
    assert (await platform.next_body(notices.BroadcastResponse)).result == "OK"
    async with asyncio.timeout(60):
        while not platform.talks:
            await asyncio.sleep(0.01)
    host, port = platform.answer_talk(platform.talks[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        async with asyncio.timeout(60):
            while not device.talk.packets:
                mouth.sendto(b"\x80\x08\0\1\0\0\0\1\0\0\0\2" + b"\xd5" * 160, (host, port))
                await asyncio.sleep(0.02)
    assert device.talk.payload_types == {8}


async def test_a_silent_device_says_nothing_more(platform: MiniPlatform, make: Make) -> None:
    device = await make(keepalive=0.05)
    await platform.next_body(notices.Keepalive)
    device.faults.silent = True
    before = len(platform.bodies)
    from safecity.kit.errors import UnavailableError

    with pytest.raises(UnavailableError):
        await platform.endpoint.request(_options(platform), platform.devices[DEVICE], timeout=0.3)
    assert len(platform.bodies) - before <= 1  # one may have been under way


def _options(platform: MiniPlatform):
    from safecity.links.sip_client import new_request

    return new_request("OPTIONS", f"sip:{DEVICE}@x", local=f"sip:{platform.code}@x", remote=f"sip:{DEVICE}@x")


async def test_refusal_and_wrong_ssrc_on_request(platform: MiniPlatform, make: Make) -> None:
    device = await make(faults=Faults(refuse=486))
    ear = await platform.listen()
    assert (await platform.invite(DEVICE, platform.wish(CHANNEL, ear.port))).response.status == 486
    device.faults.refuse, device.faults.ssrc = 0, "wrong"
    wish = platform.wish(CHANNEL, ear.port)
    call = await platform.invite(DEVICE, wish)
    assert read_session(call.response.body).ssrc == wish.ssrc
    heard = parse((await ear.heard(1))[0])
    assert heard is not None
    assert heard.ssrc != wish.ssrc
    await platform.in_call(call, "BYE")
    ear.close()


async def test_a_device_with_a_bad_power_supply_registers_again_and_again(platform: MiniPlatform, make: Make) -> None:
    device = await make(faults=Faults(reboot_seconds=0.2), wait=False)
    async with asyncio.timeout(60):
        while platform.registrations < 3:
            await asyncio.sleep(0.01)
    assert device.state.reboots >= 2
    await device.stop()
    reboots = device.state.reboots
    await asyncio.sleep(0.4)
    assert device.state.reboots == reboots, "a device that was taken away stays away"


async def test_a_device_with_a_wrong_clock_finds_its_recordings_by_its_own_time(
    platform: MiniPlatform, make: Make
) -> None:
    device = await make(faults=Faults(clock_offset_ms=-7200_000))
    now = device.state.clock.now_us()
    query = queries.RecordInfoQuery(
        sn=9, device_id=CHANNEL, start_time=local_text(now - 7000 * 10**6), end_time=local_text(now), type="all"
    )
    assert (await platform.ask(DEVICE, query, answers.RecordInfoResponse)).sum_num == 0, "that is its future"
    status = await platform.ask(DEVICE, queries.DeviceStatusQuery(sn=1, device_id=DEVICE), answers.DeviceStatusResponse)
    told = parse_local(status.device_time)
    assert told is not None
    assert abs(told - (now - 7200 * 10**6)) < 5 * 10**6


async def test_an_old_recorder_has_sixteen_channels_of_two_sizes_and_codecs(
    platform: MiniPlatform, painter: ThreadPoolExecutor
) -> None:
    code = "34020000001110000001"
    spec = DeviceSpec(
        code=code, password="secret", platform_code=platform.code, platform_host="127.0.0.1",
        platform_port=platform.port, profile=DVR_2011, name="DVR",
    )  # fmt: skip
    device = SimDevice(spec, dvr_2011_channels(code, painter))
    await device.start()
    await device.registered()
    await platform.say(code, queries.CatalogQuery(sn=7, device_id=code))
    async with asyncio.timeout(60):
        while len(_catalogs(platform)) < 16:
            await asyncio.sleep(0.01)
    videos = {each.camera.spec.main for each in device.state.channels.values()}
    assert {(each.codec, each.width) for each in videos} == {
        (Codec.MPEG4, 352), (Codec.H264, 352), (Codec.H264, 704)
    }  # fmt: skip
    ear = await platform.listen()
    first = next(iter(device.state.channels))
    await platform.invite(code, platform.wish(first, ear.port))
    heard = parse((await ear.heard(5))[0])
    assert heard is not None
    assert b"\0\0\1\xbc" in heard.payload
    assert bytes((0x10, 0xE0)) in heard.payload, "the map says MPEG-4"
    ear.close()
    await device.stop()
    for channel in device.state.channels.values():
        await channel.camera.close()
