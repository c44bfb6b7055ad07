"""Signing out ends what is seen: live, playback and a download, at the real sockets of a real platform."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from benchmarks.whole import Platform, until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from safecity.kit.clock import rfc3339
from safecity.sim.yard import Yard

pytestmark = [pytest.mark.journey, pytest.mark.slow]
CODE, PASSWORD, PHRASE = "34020000001320000001", "pass-1", "correct horse battery"
SECOND = 1_000_000


@pytest.fixture
def platform(platform_factory: Any) -> Iterator[Platform]:
    made = platform_factory("--slots", "1").setup()
    made.post("/devices", {"kind": "gb28181", "name": "gate", "code": CODE, "password": PASSWORD})
    with Yard() as yard:
        yard.camera(code=CODE, password=PASSWORD, port=made.state()["ports"]["sip-udp"])
        until(lambda: [one for one in made.channels() if one["state"] == "running"], "the camera runs")
        yield made


def person(platform: Platform, name: str) -> httpx.Client:
    body = {"username": name, "password": PHRASE, "roles": ["operator"]}
    assert platform.api.post("/users", json=body).status_code == 201
    client = httpx.Client(base_url=f"{platform.base}/api/v1", timeout=30)
    me = client.post("/session", json={"username": name, "password": PHRASE})
    client.headers["X-CSRF-Token"] = me.json()["csrf"]
    return client


def first_piece(platform: Platform, channel: str, seconds: float) -> int:
    """Where its footage begins, once there is that much."""

    def found() -> int:
        now = time.time_ns() // 1000
        span = {"start": rfc3339(now - 600 * SECOND), "end": rfc3339(now + SECOND)}
        pieces = platform.get(f"/channels/{channel}/timeline", **span)["pieces"]
        long = pieces and pieces[-1]["end_us"] - pieces[-1]["start_us"] >= seconds * SECOND
        return int(pieces[-1]["start_us"]) if long else 0

    return until(found, f"{seconds} s are recorded")


def picture(socket: ClientConnection) -> None:
    """Something to see has come."""
    while isinstance(message := socket.recv(timeout=20), str):
        assert json.loads(message)["type"] != "end", message


def ended(socket: ClientConnection) -> str:
    """The code it ends with; whatever was under way before is read on."""
    code = ""
    try:
        while True:
            message = socket.recv(timeout=20)
            if isinstance(message, str) and json.loads(message)["type"] == "end":
                code = json.loads(message)["code"]
    except ConnectionClosed:
        return code


def test_live_and_playback_end_with_the_sign_out_and_old_addresses_open_nothing(platform: Platform) -> None:
    (channel,) = [one["id"] for one in platform.channels()]
    begin = first_piece(platform, channel, 4)
    li = person(platform, "li")
    live = li.post(f"/channels/{channel}/live", json={"quality": "main"}).json()["url"]
    playback = li.post(f"/channels/{channel}/playback", json={"start": rfc3339(begin)}).json()["url"]
    unused = li.post(f"/channels/{channel}/live", json={"quality": "main"}).json()["url"]
    other = platform.post(f"/channels/{channel}/live", {"quality": "main"})["url"]
    with connect(live, max_size=None) as one, connect(playback, max_size=None) as two, connect(other) as admins:
        two.send(json.dumps({"type": "play", "at": begin, "speed": 1, "direction": 1}))
        for socket in (one, two, admins):
            picture(socket)
        assert li.delete("/session").status_code == 204
        assert (ended(one), ended(two)) == ("session_ended", "session_ended")
        picture(admins)
    with connect(unused) as late:
        assert ended(late) == "session_ended"
    with connect(live) as again:
        assert ended(again) in ("ticket_used", "session_ended")
    li.close()
    actions = [r["action"] for r in platform.get("/audit", object=channel, only="watching")["items"]]
    until(
        lambda: (
            {"live.watch", "playback.watch", "viewing.end"}
            <= {r["action"] for r in platform.get("/audit", object=channel, only="watching")["items"]}
        ),
        f"who watched, and until when, is in the log; so far {actions}",
    )
    assert platform.get("/audit/proof")["sound"] is True


def test_a_download_is_broken_off_by_the_sign_out(platform: Platform) -> None:
    (channel,) = [one["id"] for one in platform.channels()]
    begin = first_piece(platform, channel, 4)
    li = person(platform, "li")
    span = {"start": rfc3339(begin), "end": rfc3339(begin + 3 * SECOND)}
    job = li.post("/exports", json={"channel": channel, "product": "evidence", "reason": "case 7", **span}).json()
    done = until(
        lambda: (found := li.get(f"/exports/{job['id']}").json())["state"] in ("done", "failed") and found, "it is made"
    )
    assert done["state"] == "done", done
    name, size, taken = done["files"][0]["name"], 64 << 20, 0
    # As long as hours of footage, so that it does not fit into the buffers on the way.
    os.truncate(platform.data / "control" / "blobs" / "exports" / job["id"] / name, size)
    with (
        pytest.raises(httpx.RemoteProtocolError),
        li.stream("GET", f"/exports/{job['id']}/files/{name}", headers={"Connection": "close"}) as answer,
    ):
        assert int(answer.headers["content-length"]) == size
        for piece in answer.iter_raw(4096):
            if not taken:
                signing_out = httpx.Client(base_url=li.base_url, cookies=li.cookies, headers=li.headers)
                assert signing_out.delete("/session").status_code == 204
                signing_out.close()
            taken += len(piece)
    assert taken < size
    li.close()
