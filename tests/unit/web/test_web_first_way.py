"""The thinnest way through: set up, sign in, add a device, see its channels, open a picture."""

from __future__ import annotations

from typing import Any

from safecity.model.facts.media_calls import EndSessions
from safecity.model.facts.signal_calls import ApplySignal, OpenStream
from safecity.model.values.ticket import verify

CODE = "34020000001320000001"


async def test_from_the_one_time_link_to_a_picture(house: Any) -> None:
    client = house.client()
    assert (await client.ok("GET", "setup"))["needed"] is True
    refused = await client.ask(
        "POST", "setup/administrator", {"token": "guess", "username": "root", "password": "correct horse battery"}
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "setup_token")
    client.me = await client.ok(
        "POST",
        "setup/administrator",
        {
            "token": "one-time-token-of-the-link",
            "username": "root",
            "password": "correct horse battery",
            "language": "en",
        },
    )
    assert client.me["roles"] == ["administrator"]

    made = await client.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": "Crossing"})
    typed = made["registration"]
    assert typed["platform_code"] == "34020000002000000001"
    assert (typed["host"], typed["port"], typed["device_code"]) == ("192.0.2.1", 5060, CODE)
    assert len(typed["password"]) == 12
    assert "password" not in await client.ok("GET", f"devices/{made['id']}")

    await house.services.duties.push()
    applied = house.calls.of(ApplySignal)[-1]
    assert [(d.code, d.password) for d in applied.devices] == [(CODE, typed["password"])]

    await house.online(made["id"], CODE)
    await house.catalogue(made["id"], {"code": CODE, "name": "东门", "status": "ON", "ptz_type": 1})
    (channel,) = (await client.ok("GET", "channels"))["items"]
    assert (channel["name"], channel["state"], channel["ptz"]) == ("东门", "idle", True)

    ticket = await client.ok("POST", f"channels/{channel['id']}/live", {"quality": "main"})
    assert ticket["url"].startswith("ws://127.0.0.1:8081/v1/live/")
    opened = verify(ticket["url"].rsplit("/", 1)[1], house.services.keys.keys, house.clock.now_us() / 1e6)
    assert (opened.channel, opened.action, opened.session) == (channel["id"], "live", client.me["session"])
    assert house.calls.of(OpenStream)[-1].channel == channel["id"]

    await client.ok("DELETE", "session")
    assert house.calls.of(EndSessions)[-1].sessions == (client.me["session"],)
    assert (await client.ask("GET", "channels")).status_code == 401
