"""Names that are attacks, bodies that are too big, ids that are not ours: a clear answer, and nothing breaks."""

from __future__ import annotations

from typing import Any

import pytest

NAMES = [
    "'; DROP TABLE devices; --",
    '<script>alert(1)</script>"',
    "{0.__class__}%s%n",
    "../../etc/passwd",
    "=cmd|' /C calc'!A0",
    "学校东门 مدرسة 🎥",
    "%_\\%",
]
CODE = "34020000001320000001"


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_is_data_wherever_it_goes(name: str, house: Any, admin: Any) -> None:
    made = await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": name})
    assert made["name"] == name
    await house.catalogue(made["id"], {"code": CODE, "name": name})
    for path in ("devices", "channels"):
        found = await admin.ok("GET", path, params={"q": name})
        assert [thing["name"] for thing in found["items"]] == [name]
        assert (await admin.ok("GET", path, params={"q": name + "x"}))["items"] == []
    assert (await admin.ok("GET", "audit"))["items"][0]["object_name"] == name


async def test_a_wild_card_finds_only_itself(house: Any, admin: Any) -> None:
    await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": "plain"})
    assert (await admin.ok("GET", "devices", params={"q": "%"}))["items"] == []
    assert (await admin.ok("GET", "devices", params={"q": "_"}))["items"] == []


async def test_pinyin_initials_find_chinese_names(house: Any, admin: Any) -> None:
    await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": "人民路东口"})
    for asked in ("rmldk", "RMLDK", "人民", "renmin", CODE):
        hits = (await admin.ok("GET", "search", params={"q": asked}))["items"]
        assert [hit["name"] for hit in hits] == ["人民路东口"], asked


async def test_a_megabyte_is_refused_before_it_is_read(admin: Any) -> None:
    answer = await admin.ask("POST", "areas", {"name": "x" * (1 << 20)})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_body_that_hides_its_length_is_cut_off(admin: Any) -> None:
    async def endless() -> Any:
        for _ in range(64):
            yield b"x" * 65536

    headers = {"x-csrf-token": admin.me["csrf"], "content-type": "application/json"}
    answer = await admin.inner.post("/api/v1/areas", content=endless(), headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x" * 300},
        {"name": ""},
        {"name": "a\x00b"},
        {"name": "\ud800"},
        {"name": 5},
        {"name": "x", "evil": 1},
        [],
    ],
)
async def test_a_wrong_body_is_a_problem_and_echoes_nothing(admin: Any, body: Any) -> None:
    import json

    headers = {"x-csrf-token": admin.me["csrf"], "content-type": "application/json"}
    answer = await admin.inner.post("/api/v1/areas", content=json.dumps(body), headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"code", "params", "detail", "title", "status", "type"} <= set(answer.json())
    assert "xxxx" not in answer.text


@pytest.mark.parametrize(
    "thing",
    ["ch_", "ch_" + "0" * 26, "dv_" + "0" * 26, "x" * 5000, "ch_%00", "..%2f..", "ch_zzzzzzzzzzzzzzzzzzzzzzzzzz"],
)
async def test_ids_that_are_not_ours_are_refused(admin: Any, thing: str) -> None:
    for path in (f"channels/{thing}", f"channels/{thing}/timeline?start=2026-01-01T00:00:00Z&end=2026-01-01T01:00:00Z"):
        assert (await admin.ask("GET", path)).status_code in (400, 404)


@pytest.mark.parametrize("cursor", ["x", "e30", "WyJhIl0", "W251bGwsbnVsbF0", "Ww", "%00"])
async def test_a_foreign_cursor_is_refused(admin: Any, cursor: str) -> None:
    assert (await admin.ask("GET", f"channels?cursor={cursor}")).status_code == 400


@pytest.mark.parametrize(
    "url",
    [
        "http://x/",
        "file:///etc/passwd",
        "rtsp://",
        "rtsp://a b/",
        "rtsp://x:99999/",
        "rtsp://[::1",
        "exec:ls",
        "rtsp://h/\r\nX: y",
    ],
)
async def test_only_rtsp_addresses_pass(admin: Any, url: str) -> None:
    answer = await admin.ask("POST", "devices", {"kind": "rtsp", "url": url, "name": "x"})
    assert (answer.status_code, answer.json()["code"]) == (400, "rtsp_url")


async def test_credentials_in_an_address_are_taken_out_and_sealed(house: Any, admin: Any) -> None:
    made = await admin.ok(
        "POST", "devices", {"kind": "rtsp", "url": "rtsp://admin:s%40cret@10.1.1.1:554/h264", "name": "gate"}
    )
    assert made["url"] == "rtsp://10.1.1.1:554/h264"
    assert made["username"] == "admin"
    await house.services.duties.push()
    from safecity.model.facts.media_calls import ApplyAssignments, RtspSource

    sources = [a.sources["main"] for m in house.calls.of(ApplyAssignments) for a in m.assignments]
    assert sources == [RtspSource("rtsp://10.1.1.1:554/h264", "admin", "s@cret", "auto")]
    database = (house.services.web.data_dir / "control" / "control.db").read_bytes()
    wal = (house.services.web.data_dir / "control" / "control.db-wal").read_bytes()
    assert b"s@cret" not in database + wal
    for path in ("devices", "channels", "audit", f"devices/{made['id']}"):
        assert "s@cret" not in (await admin.ask("GET", path)).text


async def test_answers_carry_the_headers_that_keep_pages_apart(admin: Any) -> None:
    answer = await admin.ask("GET", "session")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["x-request-id"].startswith("rq_")
