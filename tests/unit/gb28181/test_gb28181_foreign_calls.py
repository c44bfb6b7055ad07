"""INVITEs, questions and subscriptions answered by devices that share no code with us."""

from __future__ import annotations

import asyncio
import re

import pytest
from foreign_device import CAMERA, CODE, Foreigner, Heard, answer

from safecity.kit.errors import SafecityError
from safecity.model.facts.media_calls import CloseStream, ConfirmStream, StreamState
from safecity.model.values.media import Quality, StreamKey

KEY = StreamKey("ch_1", Quality.MAIN)


def offered(invite: Heard) -> int:
    return int(re.search(rb"y=(\d+)", invite.body)[1])


def sdp(invite: Heard, lines: str) -> bytes:
    return lines.format(y=re.search(rb"y=(\d+)", invite.body)[1].decode(), code=CAMERA).replace("\n", "\r\n").encode()


BARE = "v=0\no={code} 0 0 IN IP4 127.0.0.1\ns=Play\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 40000 RTP/AVP 96\ny={y}\n"
ORDINARY = BARE.replace("y=", "a=sendonly\na=rtpmap:96 PS/90000\ny=")
ANSWERS = {
    "ordinary": ORDINARY,
    "no attributes": BARE,
    "port 0": ORDINARY.replace("40000", "0"),
    "no y": ORDINARY.replace("y={y}\n", ""),
    "y of zeros": ORDINARY.replace("y={y}", "y=0000000000"),
    "y is a word": ORDINARY.replace("y={y}", "y=none"),
    "y too long": ORDINARY.replace("y={y}", "y=99999999999999"),
    "y before m": ORDINARY.replace("y={y}\n", "").replace("m=video", "y={y}\nm=video"),
    "bare line feeds and blanks": ORDINARY.replace("\n", " \n"),
    "no c": ORDINARY.replace("c=IN IP4 127.0.0.1\n", ""),
    "c within the medium": ORDINARY.replace("c=IN IP4 127.0.0.1\n", "").replace(
        "a=sendonly", "c=IN IP4 127.0.0.1\na=sendonly"
    ),
    "sound first": ORDINARY.replace("m=video", "m=audio 40002 RTP/AVP 8\na=rtpmap:8 PCMA/8000\nm=video"),
    "another name": ORDINARY.replace("s=Play", "s=Embedded Net DVR"),
    "sendrecv": ORDINARY.replace("sendonly", "sendrecv"),
    "nothing at all": "",
}


async def opened(bench, device: Foreigner, reply) -> asyncio.Task:
    task = asyncio.create_task(bench.platform.open_stream(KEY))
    invite = await device.asked("INVITE")
    await reply(invite)
    return task


@pytest.mark.parametrize("form", ANSWERS)
async def test_a_200_is_understood_whatever_its_sdp(bench, form: str) -> None:
    async with Foreigner(bench.address) as device:
        await device.sign_in()
        heard: list[Heard] = []

        async def reply(invite: Heard) -> None:
            heard.append(invite)
            body = sdp(invite, ANSWERS[form])
            kind = "Content-Type: application/sdp\r\n" if body else ""
            await device.send(
                answer(invite, 200, more=f"Contact: <sip:{CAMERA}@127.0.0.1:{device.port}>\r\n{kind}", body=body)
            )

        task = await opened(bench, device, reply)
        ack = await device.until(lambda h: h.method == "ACK")
        assert ack.get("cseq").split()[0] == heard[0].get("cseq").split()[0]
        await task
        confirmed = await bench.until_sent(ConfirmStream)
        assert confirmed.ssrc == offered(heard[0])


async def test_the_ssrc_of_the_answer_counts_also_when_it_is_not_ours(bench) -> None:
    async with Foreigner(bench.address) as device:
        await device.sign_in()

        async def reply(invite: Heard) -> None:
            body = sdp(invite, ORDINARY.replace("y={y}", "y=0100012345"))
            await device.send(answer(invite, 200, body=body))

        await (await opened(bench, device, reply))
        assert (await bench.until_sent(ConfirmStream)).ssrc == 100_012_345


