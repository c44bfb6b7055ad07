"""Queries, controls, notices and subscriptions against a scripted device."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone

import msgspec
import pytest

from safecity.kit.clock import FakeClock
from safecity.kit.errors import SafecityError
from safecity.model.facts.signal_calls import AskKeyFrame, ConfigureDevice, QueryDevice, Steer
from safecity.protocols.gb28181.answers import (
    BasicParam,
    ConfigDownloadResponse,
    DeviceConfigResponse,
    DeviceControlResponse,
    PresetItem,
    PresetResponse,
    RecordInfoResponse,
    RecordItem,
)
from safecity.protocols.gb28181.catalog import CatalogItem
from safecity.protocols.gb28181.limits import Buckets
from safecity.protocols.gb28181.manscdp import read_body, write_body
from safecity.protocols.gb28181.notices import AlarmNotify, CatalogNotify, MobilePositionNotify
from safecity.protocols.gb28181.ptz import Move, decode_ptz
from safecity.protocols.gb28181.subscription import Topic

CODE = "34020000001180000001"
CAMERA = "34020000001310000001"


async def test_a_long_catalogue_comes_in_several_messages_and_events(bench) -> None:
    device = await bench.device()
    device.channels = [f"3402000000131{number:07d}" for number in range(250)]
    device.per_message = 7
    await device.register()
    await bench.until_event("catalog.received", 3)
    events = bench.events("catalog.received")
    assert [len(event.body["items"]) for event in events] == [100, 100, 50]
    assert [event.body["last"] for event in events] == [False, False, True]
    assert len({event.body["batch"] for event in events}) == 1
    assert len({item["code"] for event in events for item in event.body["items"]}) == 250


async def test_a_catalogue_with_a_bad_byte_loses_no_channel(bench) -> None:
    device = await bench.device()

    def broken(incoming) -> None:
        incoming.respond(200)
        query = read_body(incoming.request.body)
        if b"Catalog" not in incoming.request.body:
            return
        body = (
            f"<Response><CmdType>Catalog</CmdType><SN>{query.sn}</SN><DeviceID>{CODE}</DeviceID><SumNum>2</SumNum>"
            f"<DeviceList Num='2'><Item><DeviceID>{CAMERA}</DeviceID><Name>@@</Name></Item><Item><DeviceID>"
            "34020000001310000002</DeviceID><Name>b</Name></Item></DeviceList></Response>"
        ).encode()
        device.tasks.add(asyncio.get_running_loop().create_task(device.send(body.replace(b"@@", b"\xc8\xff"))))

    device.on["MESSAGE"] = broken
    await device.register()
    event = await _catalog(bench)
    assert [item["code"][-1] for item in event.body["items"]] == ["1", "2"]


async def _catalog(bench):
    known = bench.platform.directory.by_code(CODE)
    await bench.platform.knowing.catalog(known)
    return await bench.until_event("catalog.received")


async def test_what_never_comes_is_said_k_of_n(bench) -> None:
    device = await bench.device()
    await device.register()
    await bench.until_event("catalog.received")

    def half(incoming) -> None:
        incoming.respond(200)
        query = read_body(incoming.request.body)
        if b"RecordInfo" not in incoming.request.body:
            return
        answer = RecordInfoResponse(
            sn=query.sn, device_id=CAMERA, sum_num=5, record_list=(RecordItem(device_id=CAMERA, name="1"),)
        )
        device.tasks.add(asyncio.get_running_loop().create_task(device.send(answer)))

    device.on["MESSAGE"] = half
    pending = asyncio.create_task(
        bench.platform.query(QueryDevice("dev_1", "RecordInfo", CAMERA, {"StartTime": "2026-01-01T00:00:00"}))
    )
    await device.until("MESSAGE", match="RecordInfo")

    def opened() -> list:
        return [one for key, one in bench.platform.asker._open.items() if key[1] == "recordinfo" and one.bodies]

    async with asyncio.timeout(60):
        while not opened():
            await asyncio.sleep(0.01)
    opened()[0].arrived.set()
    opened()[0].collected.deadline = 0.0
    answer = await pending
    assert (answer.complete, answer.received, answer.total) == (False, 1, 5)
    assert answer.body["RecordList"][0]["Name"] == "1"


async def test_a_query_is_answered_with_the_names_of_the_standard(bench) -> None:
    device = await bench.device()
    await device.register()

    def presets(incoming) -> None:
        incoming.respond(200)
        query = read_body(incoming.request.body)
        if b"PresetQuery" in incoming.request.body:
            # An SN of its own, as some devices have it.
            answer = PresetResponse(
                sn=99_999, device_id=query.device_id, sum_num=1, preset_list=(PresetItem(preset_id="3"),)
            )
            device.tasks.add(asyncio.get_running_loop().create_task(device.send(answer)))

    device.on["MESSAGE"] = presets
    answer = await bench.platform.query(QueryDevice("dev_1", "PresetQuery", CAMERA))
    assert answer.body["PresetList"] == [{"PresetID": "3"}]
    assert answer.complete


async def test_configuration_types_that_come_one_by_one_are_joined(bench) -> None:
    device = await bench.device()
    await device.register()

    def parts(incoming) -> None:
        incoming.respond(200)
        query = read_body(incoming.request.body)
        if b"ConfigDownload" in incoming.request.body:
            for answer in (
                ConfigDownloadResponse(sn=query.sn, device_id=CODE, result="OK", video_param_opt={"Resolution": "6"}),
                ConfigDownloadResponse(sn=query.sn, device_id=CODE, result="OK", frame_mirror="1"),
            ):
                device.tasks.add(asyncio.get_running_loop().create_task(device.send(answer)))

    device.on["MESSAGE"] = parts
    fields = {"ConfigType": "VideoParamOpt/FrameMirror"}
    answer = await bench.platform.query(QueryDevice("dev_1", "ConfigDownload", "", fields))
    assert answer.body["VideoParamOpt"] == {"Resolution": "6"}
    assert answer.body["FrameMirror"] == "1"


async def test_unknown_devices_queries_and_acts_are_errors_with_codes(bench) -> None:
    for request, code in (
        (QueryDevice("dev_9", "Catalog"), "gb_unknown_device"),
        (QueryDevice("dev_1", "Nonsense"), "gb_unknown_query"),
        (QueryDevice("dev_1", "DeviceInfo"), "gb_device_offline"),
    ):
        with pytest.raises(SafecityError) as caught:
            await bench.platform.query(request)
        assert caught.value.code == code
    with pytest.raises(SafecityError) as caught:
        await bench.platform.steer(Steer("ch_1", "dance"))
    assert caught.value.code == "ptz_unknown_action"


async def test_a_key_press_becomes_a_ptz_command(bench) -> None:
    device = await bench.device()
    await device.register()
    await bench.platform.steer(Steer("ch_1", "move", pan=0.5, tilt=-1.0))
    request = await device.until("MESSAGE", match="PTZCmd")
    body = read_body(request.body)
    assert (body.device_id, decode_ptz(body.ptz_cmd)) == (CAMERA, Move(pan=128, tilt=-255))


@pytest.mark.parametrize(
    ("steer", "element"),
    [
        (Steer("ch_1", "reboot"), "<TeleBoot>Boot</TeleBoot>"),
        (Steer("ch_1", "drag_in", extra={"width": 100, "x": 5}), "<DragZoomIn>"),
        (Steer("ch_1", "precise", pan=10.0), "<PTZPreciseCtrl>"),
        (Steer("ch_1", "preset_call", number=2), "A50F018200020039"),
        (Steer("ch_1", "aux_on", number=1), "A50F018C01000042"),
    ],
)
async def test_other_acts_have_their_elements(bench, steer: Steer, element: str) -> None:
    device = await bench.device()
    await device.register()
    assert await bench.platform.steer(steer) is None
    await device.until("MESSAGE", match=element)


async def test_controls_that_are_answered_wait_for_the_answer(bench) -> None:
    device = await bench.device()
    await device.register()
    results = ["OK", "ERROR"]

    def control(incoming) -> None:
        incoming.respond(200)
        query = read_body(incoming.request.body)
        if b"GuardCmd" in incoming.request.body:
            answer = DeviceControlResponse(sn=query.sn, device_id=CAMERA, result=results.pop(0))
            device.tasks.add(asyncio.get_running_loop().create_task(device.send(answer)))

    device.on["MESSAGE"] = control
    answer = await bench.platform.steer(Steer("ch_1", "guard_on"))
    assert answer.body["Result"] == "OK"
    with pytest.raises(SafecityError) as caught:
        await bench.platform.steer(Steer("ch_1", "guard_on"))
    assert caught.value.code == "gb_control_failed"


async def test_a_configuration_is_written_and_a_refusal_told(bench) -> None:
    device = await bench.device()
    await device.register()
    results = ["OK", "Error"]

    def control(incoming) -> None:
        incoming.respond(200)
        command = read_body(incoming.request.body)
        if b"DeviceConfig" in incoming.request.body:
            answer = DeviceConfigResponse(sn=command.sn, device_id=CODE, result=results.pop(0))
            device.tasks.add(asyncio.get_running_loop().create_task(device.send(answer)))

    device.on["MESSAGE"] = control
    basic = {"Name": "东门 <&>", "HeartBeatInterval": 300, "HeartBeatCount": 4}
    wish = ConfigureDevice("dev_1", "", {"BasicParam": basic, "OSDConfig": {"Item": [{"X": 1}, {"X": 2}]}})
    assert (await bench.platform.configure(wish)).body["Result"] == "OK"
    sent = read_body((await device.until("MESSAGE", match="DeviceConfig")).body)
    assert (sent.basic_param.name, sent.basic_param.heart_beat_interval) == ("东门 <&>", 300)
    assert sent.osd_config == {"Item": [{"X": "1"}, {"X": "2"}]}
    assert bench.platform.directory.by_code(CODE).presence.patience == 1200
    with pytest.raises(SafecityError) as caught:
        await bench.platform.configure(wish)
    assert caught.value.code == "gb_control_failed"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"PTZCmd": "A5"},
        {"SN": 1},
        {"BasicParam": {"HeartBeatInterval": "soon"}},
        {"OSDConfig": {"x><y": "1"}},
        {"OSDConfig": {"X": "a" * 2000}},
        {"OSDConfig": {"X": list(range(600))}},
        {"OSDConfig": {"A": {"A": {"A": {"A": {"A": {"A": {"A": "deep"}}}}}}}},
        {"FrameMirror": b"bytes"},
    ],
)
async def test_what_is_no_configuration_reaches_no_device(bench, fields) -> None:
    device = await bench.device()
    await device.register()
    with pytest.raises(SafecityError) as caught:
        await bench.platform.configure(ConfigureDevice("dev_1", "", fields))
    assert caught.value.code == "gb_bad_config"
    assert not [request for request in device.requests if b"DeviceConfig" in request.body]


async def test_a_device_that_means_to_call_in_rarely_is_waited_for_also_after_a_restart(bench) -> None:
    device = await bench.device()
    answer = device._answer

    async def tell(request) -> None:
        query = read_body(request.body)
        if b"ConfigDownload" not in request.body:
            await answer(request)
            return
        basic = BasicParam(name="gate", heart_beat_interval=300, heart_beat_count=3)
        await device.send(ConfigDownloadResponse(sn=query.sn, device_id=CODE, result="OK", basic_param=basic))

    device._answer = tell
    await device.register()
    async with asyncio.timeout(60):
        while bench.platform.directory.by_code(CODE).presence.patience != 900:
            await asyncio.sleep(0.01)
    bench.apply(3)
    assert bench.platform.directory.by_code(CODE).presence.patience == 900
    await bench.restart()
    assert bench.platform.directory.by_code(CODE).presence.patience == 900


@pytest.mark.parametrize(("version", "element"), [("2.0", "<IFameCmd>"), ("3.0", "<IFrameCmd>"), ("", "<IFameCmd>")])
async def test_a_key_frame_is_asked_for_in_the_words_of_the_device(bench, version: str, element: str) -> None:
    device = await bench.device()
    await device.register(**({"X-GB-Ver": version} if version else {}))
    await bench.platform.ask_key_frame(AskKeyFrame("ch_1"))
    await device.until("MESSAGE", match=element)


async def test_an_alarm_by_message_is_answered_and_becomes_a_fact(bench) -> None:
    said = datetime.now(timezone(timedelta(hours=8))).replace(microsecond=0) - timedelta(minutes=1)
    device = await bench.device()
    await device.register()
    await device.send(
        AlarmNotify(
            sn=6,
            device_id=CAMERA,
            alarm_priority="2",
            alarm_method="5",
            alarm_time=said.strftime("%Y-%m-%dT%H:%M:%S"),
            alarm_type="2",
        )
    )
    await device.until("MESSAGE", match="<Response>\\s*<CmdType>Alarm</CmdType>\\s*<SN>6</SN>")
    event = await bench.until_event("alarm.received")
    assert event.subject == "ch_1"
    assert (event.body["priority"], event.body["method"], event.body["type"]) == (2, 5, "2")
    assert event.at == event.body["time_us"] == round(said.timestamp()) * 1_000_000


async def test_an_alarm_of_a_device_that_lost_its_clock_is_filed_when_it_came(bench) -> None:
    device = await bench.device()
    await device.register()
    await device.send(AlarmNotify(sn=7, device_id=CAMERA, alarm_time="1970-01-02T00:00:00"))
    event = await bench.until_event("alarm.received")
    assert event.at == event.seen
    assert event.body["time_us"] < 10**14, "what the device said is kept"


async def test_positions_and_catalogue_changes_become_facts(bench) -> None:
    device = await bench.device()
    await device.register()
    position = MobilePositionNotify(sn=1, device_id=CODE, longitude=118.3, latitude=31.2, speed=36.0)
    await device.send(position)
    event = await bench.until_event("position.received")
    assert (event.subject, event.body["speed"]) == ("dev_1", 10.0)
    items = tuple(
        CatalogItem(device_id=CAMERA[:-1] + str(end), event=change) for end, change in enumerate(("OFF", "OFF", "ON"))
    )
    notify = device.request("NOTIFY", write_body(CatalogNotify(sn=1, device_id=CODE, sum_num=3, device_list=items)))
    assert (await device.endpoint.request(notify, device.flow)).status == 200
    await bench.until_event("catalog.changed", 2)
    changes = [(event.body["change"], len(event.body["items"])) for event in bench.events("catalog.changed")]
    assert changes == [("OFF", 2), ("ON", 1)]


async def test_more_changes_than_can_be_followed_are_made_up_for_by_asking_once_it_is_calm(bench) -> None:
    device = await bench.device()
    await device.register()
    asked: list[str] = []
    inbox, clock = bench.platform.inbox, FakeClock()
    inbox._clock = clock
    inbox._meet = lambda one: asked.append(one.code)
    inbox._changes = Buckets(rate=0.001, burst=3.0)
    change = CatalogNotify(sn=1, device_id=CODE, sum_num=1, device_list=(CatalogItem(device_id=CAMERA, event="OFF"),))
    for _ in range(5):
        notify = device.request("NOTIFY", write_body(change))
        assert (await device.endpoint.request(notify, device.flow)).status == 200
    assert (len(bench.events("catalog.changed")), inbox.dropped) == (3, 2)
    inbox.tick()
    assert asked == [], "not while it goes on"
    clock.advance(11.0)
    inbox.tick()
    inbox.tick()
    assert asked == [CODE]


async def test_a_channel_that_alarms_without_end_leaves_room_for_another_of_its_device(bench) -> None:
    device = await bench.device()
    await device.register()
    bench.platform.inbox._alarms = Buckets(rate=0.001, burst=3.0)
    for number in range(5):
        await device.send(AlarmNotify(sn=number, device_id=CAMERA))
    await device.send(AlarmNotify(sn=9, device_id=CODE))
    await bench.until_event("alarm.received", 4)
    assert [event.subject for event in bench.events("alarm.received")] == ["ch_1", "ch_1", "ch_1", "dev_1"]
    await device.until("MESSAGE", match="<CmdType>Alarm</CmdType>\\s*<SN>9</SN>")
    confirmed = [request for request in device.requests if b"<CmdType>Alarm</CmdType>" in request.body]
    assert len(confirmed) == 4, "what is dropped is not confirmed"


async def test_subscriptions_are_made_and_refreshed_in_their_dialog_after_a_restart(bench) -> None:
    device = await bench.device()
    await device.register()
    known = bench.platform.directory.by_code(CODE)
    for subscription in known.subscriptions.values():
        subscription.due_at = 0.0
    bench.platform.subscribing.tick()
    first = await device.until("SUBSCRIBE", 2)
    assert {request.get("Event").partition(";")[0] for request in device.requests if request.method == "SUBSCRIBE"} == {
        "Catalog",
        "presence",
    }
    async with asyncio.timeout(60):
        while len(bench.platform.subscribing._by_call) < 2:
            await asyncio.sleep(0.01)
    await bench.restart()
    known = bench.platform.directory.by_code(CODE)
    assert len(known.dialogs) == 2
    for subscription in known.subscriptions.values():
        subscription.due_at = 0.0
    bench.platform.subscribing.tick()
    again = await device.until("SUBSCRIBE", 3)
    assert again.to.tag
    assert again.call_id in {request.call_id for request in device.requests[:50] if request is not again}
    assert again.cseq.number > first.cseq.number or again.call_id != first.call_id


async def test_positions_are_asked_for_as_often_as_is_wished_and_no_longer_than_that(bench) -> None:
    device = await bench.device()
    await device.register()
    known = bench.platform.directory.by_code(CODE)

    async def asked(**wishes: object) -> list[tuple[int, int]]:
        """What of positions the device heard since: (seconds between two, seconds of validity)."""
        device.requests.clear()
        known.config = msgspec.structs.replace(known.config, subscribe_catalog=False, subscribe_alarm=False, **wishes)
        bench.platform.subscribing.tick()
        for subscription in known.subscriptions.values():
            subscription.due_at = min(subscription.due_at, bench.platform._clock.monotonic())
        bench.platform.subscribing.tick()
        await device.until("SUBSCRIBE", 1)
        async with asyncio.timeout(60):
            while bench.platform.subscribing._running:
                await asyncio.sleep(0.01)
        heard = [request for request in device.requests if request.method == "SUBSCRIBE"]
        return [(read_body(request.body).interval, int(request.get("Expires"))) for request in heard]

    assert await asked(subscribe_position=True, position_seconds=30) == [(30, 3600)]
    # Another interval goes out at once, in the same dialog; then nobody wants it any more.
    first = known.dialogs[Topic.POSITION].id
    assert await asked(subscribe_position=True, position_seconds=7) == [(7, 3600)]
    assert known.dialogs[Topic.POSITION].id.call_id == first.call_id
    assert await asked(subscribe_position=False) == [(7, 0)]
    assert Topic.POSITION not in known.subscriptions
    assert Topic.POSITION not in known.dialogs


async def test_a_subscription_the_device_does_not_know_is_left_alone(bench) -> None:
    device = await bench.device()
    device.on["SUBSCRIBE"] = lambda incoming: incoming.respond(489)
    await device.register()
    known = bench.platform.directory.by_code(CODE)
    for subscription in known.subscriptions.values():
        subscription.due_at = 0.0
    bench.platform.subscribing.tick()
    await device.until("SUBSCRIBE", 2)
    async with asyncio.timeout(60):
        while any(subscription.asking for subscription in known.subscriptions.values()):
            await asyncio.sleep(0.01)
    bench.platform.subscribing.tick()
    now = bench.platform._clock.monotonic()
    assert all(subscription.due_at > now + 3600 for subscription in known.subscriptions.values())


async def test_whatever_a_device_writes_its_catalogue_fits_into_frames(bench) -> None:
    device = await bench.device()
    item = "<Item><DeviceID>{0}</DeviceID><Name>{1}</Name><Info><PointCommonName>{1}</PointCommonName></Info></Item>"
    flood = "".join(item.format(f"34020000001310{number:06d}", "路" * 1500) for number in range(400))

    def huge(incoming) -> None:
        incoming.respond(200)
        query = read_body(incoming.request.body)
        if b"<Query>" in incoming.request.body and b"Catalog" in incoming.request.body:
            body = f"<Response><CmdType>Catalog</CmdType><SN>{query.sn}</SN><DeviceID>{CODE}</DeviceID>"
            body += f"<SumNum>400</SumNum><DeviceList>{flood}</DeviceList></Response>"
            # Too big for any transport of ours: handed in as if it had come.
            bench.platform.asker.answered(
                bench.platform.directory.by_code(CODE), read_body(body.encode()), bench.platform._clock.monotonic()
            )

    device.on["MESSAGE"] = huge
    await device.register()
    await _catalog(bench)
    bench.platform.store.flush()
    batch = bench.outbox.pending()
    assert sum(len(msgspec.msgpack.encode(event)) for _, event in batch) < 700_000
    parts = bench.events("catalog.received")
    assert len(parts) >= 1
    assert all(len(msgspec.msgpack.encode(event)) < 200_000 for event in parts)


async def test_a_catalogue_answered_by_a_notify_is_an_answer(bench) -> None:
    device = await bench.device()

    def notify(incoming) -> None:
        incoming.respond(200)
        query = read_body(incoming.request.body)
        if b"<Query>" in incoming.request.body and b"Catalog" in incoming.request.body:
            answer = CatalogNotify(sn=query.sn, device_id=CODE, sum_num=1, device_list=(CatalogItem(device_id=CAMERA),))
            device.tasks.add(asyncio.get_running_loop().create_task(device.send(answer)))

    device.on["MESSAGE"] = notify
    await device.register()
    await _catalog(bench)
    assert not bench.events("catalog.changed")
