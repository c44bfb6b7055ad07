"""Registration, presence and what strangers, floods and doubles meet."""

from __future__ import annotations

import asyncio

import pytest

from safecity.model.facts.signal_calls import AskDevices
from safecity.protocols.gb28181.limits import Buckets
from safecity.protocols.gb28181.notices import AlarmNotify
from safecity.protocols.gb28181.presence import PresenceState

CODE = "34020000001180000001"


def presence(bench) -> PresenceState:
    return bench.platform.directory.by_code(CODE).presence.state


async def test_a_wrong_password_is_refused_and_told_once(bench) -> None:
    device = await bench.device(password="guess")
    assert (await device.register()).status == 403
    assert (await device.register()).status == 403
    refused = bench.events("device.refused")
    assert [event.body["reason"] for event in refused] == ["gb_wrong_password"]
    assert presence(bench) is PresenceState.REFUSED
    figure = bench.platform.figures(AskDevices()).devices[0]
    assert (figure.state, figure.code_of_refusal) == ("refused", "gb_wrong_password")


async def test_guessing_ends_in_silence_while_the_right_one_is_still_heard_from_elsewhere(bench) -> None:
    bad = await bench.device(password="guess")
    for _ in range(10):
        await bad.register()
    with pytest.raises(Exception, match="no answer"):
        await bad.endpoint.request(bad.request("REGISTER", fields=[("Expires", "60")]), bad.flow, timeout=0.3)
    good = await bench.device(host="127.0.0.2")
    assert (await good.register()).status == 200


async def test_a_stranger_is_answered_like_a_device_with_a_wrong_password_and_shown(bench) -> None:
    device = await bench.device(code="34020000001320009999")
    assert (await device.register()).status == 403
    unknown = bench.platform.figures(AskDevices()).unknown
    assert [(figure.code, figure.attempts) for figure in unknown] == [("34020000001320009999", 2)]
    assert (await device.keepalive()).status == 403


async def test_whoever_is_taken_into_the_list_is_no_longer_unknown(bench) -> None:
    device, other = [await bench.device(code=f"3402000000132000999{number}") for number in (1, 2)]
    await device.register()
    await other.register()
    bench.apply(2, code=device.code)
    assert [figure.code for figure in bench.platform.figures(AskDevices()).unknown] == [other.code]


async def test_a_keepalive_before_registration_is_answered_403(bench) -> None:
    device = await bench.device()
    assert (await device.keepalive()).status == 403
    await device.register()
    assert (await device.keepalive()).status == 200


async def test_a_device_without_a_password_may_not_register(bench) -> None:
    bench.apply(2, password="")
    device = await bench.device(password="")
    assert (await device.register()).status == 403


async def test_unregistering_makes_it_offline(bench) -> None:
    device = await bench.device()
    await device.register()
    assert presence(bench) is PresenceState.ONLINE
    assert (await device.register(expires=0)).status == 200
    assert presence(bench) is PresenceState.OFFLINE
    assert (await bench.until_event("device.went_offline")).body["why"] == "unregistered"
    assert (await device.keepalive()).status == 403


async def test_silence_makes_it_offline_and_a_keepalive_brings_it_back(bench) -> None:
    device = await bench.device()
    await device.register()
    known = bench.platform.directory.by_code(CODE)
    known.presence.silent_at = 0.0
    assert bench.platform.attendance.sweep() == [known]
    assert (await bench.until_event("device.went_offline")).body["why"] == "keepalive"
    assert (await device.keepalive()).status == 200
    assert presence(bench) is PresenceState.ONLINE
    await bench.until_event("device.went_online", 2)


async def test_a_broken_tcp_connection_makes_it_offline_soon(bench) -> None:
    device = await bench.device(tcp=True)
    assert (await device.register()).status == 200
    assert (await device.keepalive()).status == 200
    known = bench.platform.directory.by_code(CODE)
    patience = known.presence.silent_at
    await device.close()
    async with asyncio.timeout(60):
        while known.presence.silent_at >= patience - 100:  # what it said before it broke may still be on its way
            await asyncio.sleep(0.01)


async def test_another_host_may_not_speak_for_a_registered_device(bench) -> None:
    device = await bench.device()
    await device.register()
    other = await bench.device(host="127.0.0.2")
    assert (await other.keepalive()).status == 403
    assert (await other.send(AlarmNotify(sn=1, device_id=CODE, alarm_method="5"))).status == 403
    assert not bench.events("alarm.received")
    assert (await device.keepalive()).status == 200


async def test_two_devices_with_one_code_do_not_throw_each_other_out_for_ever(bench) -> None:
    first = await bench.device()
    second = await bench.device(host="127.0.0.2")
    answers = []
    for _ in range(3):
        answers.append((await first.register()).status)
        answers.append((await second.register()).status)
    assert answers[:2] == [200, 200]  # a device may move
    assert 403 in answers[2:]
    assert bench.events("device.refused")[0].body["reason"] == "gb_duplicate_code"


@pytest.mark.parametrize("nat", [True, False])
async def test_a_new_port_is_followed_behind_nat_only(bench, nat: bool) -> None:
    device = await bench.device()
    if nat:
        device.contact = "192.168.1.64:5060"
    await device.register()
    again = await bench.device()  # the same host, another port
    assert (await again.keepalive()).status == 200
    known = bench.platform.directory.by_code(CODE)
    assert known.flow.port == (again if nat else device).endpoint.udp_port


async def test_a_scanner_hears_nothing(bench) -> None:
    scanner = await bench.device(code="100")
    for method in ("OPTIONS", "INVITE", "SUBSCRIBE", "BYE"):
        with pytest.raises(Exception, match="no answer"):
            if method == "INVITE":
                await scanner.endpoint.invite(scanner.request(method), scanner.flow, timeout=0.1)
            else:
                await scanner.endpoint.request(scanner.request(method), scanner.flow, timeout=0.1)
    await asyncio.sleep(0.4)  # longer than an unanswered INVITE waits for its 100
    assert bench.endpoint.counters.messages_out == 0
    assert len(bench.endpoint._transactions) == 0


async def test_an_xml_bomb_is_refused_and_the_device_stays(bench) -> None:
    device = await bench.device()
    await device.register()
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><Notify><CmdType>Keepalive</CmdType></Notify>'
    assert (await device.send(bomb)).status == 400
    assert (await device.send(b"<a>" * 2000)).status == 400
    assert (await device.send(b"\x00\xff garbage")).status == 400
    assert bench.platform.inbox.unreadable == 3
    assert (await device.keepalive()).status == 200


async def test_a_flood_of_one_device_is_dropped_beyond_its_share(bench) -> None:
    device = await bench.device()
    await device.register()
    inbox = bench.platform.inbox
    inbox._per_device = Buckets(rate=0.001, burst=100.0)
    answers = await asyncio.gather(
        *(device.endpoint.request(device.request("MESSAGE"), device.flow, timeout=2.5) for _ in range(150)),
        return_exceptions=True,
    )
    assert sum(1 for answer in answers if not isinstance(answer, Exception)) <= 100
    assert inbox.dropped >= 50
