"""Who viewed what: every way to a picture leaves a record, which says who, which camera, which stretch and when."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from sqlalchemy import text

from safecity.model.facts.media_calls import AskPicture, Picture
from safecity.model.facts.signal_calls import AskDevicePlayback, DevicePlayback, StartDevicePlayback
from safecity.model.values.ticket import verify

PASSWORD = "correct horse battery"
CODE = "34020000001320000001"
START, END = 1_767_312_000_000_000, 1_767_315_600_000_000
RANGE = {"start": "2026-01-02T00:00:00Z", "end": "2026-01-02T01:00:00Z"}
CHILD = """
import json, sys
job = json.load(open(sys.argv[1]))
open(job["out"] + "/film.mp4", "wb").write(b"x" * 3_000_000)
print(json.dumps({"done": True, "files": [{"name": "film.mp4", "bytes": 3_000_000, "sha256": "ab"}]}))
"""


class Decoder:
    """Says what it was given."""

    async def as_jpeg(self, fmp4: bytes, width: int) -> bytes:
        return b"\xff\xd8" + fmp4


@pytest.fixture
async def channel(house: Any, admin: Any) -> str:
    device = await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": "gate"})
    await house.online(device["id"], CODE)
    await house.catalogue(device["id"], {"code": CODE, "name": "gate", "ptz_type": 1})
    house.services.pictures = Decoder()
    house.calls.answers[AskPicture] = lambda ask: Picture(ask.at or 77, "h264", b"frame")
    return (await admin.ok("GET", "channels"))["items"][0]["id"]


@pytest.fixture
async def li(house: Any, admin: Any) -> Any:
    await admin.ok("POST", "users", {"username": "li", "password": PASSWORD, "roles": ["operator"]})
    client = house.client("10.0.0.8")
    await client.sign_in("li")
    return client


async def film(house: Any, client: Any, channel: str) -> str:
    """A finished export; its id."""
    object.__setattr__(house.services.exports._runner, "command", (sys.executable, "-c", CHILD))
    running = asyncio.ensure_future(house.services.exports.run())
    job = await client.ok("POST", "exports", {"channel": channel, **RANGE, "product": "viewing", "reason": "case 7"})
    while (await client.ok("GET", f"exports/{job['id']}"))["state"] not in ("done", "failed"):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return job["id"]


async def watched(admin: Any, channel: str) -> list[dict[str, Any]]:
    return (await admin.ok("GET", "audit", params={"object": channel, "only": "watching"}))["items"]


async def only_new(admin: Any, channel: str, before: int) -> dict[str, Any]:
    """The one record that was added."""
    found = await watched(admin, channel)
    assert len(found) == before + 1
    return found[0]


async def test_every_way_to_a_picture_is_written_down(house: Any, admin: Any, li: Any, channel: str) -> None:
    def devices_own(ask: AskDevicePlayback) -> DevicePlayback:
        begun = house.calls.of(StartDevicePlayback)[-1]
        return DevicePlayback(begun.session, begun.channel, begun.start, begun.end, begun.start)

    house.calls.answers[AskDevicePlayback] = devices_own
    await house.publish("alarm.received", channel, {"channel": channel, "priority": "2", "method": "5"})
    alarm = (await li.ok("GET", "alarms"))["items"][0]
    ways = [
        ("POST", f"channels/{channel}/live", {"quality": "main"}, "live.watch", {"quality": "main"}),
        ("POST", f"channels/{channel}/playback", RANGE, "playback.watch", {"start": START, "end": END}),
        ("GET", f"channels/{channel}/snapshot", None, "live.watch", {"picture": 77}),
        ("GET", f"channels/{channel}/snapshot?at={RANGE['start']}", None, "playback.watch", {"picture": START}),
        ("GET", f"alarms/{alarm['id']}/picture", None, "playback.watch", {"alarm": alarm["id"]}),
        ("POST", f"channels/{channel}/device-playback", RANGE, "playback.watch", {"start": START, "end": END}),
    ]
    for number, (method, path, body, action, details) in enumerate(ways):
        house.clock.advance(1)
        answer = await li.ask(method, path, body)
        assert answer.status_code < 300, f"{path} {answer.text}"
        record = await only_new(admin, channel, number)
        assert (record["action"], record["actor_name"], record["address"]) == (action, "li", "10.0.0.8"), path
        assert (record["object"], record["object_name"], record["outcome"]) == (channel, "gate", "done"), path
        assert details.items() <= record["details"].items(), path
        assert record["at"].startswith("2023-11-14T22:13:"), "by the clock of the platform"
    session = answer.json()["session"]
    await admin.ok("POST", f"device-playbacks/{session}/address")
    again = await only_new(admin, channel, len(ways))
    assert (again["actor_name"], again["details"]["start"]) == ("root", START), "who joins is written down too"


async def test_exports_and_each_download_are_records_of_the_channel(
    house: Any, admin: Any, li: Any, channel: str
) -> None:
    export = await film(house, li, channel)
    answer = await li.ask("GET", f"exports/{export}/files/film.mp4")
    assert (answer.status_code, len(answer.content)) == (200, 3_000_000)
    part = await admin.ask("GET", f"exports/{export}/files/film.mp4", headers={"range": "bytes=0-9"})
    assert len(part.content) == 10
    found = [(r["action"], r["actor_name"], r["reason"]) for r in await watched(admin, channel)]
    assert found == [("export.fetch", "root", ""), ("export.fetch", "li", ""), ("export.make", "li", "case 7")]
    for record in await watched(admin, channel):
        assert (record["details"]["start"], record["details"]["end"]) == (START, END)
        assert record["details"]["export"] == export


async def test_for_how_long_somebody_watched_is_told_by_the_slot_and_written_down(
    house: Any, admin: Any, li: Any, channel: str
) -> None:
    now = house.clock.now_us()
    body = {
        "session": li.me["session"], "subject": li.me["user"]["id"], "action": "live", "quality": "main",
        "start": now - 90_500_000, "end": now,
    }  # fmt: skip
    await house.publish("viewing.ended", channel, body, origin="p/media-0")
    record = await only_new(admin, channel, 0)
    assert (record["action"], record["actor_name"], record["object_name"]) == ("viewing.end", "li", "gate")
    assert record["details"] == {"watched": "live", "quality": "main", "seconds": 90.5}
    await house.publish("viewing.ended", "ch_none", {"subject": "us_none"})
    await house.publish("viewing.ended", channel, {"subject": "us_" + "0" * 26, "start": "x"})
    assert len(await watched(admin, channel)) == 2, "of somebody who is gone it is told as well"


async def test_the_log_is_seen_by_whoever_may_and_by_nobody_else(house: Any, admin: Any, li: Any, channel: str) -> None:
    await li.ok("POST", f"channels/{channel}/live", {})
    assert (await li.ask("GET", "audit")).status_code == 403
    assert (await li.ask("GET", "audit/proof")).status_code == 403
    area = await admin.ok("POST", "areas", {"name": "Wuhu", "code": "3402"})
    ask = {"username": "chief", "password": PASSWORD, "roles": ["administrator"], "areas": [area["id"]]}
    await admin.ok("POST", "users", ask)
    chief = house.client()
    await chief.sign_in("chief")
    assert await watched(chief, channel) == []
    await admin.ok("PATCH", f"channels/{channel}", {"area": area["id"]})
    await li.ok("POST", f"channels/{channel}/live", {})
    assert len(await watched(chief, channel)) == 1, "only what happened while the camera was his"
    assert (await chief.ask("GET", "audit/proof")).status_code == 403, "whole or not is a matter of the platform"


async def test_times_and_kinds_cut_the_list(house: Any, admin: Any, li: Any, channel: str) -> None:
    await li.ok("POST", f"channels/{channel}/live", {})
    house.clock.advance(3600)
    await admin.sign_in("root")
    await li.sign_in("li")
    await li.ok("POST", f"channels/{channel}/live", {})
    later = str(house.clock.now_us() - 60_000_000)
    assert len((await admin.ok("GET", "audit", params={"only": "watching"}))["items"]) == 2
    assert len((await admin.ok("GET", "audit", params={"only": "watching", "start": later}))["items"]) == 1
    assert len((await admin.ok("GET", "audit", params={"only": "watching", "end": later}))["items"]) == 1
    await li.ok("DELETE", "session")
    actions = {r["action"] for r in (await admin.ok("GET", "audit", params={"only": "signing_in"}))["items"]}
    assert actions == {"session.begin", "session.end"}
    assert (await admin.ask("GET", "audit", params={"only": "everything"})).status_code == 422


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET actor_name = 'wang' WHERE action = 'live.watch'",
        "UPDATE audit SET at = at + 1 WHERE action = 'live.watch'",
        "UPDATE audit SET details = '{}' WHERE action = 'live.watch'",
        "UPDATE audit SET thing = 'ch_other' WHERE action = 'live.watch'",
        "UPDATE audit SET organisation_path = '/01a/' WHERE action = 'live.watch'",
        "DELETE FROM audit WHERE action = 'live.watch'",
    ],
)
async def test_whoever_changes_a_record_in_the_database_is_found_out(
    house: Any, admin: Any, li: Any, channel: str, change: str
) -> None:
    await li.ok("POST", f"channels/{channel}/live", {})
    await admin.ok("POST", "areas", {"name": "something after it"})
    assert (await admin.ok("GET", "audit/proof"))["sound"] is True
    await house.services.database.write(lambda tx: tx.run(text(change)))
    proof = await admin.ok("GET", "audit/proof")
    assert (proof["sound"], proof["code"]) == (False, "audit_changed")


async def test_an_address_of_pictures_opens_for_a_minute_for_one_session_one_channel_and_one_purpose(
    house: Any, admin: Any, li: Any, channel: str
) -> None:
    for path, body, action in (
        ("live", {}, "live"),
        ("playback", RANGE, "playback"),
        ("device-playback", RANGE, "live"),
    ):
        made = await li.ok("POST", f"channels/{channel}/{path}", body)
        now = house.clock.now_us() / 1e6
        ticket = verify(made["url"].rsplit("/", 1)[1], house.services.keys.keys, now)
        assert ticket.not_after - now <= 60, path
        assert (ticket.session, ticket.action) == (li.me["session"], action), path
        assert ticket.nonce, "it opens once"
        assert ticket.channel == (made["session"] if path == "device-playback" else channel)


class SlowReader:
    """A client that takes the head and one piece of an answer, and then nothing until it is told to."""

    def __init__(self) -> None:
        self.began, self.go_on = asyncio.Event(), asyncio.Event()
        self.received, self.whole, self.status = 0, False, 0

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self.received += len(message.get("body", b""))
        self.whole = not message.get("more_body", False)
        self.began.set()
        await self.go_on.wait()


def download(house: Any, client: Any, export: str, reader: SlowReader) -> asyncio.Future[None]:
    cookie = f"safecity={client.inner.cookies['safecity']}".encode()
    path = f"/api/v1/exports/{export}/files/film.mp4"
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", b"h"), (b"cookie", cookie)], "client": ("10.0.0.8", 1), "server": ("h", 80),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    return asyncio.ensure_future(house.app(scope, receive, reader.send))


async def test_a_download_ends_with_the_session_that_asked_however_slowly_it_is_read(
    house: Any, admin: Any, li: Any, channel: str
) -> None:
    export = await film(house, li, channel)
    reader, others = SlowReader(), SlowReader()
    mine, foreign = download(house, li, export, reader), download(house, admin, export, others)
    await reader.began.wait()
    await others.began.wait()
    await li.ok("DELETE", "session")
    await mine
    assert (reader.status, reader.whole) == (200, False)
    assert reader.received < 3_000_000
    others.go_on.set()
    await foreign
    assert (others.whole, others.received) == (True, 3_000_000), "nobody else's is touched"


async def test_a_download_that_begins_just_after_the_sign_out_sends_nothing(
    house: Any, admin: Any, li: Any, channel: str
) -> None:
    export = await film(house, li, channel)
    fetch = house.services.exports.fetch

    async def overtaken(*given: Any) -> Any:
        found = await fetch(*given)
        await li.ok("DELETE", "session")
        return found

    house.services.exports.fetch = overtaken
    reader = SlowReader()
    reader.go_on.set()
    await download(house, li, export, reader)
    assert reader.received == 0


async def test_what_somebody_made_ready_before_they_lost_their_rights_stays_here(
    house: Any, admin: Any, li: Any, channel: str
) -> None:
    export = await film(house, li, channel)
    await admin.ok("PATCH", f"users/{li.me['user']['id']}", {"roles": ["viewer"]})
    await li.sign_in("li")
    assert (await li.ask("GET", f"exports/{export}/files/film.mp4")).status_code == 403
    area = await admin.ok("POST", "areas", {"name": "Elsewhere", "code": "35"})
    await admin.ok("PATCH", f"users/{li.me['user']['id']}", {"grants": [{"role": "operator", "area": area["id"]}]})
    await li.sign_in("li")
    assert (await li.ask("GET", f"exports/{export}/files/film.mp4")).status_code in (403, 404)
    assert (await admin.ask("GET", f"exports/{export}/files/film.mp4")).status_code == 200
