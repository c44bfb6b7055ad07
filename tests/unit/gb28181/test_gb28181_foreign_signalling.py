"""Devices that share no code with us register, call in and answer, each with the habits of some maker."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import pytest
from foreign_device import (
    CAMERA,
    CODE,
    DOMAIN,
    PLATFORM,
    Foreigner,
    Heard,
    answer,
    authorization,
    challenge_of,
    keepalive,
    proof,
)

from safecity.protocols.gb28181.presence import PresenceState


def is_online(bench) -> bool:
    return bench.platform.directory.by_code(CODE).presence.state is PresenceState.ONLINE


Register = Callable[[Foreigner, int, str], str]


def compact(device: Foreigner, cseq: int, credentials: str) -> str:
    return (
        f"REGISTER sip:{PLATFORM}@{DOMAIN} SIP/2.0\r\nv: SIP/2.0/UDP 10.1.2.3:5060;rport;branch=z9hG4bKc{cseq}\r\n"
        f"f: <sip:{CODE}@{DOMAIN}>;tag=1\r\nt: <sip:{CODE}@{DOMAIN}>\r\ni: c{cseq % 1}@x\r\nCSeq: {cseq} REGISTER\r\n"
        f"m: <sip:{CODE}@10.1.2.3:5060>\r\n{credentials}Expires: 3600\r\nl: 0\r\n\r\n"
    )


def reversed_order(device: Foreigner, cseq: int, credentials: str) -> str:
    return (
        f"REGISTER sip:{PLATFORM}@{DOMAIN} SIP/2.0\r\nContent-Length: 0\r\nExpires: 3600\r\n{credentials}"
        f"Contact: <sip:{CODE}@127.0.0.1>\r\nCSeq: {cseq} REGISTER\r\nCall-ID: rev@x\r\nTo: <sip:{CODE}@{DOMAIN}>\r\n"
        f"From: <sip:{CODE}@{DOMAIN}>;tag=1\r\nMax-Forwards: 70\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKr{cseq}\r\n\r\n"
    )


def folded(device: Foreigner, cseq: int, credentials: str) -> str:
    credentials = credentials.replace(", ", ",\r\n\t")
    return (
        f"REGISTER sip:{PLATFORM}@{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{device.port}\r\n  ;rport\r\n"
        f" ;branch=z9hG4bKf{cseq}\r\nFrom:\r\n <sip:{CODE}@{DOMAIN}>;tag=1\r\nTo : <sip:{CODE}@{DOMAIN}>\r\n"
        f"Call-ID: fold@x\r\nCSeq: {cseq}\r\n REGISTER\r\nContact: <sip:{CODE}@127.0.0.1:{device.port}>\r\n"
        f"{credentials}Expires: 3600\r\nContent-Length: 0\r\n\r\n"
    )


def without_length(device: Foreigner, cseq: int, credentials: str) -> str:
    return device.register(cseq, credentials).replace("Content-Length: 0\r\n", "")


def bare_line_feeds(device: Foreigner, cseq: int, credentials: str) -> str:
    return device.register(cseq, credentials).replace("\r\n", "\n")


def one_branch_for_all(device: Foreigner, cseq: int, credentials: str) -> str:
    return re.sub(r"branch=\w+", "branch=z9hG4bK776asdhds", device.register(cseq, credentials))


def no_branch(device: Foreigner, cseq: int, credentials: str) -> str:
    return re.sub(r";branch=\w+", "", device.register(cseq, credentials))


def local_date(device: Foreigner, cseq: int, credentials: str) -> str:
    return device.register(cseq, credentials + "Date: Thu, 01 Jan 1970 08:00:12 CST\r\n")


def iso_date(device: Foreigner, cseq: int, credentials: str) -> str:
    return device.register(cseq, credentials + "Date: 1970-01-01T08:00:12.000\r\n")


def expires_in_contact(device: Foreigner, cseq: int, credentials: str) -> str:
    text = device.register(cseq, credentials, expires="")
    return text.replace(f"{device.port}>\r\n", f"{device.port}>;expires=3600\r\n")


def spare_contacts(device: Foreigner, cseq: int, credentials: str) -> str:
    return device.register(cseq, credentials).replace("Contact:", "Contact: sip:192.168.1.64:5060;expires=3600 ,")


def named_via(device: Foreigner, cseq: int, credentials: str) -> str:
    return device.register(cseq, credentials).replace(";rport;", ";rport=5060;received=10.9.8.7;")


def by_address(device: Foreigner, cseq: int, credentials: str) -> str:
    return device.register(cseq, credentials).replace(
        f"REGISTER sip:{PLATFORM}@{DOMAIN}", "REGISTER sip:127.0.0.1:5060", 1
    )


def without_brackets(device: Foreigner, cseq: int, credentials: str) -> str:
    return re.sub(r"(From|To|Contact): <([^>]+)>", r"\1: \2", device.register(cseq, credentials))


def without_contact(device: Foreigner, cseq: int, credentials: str) -> str:
    return re.sub(r"Contact: [^\r]+\r\n", "", device.register(cseq, credentials))


def without_hops(device: Foreigner, cseq: int, credentials: str) -> str:
    return device.register(cseq, credentials).replace("Max-Forwards: 70\r\n", "")


def trailing_rubbish(device: Foreigner, cseq: int, credentials: str) -> str:
    return device.register(cseq, credentials) + "\0\0\0\0"


def display_in_local_charset(device: Foreigner, cseq: int, credentials: str) -> str:
    return device.register(cseq, credentials).replace("From: <", 'From: "\u00c9\u00e3\u00cf\u00f1" <')


def lower_case_names(device: Foreigner, cseq: int, credentials: str) -> str:
    return re.sub(r"(?m)^([A-Za-z-]+):", lambda found: found[0].lower(), device.register(cseq, credentials))


def domain_with_port(device: Foreigner, cseq: int, credentials: str) -> str:
    return device.register(cseq, "").replace(f"@{DOMAIN}", "@192.168.1.1:5060").replace("Max-", credentials + "Max-")


HABITS = [
    compact, reversed_order, folded, without_length, bare_line_feeds, one_branch_for_all, no_branch, local_date,
    iso_date, expires_in_contact, spare_contacts, named_via, by_address, without_brackets,
    without_contact, without_hops, trailing_rubbish, display_in_local_charset, lower_case_names, domain_with_port,
]  # fmt: skip


@pytest.mark.parametrize("habit", HABITS)
async def test_a_device_registers_and_calls_in_whatever_its_habit_of_writing(bench, habit: Register) -> None:
    async with Foreigner(bench.address) as device:
        first = await device.request("REGISTER", lambda n: habit(device, n, ""))
        assert first.status == 401
        line = authorization(first)
        second = await device.request("REGISTER", lambda n: habit(device, n, line))
        assert second.status == 200
        assert (await device.keepalive()).status == 200
        assert is_online(bench)


def _line(first: Heard, form: str, username: str = CODE, response: str = "") -> str:
    said = challenge_of(first)
    values = {**said, "username": username, "uri": f"sip:{PLATFORM}@{DOMAIN}"}
    values["response"] = response or proof(said["realm"], said["nonce"], username)
    return "Authorization: " + form.format(**values) + "\r\n"


PLAIN = 'Digest username="{username}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}"'
FORMS = {
    "no_algorithm": PLAIN,
    "no_blanks": PLAIN.replace(", ", ","),
    "quoted_algorithm": PLAIN + ', algorithm="MD5"',
    "lower_case_algorithm": PLAIN + ",algorithm=md5",
    "realm_unquoted": PLAIN.replace('"{realm}"', "{realm}"),
    "nothing_quoted": PLAIN.replace('"', ""),
    "scheme_in_lower_case": PLAIN.replace("Digest", "digest"),
    "names_in_upper_case": PLAIN.replace("realm=", "Realm=").replace("nonce=", "NONCE=").replace("uri=", "URI="),
    "blanks_around_equals": PLAIN.replace("=", " = "),
    "two_blanks_and_a_last_comma": PLAIN.replace("Digest ", "Digest  ") + ",",
    "empty_opaque_and_qop": PLAIN + ', opaque="", qop=""',
    "a_qop_nobody_offered": PLAIN + ', cnonce="", nc=""',
    "unknown_words": PLAIN + ', stale=false, domain="x", auts=1',
}


@pytest.mark.parametrize("form", FORMS)
async def test_credentials_are_read_however_they_are_quoted(bench, form: str) -> None:
    async with Foreigner(bench.address) as device:
        first = await device.request("REGISTER", device.register(1))
        assert (await device.request("REGISTER", device.register(2, _line(first, FORMS[form])))).status == 200


async def test_an_old_device_looks_at_the_first_challenge_and_a_new_one_at_all(bench) -> None:
    bench.apply(2, algorithms=("MD5", "SM3"))
    async with Foreigner(bench.address) as device:
        assert (await device.sign_in()).status == 200
    new = await bench.device()
    taken: list[str] = []
    answer_with = new.endpoint.request

    async def request(request, flow):
        taken.extend(value for name, value in request.fields if name == "Authorization")
        return await answer_with(request, flow)

    new.endpoint.request = request
    assert (await new.register()).status == 200
    assert "algorithm=SM3" in taken[0]


async def test_upper_case_digits_prove_the_same(bench) -> None:
    async with Foreigner(bench.address) as device:
        first = await device.request("REGISTER", device.register(1))
        said = challenge_of(first)
        line = _line(first, PLAIN, response=proof(said["realm"], said["nonce"]).upper())
        assert (await device.request("REGISTER", device.register(2, line))).status == 200


async def test_a_login_name_nobody_was_told_of_is_taken_where_its_password_is_right(bench) -> None:
    async with Foreigner(bench.address) as device:
        assert (await device.sign_in(username="admin")).status == 200
        assert is_online(bench)


async def test_a_login_name_that_was_agreed_is_asked_for(bench) -> None:
    bench.apply(2, username="gate-7")
    async with Foreigner(bench.address) as device:
        assert (await device.sign_in(username="admin")).status == 403
        assert (await device.sign_in(username="gate-7")).status == 200


async def test_a_device_that_keeps_its_old_answer_is_asked_anew_and_comes_in(bench) -> None:
    async with Foreigner(bench.address) as device:
        first = await device.request("REGISTER", device.register(1))
        line = authorization(first)
        assert (await device.request("REGISTER", device.register(2, line))).status == 200
        device.cseq = 2
        again = await device.request("REGISTER", lambda n: device.register(n, line))  # the refresh, nonce used already
        assert again.status == 401
        assert challenge_of(again)["stale"] == "true"
        fresh = authorization(again)
        assert (await device.request("REGISTER", lambda n: device.register(n, fresh))).status == 200


async def test_a_device_that_counts_from_one_again_after_each_boot_registers(bench) -> None:
    """Same Call-ID, same CSeq numbers, another port."""
    for _ in range(3):
        async with Foreigner(bench.address) as device:
            assert (await device.sign_in()).status == 200
    assert len(bench.events("device.went_online")) == 1


@pytest.mark.parametrize("expires", ["Expires: 0\r\n", "Expires:0\r\n"])
async def test_a_device_that_logs_off_is_offline(bench, expires: str) -> None:
    async with Foreigner(bench.address) as device:
        await device.sign_in()
        gone = await device.sign_in(expires=expires)
        assert gone.status == 200
        assert gone.get("expires") == "0"
        assert not is_online(bench)


async def test_a_device_that_logs_off_with_a_star_is_offline(bench) -> None:
    async with Foreigner(bench.address) as device:
        await device.sign_in()
        star = re.compile(r"Contact: [^\r]+")
        first = await device.request(
            "REGISTER", lambda n: star.sub("Contact: *", device.register(n, expires="Expires: 0\r\n"))
        )
        line = authorization(first)
        text = lambda n: star.sub("Contact: *", device.register(n, line, expires="Expires: 0\r\n"))  # noqa: E731
        assert (await device.request("REGISTER", text)).status == 200
        assert not is_online(bench)


async def test_every_request_may_come_twice_and_thrice(bench) -> None:
    async with Foreigner(bench.address) as device:
        for credentials in ("", "later"):
            device.cseq += 1
            line = authorization(first) if credentials else ""  # noqa: F821
            text = device.register(device.cseq, line)
            for _ in range(3):
                await device.send(text)
            answers = [await device.answer_to(device.cseq, "REGISTER") for _ in range(3)]
            assert len({one.data for one in answers}) == 1
            first = answers[0]
        assert first.status == 200
        wire = device.message(9, ALARM)
        for _ in range(3):
            await device.send(wire)
        for _ in range(3):
            assert (await device.answer_to(9, "MESSAGE")).status == 200
        assert len(bench.events("alarm.received")) == 1


ALARM = (
    "<?xml version='1.0' encoding='GB2312'?><notify><cmdtype> Alarm </cmdtype><SN></SN>"
    f"<DeviceID>{CAMERA}\n</DeviceID><AlarmPriority>1</AlarmPriority><AlarmMethod>5</AlarmMethod>"
    "<AlarmTime>2026-01-02 03:04:05</AlarmTime><AlarmDescription>越界入侵</AlarmDescription><Longitude></Longitude>"
    "<Vendor><Private x='1'/></Vendor></notify>"
).encode()


@pytest.mark.parametrize(
    ("kind", "charset"),
    [
        ("Application/MANSCDP+xml", "utf-8"),
        ("APPLICATION/MANSCDP+XML", "gb18030"),
        ("application/manscdp+xml; charset=gb2312", "gb18030"),
        ("application/MANSCDP", "utf-8"),
        ("text/xml", "utf-8"),
        ("text/plain;charset=utf-8", "gbk"),
    ],
)
async def test_a_body_is_read_whatever_it_is_said_to_be(bench, kind: str, charset: str) -> None:
    """Declared as GB2312, written in anything; the type in any case."""
    async with Foreigner(bench.address) as device:
        await device.sign_in()
        assert (await device.say(ALARM.decode().encode(charset), kind=kind)).status == 200
        fact = (await bench.until_event("alarm.received")).body
        assert (fact["channel"], fact["priority"], fact["description"]) == ("ch_1", 1, "越界入侵")


async def test_a_body_without_a_type_is_read(bench) -> None:
    async with Foreigner(bench.address) as device:
        await device.sign_in()
        wire = device.message(50, ALARM).replace(b"Content-Type: Application/MANSCDP+xml\r\n", b"")
        await device.send(wire)
        assert (await device.answer_to(50, "MESSAGE")).status == 200
        assert await bench.until_event("alarm.received")


async def test_a_message_of_many_datagrams_size_arrives_whole(bench) -> None:
    """A catalogue of 300 channels in one UDP message: the kernel puts the fragments together."""
    async with Foreigner(bench.address) as device:
        await device.sign_in()
        query = await device.asked("MESSAGE", "<CmdType>Catalog")
        await device.send(answer(query, 200))
        sn = re.search(rb"<SN>(\d+)", query.body)[1].decode()
        items = "".join(
            f"<Item><DeviceID>3402000000131{n:07d}</DeviceID><Name>路口 {n}</Name><Status>on</Status>"
            f"<ParentID>{CODE}</ParentID></Item>"
            for n in range(300)
        )
        body = (
            f'<?xml version="1.0" encoding="GB2312"?><Response><CmdType>Catalog</CmdType><SN>{sn}</SN>'
            f"<DeviceID>{CODE}</DeviceID><SumNum>300</SumNum><DeviceList Num='300'>{items}</DeviceList></Response>"
        )
        assert (await device.say(body.encode("gb2312"))).status == 200
        found = [await bench.until_event("catalog.received", n) for n in (1, 2, 3)]
        assert sum(len(event.body["items"]) for event in found) == 300
        assert found[-1].body["complete"]


async def test_over_one_connection_cut_at_every_byte_a_device_behind_nat_does_everything(bench) -> None:
    server = ("127.0.0.1", bench.endpoint.tcp_port)
    async with Foreigner(server, tcp=True) as device:

        async def dribble(data: bytes | str) -> None:
            for byte in data.encode() if isinstance(data, str) else data:
                await asyncio.get_running_loop().sock_sendall(device.sock, bytes((byte,)))

        device.send = dribble  # type: ignore[method-assign]
        assert (await device.sign_in()).status == 200
        assert (await device.keepalive()).status == 200
        await dribble("\r\n\r\n")
        query = await device.asked("MESSAGE", "<CmdType>DeviceInfo")
        await dribble(answer(query, 200) + device.message(70, keepalive()))
        assert (await device.answer_to(70, "MESSAGE")).status == 200
        assert bench.platform.directory.by_code(CODE).transport == "tcp"


async def test_an_unknown_or_forgotten_device_is_told_to_register(bench) -> None:
    async with Foreigner(bench.address) as device:
        assert (await device.keepalive()).status == 403
        await device.sign_in()
        assert (await device.keepalive()).status == 200
        await device.sign_in(expires="Expires: 0\r\n")
        assert (await device.keepalive()).status == 403
