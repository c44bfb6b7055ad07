"""Steering, alarms, exports, holds, saved walls, repeated requests, and an audit that refuses to be left out."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from sqlalchemy import text

from safecity.core.ground.exports.api import ExportRunner
from safecity.kit.errors import UnavailableError
from safecity.model.facts.media_calls import AskTimeline, Gap, Piece, PlaceHold, StreamState, Timeline
from safecity.model.facts.signal_calls import Answered, OpenStream, QueryDevice, Steer
from safecity.model.values.media import Quality

CODE = "34020000001320000001"
RANGE = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"}


@pytest.fixture
async def channel(house: Any, admin: Any) -> str:
    device = await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": "gate"})
    await house.online(device["id"], CODE)
    await house.catalogue(device["id"], {"code": CODE, "name": "gate", "ptz_type": 1})
    return (await admin.ok("GET", "channels"))["items"][0]["id"]


async def person(house: Any, admin: Any, name: str, role: str) -> Any:
    await admin.ok("POST", "users", {"username": name, "password": "correct horse battery", "roles": [role]})
    client = house.client()
    await client.sign_in(name)
    return client


async def test_two_operators_cannot_steer_at_once_and_priority_takes_over(house: Any, admin: Any, channel: str) -> None:
    first, second = await person(house, admin, "li", "operator"), await person(house, admin, "wang", "operator")
    await first.ok("POST", f"channels/{channel}/ptz", {"action": "move", "pan": 1})
    refused = await second.ask("POST", f"channels/{channel}/ptz", {"action": "move", "pan": -1})
    assert (refused.status_code, refused.json()["code"], refused.json()["params"]["owner"]) == (409, "ptz_locked", "li")
    assert "li" in refused.json()["detail"]
    assert [s.pan for s in house.calls.of(Steer)] == [1.0]
    assert (await second.ok("GET", f"channels/{channel}/ptz/lock"))["owner_name"] == "li"
    await admin.ok("PUT", f"channels/{channel}/ptz/lock")
    assert (await first.ask("POST", f"channels/{channel}/ptz", {"action": "stop"})).status_code == 409
    await admin.ok("DELETE", f"channels/{channel}/ptz/lock")
    await first.ok("POST", f"channels/{channel}/ptz", {"action": "stop"})
    house.clock.advance(20)
    await second.ok("POST", f"channels/{channel}/ptz", {"action": "move", "tilt": 1})
    # Taken on purpose it is kept as long as the page asks for it, and free soon after the page is gone.
    house.clock.advance(20)
    for _ in range(6):
        await first.ok("PUT", f"channels/{channel}/ptz/lock")
        house.clock.advance(10)
    assert (await second.ask("PUT", f"channels/{channel}/ptz/lock")).status_code == 409
    house.clock.advance(21)
    await second.ok("PUT", f"channels/{channel}/ptz/lock")


async def test_the_failed_step_of_opening_is_said_in_words(house: Any, admin: Any, channel: str) -> None:
    house.calls.answers[OpenStream] = UnavailableError("silent", code="gb_no_packet")
    refused = await admin.ask("POST", f"channels/{channel}/live", {})
    assert (refused.status_code, refused.json()["code"]) == (503, "gb_no_packet")
    assert "no packet arrived" in refused.json()["detail"]
    chinese = await admin.ask("POST", f"channels/{channel}/live", {}, headers={"accept-language": "zh-CN"})
    assert "没有收到任何数据" in chinese.json()["detail"]


async def test_presets_are_read_however_the_device_nests_them(house: Any, admin: Any, channel: str) -> None:
    body = {"PresetList": {"Num": 2, "Item": [{"PresetID": "1", "PresetName": "gate"}, {"PresetID": 7}]}}
    house.calls.answers[QueryDevice] = Answered(body)
    assert await admin.ok("GET", f"channels/{channel}/presets") == {
        "items": [{"number": 1, "name": "gate"}, {"number": 7, "name": ""}], "next": None,
    }  # fmt: skip


async def test_recording_is_said_only_while_pictures_go_to_disk(house: Any, admin: Any, channel: str) -> None:
    board = house.services.board
    device = (await admin.ok("GET", f"channels/{channel}"))["device"]
    for recording in (False, True):
        board.stream("media-0", StreamState(channel, Quality.MAIN, "running", True, recording=recording))
        assert (await admin.ok("GET", f"channels/{channel}"))["recording"] is recording
        assert (await admin.ok("GET", f"tree?parent={device}"))["items"][0]["recording"] is recording


async def test_a_timeline_says_what_is_there_and_why_the_rest_is_not(house: Any, admin: Any, channel: str) -> None:
    house.calls.answers[AskTimeline] = Timeline(channel, (Piece(1, 2, held=True),), (Gap(2, 3, "network"),))
    found = await admin.ok("GET", f"channels/{channel}/timeline", params=RANGE)
    assert found["pieces"][0] == {"start_us": 1, "end_us": 2, "held": True, "origin": "live"}
    assert found["gaps"][0]["cause"] == "network"


async def test_an_alarm_is_acknowledged_once(house: Any, admin: Any, channel: str) -> None:
    li = await person(house, admin, "li", "operator")
    event = await house.publish(
        "alarm.received", channel, {"channel": channel, "priority": "2", "method": "5", "type": "2"}
    )
    await house.bus.rewind("core", 0)
    await house.publish("alarm.received", channel, event.body, id=event.id)
    page = await li.ok("GET", "alarms?state=raised")
    assert page["counts"] == {"2": 1}
    (alarm,) = page["items"]
    assert (alarm["channel_name"], alarm["priority"]) == ("gate", 2)
    done = await li.ok("POST", f"alarms/{alarm['id']}/acknowledge", {"note": "seen"})
    assert (done["state"], done["acknowledged_by"]) == ("acknowledged", "li")
    assert (await li.ask("POST", f"alarms/{alarm['id']}/acknowledge", {})).json()["code"] == "alarm_state"


async def test_a_repeated_request_adds_nothing_and_answers_the_same(house: Any, admin: Any) -> None:
    ask = {"kind": "gb28181", "code": CODE}
    first = await admin.ok("POST", "devices", ask, headers={"idempotency-key": "k1"})
    assert await admin.ok("POST", "devices", ask, headers={"idempotency-key": "k1"}) == first
    assert (await admin.ask("POST", "devices", ask, headers={"idempotency-key": "k2"})).json()[
        "code"
    ] == "device_code_taken"
    other = await person(house, admin, "eve", "administrator")
    assert (await other.ask("POST", "devices", ask, headers={"idempotency-key": "k1"})).status_code == 409


async def test_a_change_of_what_somebody_else_changed_is_refused(admin: Any, channel: str) -> None:
    seen = await admin.ask("GET", f"channels/{channel}")
    tag = {"if-match": seen.headers["etag"]}
    await admin.ok("PATCH", f"channels/{channel}", {"name": "North"}, headers=tag)
    late = await admin.ask("PATCH", f"channels/{channel}", {"name": "South"}, headers=tag)
    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")


async def test_a_hold_that_the_slot_did_not_take_is_not_shown(house: Any, admin: Any, channel: str) -> None:
    house.calls.answers[PlaceHold] = UnavailableError("away", code="duty_gone", params={"duty": "media-0"})
    assert (await admin.ask("POST", "holds", {"channel": channel, "reason": "case 7", **RANGE})).status_code == 503
    assert (await admin.ok("GET", "holds"))["items"] == []
    del house.calls.answers[PlaceHold]
    made = await admin.ok("POST", "holds", {"channel": channel, "reason": "case 7", **RANGE})
    await admin.ok("DELETE", f"holds/{made['id']}")
    assert (await admin.ok("GET", "holds"))["items"] == []


CHILD = """
import json, sys
job = json.load(open(sys.argv[1]))
print(json.dumps({"progress": 0.5}), flush=True)
open(job["out"] + "/film.mp4", "wb").write(b"bytes of " + job["channel_name"].encode())
print(json.dumps({"done": True, "files": [{"name": "film.mp4", "bytes": 13, "sha256": "ab"},
  {"name": "../evil", "bytes": 1}]}))