async def test_100_180_183_and_a_200_thrice(bench) -> None:
    async with Foreigner(bench.address) as device:
        await device.sign_in()

        async def reply(invite: Heard) -> None:
            for status in (100, 180, 183, 200, 200, 200):
                body = sdp(invite, ORDINARY) if status == 200 else b""
                await device.send(answer(invite, status, body=body))

        await (await opened(bench, device, reply))
        for _ in range(3):  # each 200 gets its ACK, else the device would hang up
            await device.until(lambda h: h.method == "ACK")
        assert len(bench.calls.of(ConfirmStream)) == 1


@pytest.mark.parametrize(
    "contact",
    ["Contact: <sip:34020000001310000001@192.168.9.9:5060>\r\n", "Contact: *\r\n", "Contact: <sip:nobody@>\r\n", ""],
)
@pytest.mark.parametrize("tag", ["99", ""])
async def test_a_stream_is_ended_within_its_dialog_whatever_contact_and_tag_the_device_gave(
    bench, monkeypatch: pytest.MonkeyPatch, contact: str, tag: str
) -> None:
    """Behind NAT the Contact is private; some write none; old devices give no tag (RFC 3261, 12.1.2)."""
    monkeypatch.setattr("safecity.drivers.wanted.LINGER_SECONDS", 0.0)
    async with Foreigner(bench.address) as device:
        await device.sign_in()
        heard: list[Heard] = []

        async def reply(invite: Heard) -> None:
            heard.append(invite)
            ok = answer(invite, 200, more=contact, body=sdp(invite, ORDINARY), tag=tag)
            await device.send(ok.replace(b";tag=\r\n", b"\r\n"))

        await (await opened(bench, device, reply))
        await device.until(lambda h: h.method == "ACK")
        bench.platform.streams.slot_says("media-0", StreamState("ch_1", Quality.MAIN, "running", False))
        bye = await device.asked("BYE")
        assert bye.get("to").endswith(f";tag={tag}" if tag else ">")
        assert bye.get("call-id") == heard[0].get("call-id")
        await device.send(answer(bye, 200))
        assert (await bench.until_sent(CloseStream)).reason == "not_wanted"


@pytest.mark.parametrize(
    ("status", "step"),
    [(400, "gb_refused"), (403, "gb_refused"), (404, "gb_refused"), (480, "gb_refused"), (486, "gb_busy"),
     (487, "gb_no_sip_answer"), (488, "gb_refused"), (500, "gb_refused"), (603, "gb_refused")],
)  # fmt: skip
async def test_a_refusal_says_why(bench, status: int, step: str) -> None:
    async with Foreigner(bench.address) as device:
        await device.sign_in()

        async def reply(invite: Heard) -> None:
            await device.send(answer(invite, 100) + b"")
            await device.send(answer(invite, status, reason="No"))

        task = await opened(bench, device, reply)
        await device.until(lambda h: h.method == "ACK")
        with pytest.raises(SafecityError) as failed:
            await task
        assert failed.value.code == step


def described(query: Heard, name: str = "Acme") -> bytes:
    sn = re.search(rb"<SN>(\d+)", query.body)[1].decode()
    return (
        f"<?xml version='1.0'?><Response><CmdType>DeviceInfo</CmdType><SN>{sn}</SN><DeviceID>{CODE}</DeviceID>"
        f"<Result>ok</Result><Manufacturer>{name}</Manufacturer></Response>"
    ).encode()


async def test_the_answer_may_come_before_the_200_to_the_question(bench) -> None:
    async with Foreigner(bench.address) as device:
        await device.sign_in()
        query = await device.asked("MESSAGE", "DeviceInfo")
        assert (await device.say(described(query))).status == 200
        await device.send(answer(query, 200))
        assert (await bench.until_event("device.described")).body["manufacturer"] == "Acme"


