"""Devices whose streams are fetched have no presence of their own: they stand as their streams do."""

from __future__ import annotations

from typing import Any

from safecity.model.facts.media_calls import StreamState
from safecity.model.values.media import Quality


async def test_a_camera_whose_password_is_wrong_does_not_stand_as_online(house: Any, admin: Any) -> None:
    made = await admin.ok("POST", "devices", {"kind": "rtsp", "name": "gate", "url": "rtsp://192.0.2.7/main"})
    (channel,) = (await admin.ok("GET", f"channels?device={made['id']}"))["items"]
    assert made["state"] == "online", "nothing is wrong as far as is known"

    def says(state: str, step: str = "") -> None:
        told = StreamState(channel["id"], Quality.MAIN, state, True, step)
        house.services.board.stream("media-0", told)

    async def stands() -> tuple[str, str]:
        (listed,) = (await admin.ok("GET", "devices"))["items"]
        (node,) = (await admin.ok("GET", "tree"))["items"]
        assert (node["state"], node["step"]) == (listed["state"], listed["step"])
        return listed["state"], listed["sentence"]

    says("lost", "rtsp_unauthorized")
    assert await stands() == ("offline", "User name or password is wrong.")
    says("running")
    assert await stands() == ("online", "")
