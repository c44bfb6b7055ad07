"""What answers before there is a platform: the reason in words, the page, and then the platform itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from safecity.kit.errors import UnavailableError
from safecity.web.front import Front
from safecity.web.services import WebSettings


@pytest.fixture
def front(tmp_path: Path) -> Front:
    return Front(WebSettings(slots=(), data_dir=tmp_path, run_dir=tmp_path, secrets_dir=tmp_path))


@pytest.fixture
async def client(front: Front) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=front, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://h", headers={"accept-language": "en"}) as made:
        yield made


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_every_request_is_told_what_is_wrong(front: Front, client: httpx.AsyncClient, method: str) -> None:
    assert (await client.request(method, "/api/v1/session")).json()["code"] == "starting"
    front.waits(UnavailableError("full", code="disk_full"))
    answer = await client.request(method, "/api/v1/session")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "disk_full", "5")
    assert "Free some space" in answer.json()["detail"]
    chinese = await client.request(method, "/api/v1/session", headers={"accept-language": "zh-CN"})
    assert "磁盘已满" in chinese.json()["detail"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


async def test_an_error_of_the_system_is_named_without_its_paths(front: Front, client: httpx.AsyncClient) -> None:
    front.waits(OSError(30, "Read-only file system", "/secret/place"))
    answer = await client.get("/api/v1/setup")
    assert answer.json()["code"] == "not_opened"
    assert "Read-only file system" in answer.json()["detail"]
    assert "/secret/place" not in answer.text


async def test_a_supervisor_sees_that_it_lives_and_is_not_ready_and_the_page_loads(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).status_code == 503
    assert (await client.get("/live")).status_code == 200


async def test_the_platform_takes_its_place_and_may_lose_it_again(
    front: Front, client: httpx.AsyncClient, house: Any
) -> None:
    front.serves(house.app)
    assert (await client.get("/api/v1/setup")).json()["needed"] is True
    front.waits(UnavailableError("gone", code="database_unavailable"))
    assert (await client.get("/api/v1/setup")).status_code == 503