"""


async def run_export(house: Any, admin: Any, channel: str, child: str) -> dict[str, Any]:
    folder = house.services.web.data_dir / "exports"
    here = house.services
    runner = ExportRunner(
        command=(sys.executable, "-c", child), folder=folder, blobs=here.blobs, signer=here.signer
    )  # fmt: skip
    house.services.exports._runner = runner
    task = asyncio.create_task(house.services.exports.run())
    made = await admin.ok("POST", "exports", {"channel": channel, "product": "viewing", "reason": "case 7", **RANGE})
    async with asyncio.timeout(60):
        while (job := await admin.ok("GET", f"exports/{made['id']}"))["state"] in ("waiting", "running"):
            await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return job


async def test_an_export_runs_in_a_child_and_its_files_are_fetched(house: Any, admin: Any, channel: str) -> None:
    job = await run_export(house, admin, channel, CHILD)
    assert (job["state"], [f["name"] for f in job["files"]]) == ("done", ["film.mp4"])
    answer = await admin.ask("GET", f"exports/{job['id']}/files/film.mp4")
    assert (answer.status_code, answer.content) == (200, b"bytes of gate")
    assert not (house.services.web.data_dir / "exports" / job["id"]).exists(), "nothing is kept twice"
    part = await admin.ask("GET", f"exports/{job['id']}/files/film.mp4", headers={"range": "bytes=9-"})
    assert (part.status_code, part.content) == (206, b"gate")
    assert part.headers["content-range"] == "bytes 9-12/13"
    assert (await admin.ask("GET", f"exports/{job['id']}/files/..%2fjob.json")).status_code == 404
    assert (await admin.ask("GET", f"exports/{job['id']}/files/job.json")).status_code == 404
    actions = [r["action"] for r in (await admin.ok("GET", "audit"))["items"]]
    assert actions[:3] == ["export.fetch", "export.fetch", "export.make"]
    await admin.ok("DELETE", f"exports/{job['id']}")
    assert [key async for key in house.services.blobs.keys("")] == []


async def test_a_child_that_breaks_is_a_failed_export_with_a_sentence(house: Any, admin: Any, channel: str) -> None:
    job = await run_export(house, admin, channel, "import sys; sys.exit(3)")
    assert (job["state"], job["code"]) == ("failed", "export_broke")
    assert job["sentence"]


async def test_what_cannot_be_audited_does_not_happen(house: Any, admin: Any, channel: str) -> None:
    await house.services.database.write(lambda tx: tx.run(text("ALTER TABLE audit RENAME TO audit_away")))
    assert (await admin.ask("POST", "exports", {"channel": channel, **RANGE})).status_code == 503
    assert (await admin.ask("POST", "users", {"username": "x", "password": "correct horse battery"})).status_code == 503
    device = (await admin.ok("GET", "devices"))["items"][0]["id"]
    assert (await admin.ask("DELETE", f"devices/{device}")).status_code == 503
    assert (await admin.ask("POST", f"channels/{channel}/live", {})).status_code == 200, "the picture does not go dark"
    await house.services.database.write(lambda tx: tx.run(text("ALTER TABLE audit_away RENAME TO audit")))
    assert (await admin.ok("GET", "exports"))["items"] == []
    assert len((await admin.ok("GET", "users"))["items"]) == 1
    assert (await admin.ok("GET", f"devices/{device}"))["id"] == device


async def test_who_watched_what_is_in_the_chain_and_a_change_of_it_is_found(
    house: Any, admin: Any, channel: str
) -> None:
    await admin.ok("POST", f"channels/{channel}/live", {})
    await admin.ok("POST", f"channels/{channel}/playback", {"start": RANGE["start"]})
    records = (await admin.ok("GET", "audit", params={"object": channel}))["items"]
    assert [(r["action"], r["actor_name"], r["object_name"]) for r in records] == [
        ("playback.watch", "root", "gate"), ("live.watch", "root", "gate"),
    ]  # fmt: skip
    assert (await admin.ok("GET", "audit/proof"))["sound"] is True
    await house.services.database.write(lambda tx: tx.run(text("UPDATE audit SET actor_name = 'li' WHERE seq = 2")))
    proof = await admin.ok("GET", "audit/proof")
    assert (proof["sound"], proof["fault"], proof["code"]) == (False, 2, "audit_changed")
    assert "2" in proof["sentence"]


async def test_a_saved_wall_is_its_owners_until_it_is_shared(house: Any, admin: Any) -> None:
    li, wang = await person(house, admin, "li", "operator"), await person(house, admin, "wang", "viewer")
    wall = {"name": "Gates", "layout": {"size": 4, "tiles": ["ch_1", None]}}
    made = await li.ok("POST", "views", wall)
    assert (await wang.ok("GET", "views"))["items"] == []
    assert (await admin.ok("GET", "views"))["items"] == []
    await li.ok("PUT", f"views/{made['id']}", {**wall, "shared": True})
    (seen,) = (await wang.ok("GET", "views"))["items"]
    assert (seen["layout"], seen["mine"]) == (wall["layout"], False)
    assert (await wang.ask("DELETE", f"views/{made['id']}")).status_code == 403
    await li.ok("DELETE", f"views/{made['id']}")


async def test_the_tree_shows_one_level_with_counts(house: Any, admin: Any, channel: str) -> None:
    area = await admin.ok("POST", "areas", {"name": "Wuhu", "code": "3402"})
    device = (await admin.ok("GET", "devices"))["items"][0]["id"]
    await admin.ok("PATCH", f"devices/{device}", {"area": area["id"]})
    (top,) = (await admin.ok("GET", "tree"))["items"]
    assert (top["kind"], top["total"], top["online"], top["counts"]) == ("area", 1, 1, {"idle": 1})
    (below,) = (await admin.ok("GET", f"tree?parent={area['id']}"))["items"]
    assert (below["kind"], below["id"], below["state"]) == ("device", device, "online")
    (leaf,) = (await admin.ok("GET", f"tree?parent={device}"))["items"]
    assert (leaf["kind"], leaf["id"], leaf["state"]) == ("channel", channel, "idle")
    assert (await admin.ask("DELETE", f"areas/{area['id']}")).json()["code"] == "area_in_use"


async def test_the_first_run_proposes_tests_and_finishes(house: Any, admin: Any) -> None:
    proposal = await admin.ok("GET", "wizard/proposal?area_code=340200")
    assert (proposal["code"][:8], proposal["domain"]) == ("34020000", proposal["code"][:10])
    assert [a["name"] for a in proposal["areas"]] == ["Anhui", "Wuhu"]
    ask = {
        "code": proposal["code"],
        "area_code": "340200",
        "public_host": "192.0.2.7",
        "clock_source": "ntp",
        "ntp_server": "ntp.example",
    }
    assert (await admin.ok("PUT", "wizard/platform", ask))["remarks"] == []
    assert [a["path"] for a in (await admin.ok("GET", "areas?every=true"))["items"]] == ["/34/", "/34/3402/"]
    assert any(a["proposed"] for a in (await admin.ok("GET", "wizard/addresses"))["items"])
    tested = await admin.ok("POST", "wizard/addresses/test", {"address": "203.0.113.1"})
    assert (tested["ok"], tested["code"]) == (False, "address_not_ours")
    assert {p["name"] for p in (await admin.ok("GET", "wizard/ports"))["items"]} == {"http", "media", "sip", "rtp"}
    (volume,) = (await admin.ok("PUT", "wizard/volumes", {"volumes": [{"name": "main", "path": "disk"}]}))["items"]
    assert volume["free_bytes"] > 0
    bad = await admin.ask("PUT", "wizard/volumes", {"volumes": [{"name": "main", "path": "/proc/nowhere"}]})
    assert bad.json()["code"] == "volume_not_writable"
    wizard = await admin.ok("GET", "wizard")
    assert {menu["maker"] for menu in wizard["menus"]} >= {"hikvision", "dahua", "uniview"}
    await admin.ok("POST", "wizard/finish")
    assert (await admin.ok("GET", "wizard"))["done"] is True


async def test_one_click_removes_the_demo_city(house: Any, admin: Any, channel: str) -> None:
    from safecity.core.ground.devices.api import NewDevice

    signed_in = await house.services.access.who(admin.inner.cookies["safecity"], address="", request="")
    await house.services.devices.add(signed_in.actor, NewDevice(kind="rtsp", url="rtsp://127.0.0.1/1", demo=True))
    assert await admin.ok("POST", "demo/remove") == {"removed": 1}
    assert [d["simulated"] for d in (await admin.ok("GET", "devices"))["items"]] == [False]


async def test_the_page_gets_a_fresh_nonce_and_a_strict_policy(house: Any, admin: Any) -> None:
    absent = await house.client().inner.get("/")
    assert absent.status_code == 200
    assert "SAFECITY_UI_DIST" in absent.text or "<script" in absent.text
    dist = house.services.web.data_dir / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text('<script nonce="__CSP_NONCE__" src="/assets/a.js"></script>')
    (dist / "assets" / "a.js").write_text("1")
    object.__setattr__(house.services.web, "ui_dist", dist)
    pages = [await house.client().inner.get(path) for path in ("/", "/live/wall")]
    nonces = [page.text.split('"')[1] for page in pages]
    assert nonces[0] != nonces[1]
    for page, nonce in zip(pages, nonces, strict=True):
        policy = page.headers["content-security-policy"]
        assert f"'nonce-{nonce}'" in policy
        assert "unsafe" not in policy
        assert "ws://127.0.0.1:8081" in policy
    script = await house.client().inner.get("/assets/a.js")
    assert "immutable" in script.headers["cache-control"]
    for path in ("/assets/none.js", "/assets/../../control/control.db", "/..%2fcontrol%2fcontrol.db", "/api/v1/none"):
        assert (await house.client().inner.get(path)).status_code in (404, 200)
        assert b"SQLite" not in (await house.client().inner.get(path)).content


async def test_probes_and_figures(house: Any) -> None:
    client = house.client().inner
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/readyz")).status_code == 200
    house.services.fence_follower.failed, house.services.intake.failed = 2, 1
    metrics = (await client.get("/metrics")).text
    assert "safecity_http_requests" in metrics
    assert "safecity_events_set_aside 3.0" in metrics, "whoever set it aside"
    assert (await house.client("10.0.0.9").inner.get("/metrics")).status_code == 403