async def test_the_answer_counts_although_the_question_was_never_acknowledged(
    bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safecity.drivers.gb28181.link.REQUEST_SECONDS", 0.2)
    async with Foreigner(bench.address) as device:
        await device.sign_in()
        query = await device.asked("MESSAGE", "DeviceInfo")
        assert (await device.say(described(query))).status == 200
        assert (await bench.until_event("device.described")).body["manufacturer"] == "Acme"


ALARM = (
    f"<Notify><CmdType>Alarm</CmdType><SN>9</SN><DeviceID>{CAMERA}</DeviceID><AlarmPriority>2</AlarmPriority>"
    "<AlarmMethod>5</AlarmMethod><Info><AlarmType>6</AlarmType></Info></Notify>"
).encode()
CHANGE = (
    f"<?xml version='1.0'?><Response><CmdType>Catalog</CmdType><SN>9</SN><DeviceID>{CODE}</DeviceID><SumNum>1</SumNum>"
    f"<DeviceList Num='1'><Item><DeviceID>{CAMERA}</DeviceID><Event>OFF</Event></Item></DeviceList></Response>"
).encode()


def notify(
    device: Foreigner, subscribe: Heard, body: bytes, *, tag: str = "s1", event: str = "", call: str = ""
) -> bytes:
    """NOTIFY in the dialog of that SUBSCRIBE, or in none."""
    device.cseq += 1
    device.branch += 1
    ours = subscribe.get("to").partition(";")[0] + f";tag={tag}"
    head = (
        f"NOTIFY sip:{subscribe.get('contact').strip('<>').partition(':')[2]} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.1:{device.port};rport;branch=z9hG4bKn{device.branch}\r\nFrom: {ours}\r\n"
        f"To: {subscribe.get('from')}\r\nCall-ID: {call or subscribe.get('call-id')}\r\nCSeq: {device.cseq} NOTIFY\r\n"
        f"{event}Subscription-State: active;expires=90\r\nContent-Type: Application/MANSCDP+xml\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@pytest.mark.parametrize("status", [200, 202])
async def test_subscriptions_for_alarms_and_the_catalogue_bear_notices(bench, status: int) -> None:
    """As devices answer them: with 202, without Expires or Contact, and NOTIFY before the 200."""
    async with Foreigner(bench.address) as device:
        await device.sign_in()
        bench.platform.subscribing.device_is_new(bench.platform.directory.by_code(CODE))
        for subscription in bench.platform.directory.by_code(CODE).subscriptions.values():
            subscription.due_at = 0.0
        asked: dict[str, Heard] = {}
        while len(asked) < 2:
            heard = await device.asked("SUBSCRIBE")
            kind = "Alarm" if b"<CmdType>Alarm" in heard.body else "Catalog"
            asked[kind] = heard
            if kind == "Catalog":
                await device.send(notify(device, heard, CHANGE, event="Event: Catalog\r\n"))
            await device.send(answer(heard, status, tag="s1"))
        assert asked["Catalog"].get("event").startswith("Catalog")
        assert asked["Alarm"].get("event") == "presence"
        assert b"<StartAlarmPriority>0<" in asked["Alarm"].body
        changed = await bench.until_event("catalog.changed")
        assert (changed.body["change"], changed.body["items"][0]["code"]) == ("OFF", CAMERA)
        for number, text in enumerate(
            (
                notify(device, asked["Alarm"], ALARM, event="Event: presence\r\n"),
                notify(device, asked["Alarm"], ALARM, tag="other"),
                notify(device, asked["Alarm"], ALARM, call="nowhere@x"),
            ),
            1,
        ):
            await device.send(text)
            assert (await device.answer_to(int(re.search(rb"CSeq: (\d+)", text)[1]), "NOTIFY")).status == 200
            assert (await bench.until_event("alarm.received", number)).body["channel"] == "ch_1"


async def test_a_device_behind_nat_whose_connection_broke_is_offline_and_back_on_another(bench) -> None:
    server = ("127.0.0.1", bench.endpoint.tcp_port)
    async with Foreigner(server, tcp=True) as device:
        assert (await device.sign_in()).status == 200
    presence = bench.platform.directory.by_code(CODE).presence
    async with asyncio.timeout(60):
        while presence.next_deadline() - asyncio.get_running_loop().time() > 15:
            await asyncio.sleep(0.01)
    with pytest.raises(SafecityError) as failed:
        await bench.platform.open_stream(KEY)
    assert failed.value.code == "gb_device_offline"
    async with Foreigner(server, tcp=True) as again:
        assert (await again.sign_in()).status == 200
        assert presence.next_deadline() - asyncio.get_running_loop().time() > 100
        task = asyncio.create_task(bench.platform.open_stream(KEY))
        invite = await again.asked("INVITE")
        await again.send(answer(invite, 200, body=sdp(invite, ORDINARY)))
        await task
