"""An application on a fresh SQLite file, a bus, and duties that answer what a test wants."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.middleware import Middleware

from safecity.backends.bus import EmbeddedBus
from safecity.backends.database import open_database
from safecity.backends.files import open_blobs
from safecity.backends.history import DayFiles
from safecity.backends.leases import SqlLeases
from safecity.backends.sqlitefile import open_file
from safecity.core.ground.intake.api import Effects
from safecity.core.ground.settings.api import Platform, VolumeWish
from safecity.kit.clock import FakeClock
from safecity.kit.errors import SafecityError, UnavailableError
from safecity.model.facts.envelope import Event
from safecity.model.facts.media_calls import Done, Message
from safecity.web.app import create_app
from safecity.web.assembly import assemble
from safecity.web.limits import Envelope
from safecity.web.services import Services, WebSettings

TOKEN = "one-time-token-of-the-link"
PASSWORD = "correct horse battery"
PLATFORM = "34020000002000000001"


class FakeCalls:
    """Remembers what was asked; answers what was put into `answers`, else Done."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Message]] = []
        self.answers: dict[type[Message], Any] = {}
        self.down: set[str] = set()

    async def call(self, address: str, message: Message, *, timeout: float) -> Message:
        self.asked.append((address, message))
        if address in self.down:
            raise UnavailableError(f"{address} is not there", code="duty_unreachable", params={"duty": address})
        answer = self.answers.get(type(message), Done())
        if callable(answer):
            answer = answer(message)
        if isinstance(answer, SafecityError):
            raise answer
        return answer

    async def stream(self, address: str, message: Message) -> AsyncIterator[Message]:
        self.asked.append((address, message))
        raise UnavailableError("nobody streams here", code="duty_unreachable")
        yield Done()

    async def close(self) -> None:
        return None

    def of(self, kind: type[Any]) -> list[Any]:
        return [message for _, message in self.asked if isinstance(message, kind)]


_APPS: list[FastAPI] = []


def app_on(services: Services) -> FastAPI:
    """One application for all tests, on the services of this one and with limits that count anew: to make its two
    hundred routes takes longer than most tests do."""
    if not _APPS:
        _APPS.append(create_app(services))
    (app,) = _APPS
    app.state.services = services
    app.user_middleware = [Middleware(Envelope, services=services)]
    app.middleware_stack = None
    return app


@dataclass
class House:
    """The application and all that it stands on."""

    services: Services
    calls: FakeCalls
    clock: FakeClock
    bus: EmbeddedBus
    effects: list[Effects] = field(default_factory=list)
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def client(self, address: str = "127.0.0.1") -> Client:
        transport = httpx.ASGITransport(app=self.app, client=(address, 50000), raise_app_exceptions=False)
        inner = httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8080", headers={"accept-language": "en"}
        )
        self.clients.append(inner)
        return Client(inner)

    def move(self, client: Client, number: int) -> None:
        """The same browser from the `number`th new address: for who asks oftener than one address may."""
        cookies = client.inner.cookies
        client.inner = self.client(f"10.9.{number // 250}.{number % 250 + 1}").inner
        client.inner.cookies = cookies

    @property
    def app(self) -> Any:
        return self._app

    def __post_init__(self) -> None:
        self._app = app_on(self.services)

    async def publish(self, kind: str, subject: str, body: dict[str, Any], **more: Any) -> Event:
        """Put an event on the bus and let the core read it."""
        now = self.clock.now_us()
        event = Event(kind=kind, subject=subject, at=more.pop("at", now), seen=now, body=body, **more)
        await self.bus.publish([event])
        while await self.services.intake.step():
            pass
        return event

    async def online(self, device: str, code: str) -> None:
        body = {"device": device, "code": code, "address": "10.0.0.9:5060", "transport": "udp"}
        await self.publish("device.went_online", device, body)

    async def catalogue(self, device: str, *items: dict[str, Any], **body: Any) -> None:
        await self.publish(
            "catalog.received", device, {"device": device, "last": True, "complete": True, "items": list(items), **body}
        )


class Client:
    """A browser: keeps its cookie and its CSRF token."""

    def __init__(self, inner: httpx.AsyncClient) -> None:
        self.inner = inner
        self.me: dict[str, Any] = {}

    async def ask(self, method: str, path: str, json: Any = None, **more: Any) -> httpx.Response:
        headers = {"x-csrf-token": self.me.get("csrf", ""), **more.pop("headers", {})}
        return await self.inner.request(method, f"/api/v1/{path}", json=json, headers=headers, **more)

    async def ok(self, method: str, path: str, json: Any = None, **more: Any) -> Any:
        answer = await self.ask(method, path, json, **more)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def sign_in(self, username: str, password: str = PASSWORD) -> None:
        self.me = await self.ok("POST", "session", {"username": username, "password": password})


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the newest schema and nothing in it, copied for each test."""
    path = tmp_path_factory.mktemp("schema") / "control.db"
    asyncio.run(open_database(f"sqlite:///{path}").close())
    return path


@pytest.fixture
async def house(tmp_path: Path, migrated: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path, migrated) as made:
        yield made


@contextlib.asynccontextmanager
async def a_house(tmp_path: Path, migrated: Path, code: str = PLATFORM) -> AsyncIterator[House]:
    """A platform of its own in a folder, new where none was there before. The application serves the one that was
    made, or asked for by `app_on`, last."""
    if not (tmp_path / "control").exists():
        (tmp_path / "control").mkdir()
        shutil.copy(migrated, tmp_path / "control" / "control.db")
    database = open_database(f"sqlite:///{tmp_path}/control/control.db", migrate=False)
    bus = EmbeddedBus(open_file, tmp_path / "bus.db")
    calls, clock = FakeCalls(), FakeClock()
    web = WebSettings(
        slots=("media-0", "media-1"),
        data_dir=tmp_path,
        run_dir=tmp_path / "run",
        secrets_dir=tmp_path / "secrets",
        setup_token=TOKEN,
        argon2_kib=8,
    )
    defaults = Platform(
        code=code,
        domain=code[:10],
        public_host="192.0.2.1",
        volumes=(VolumeWish(name="main", path="volumes/main"),),
    )
    blobs = open_blobs(tmp_path / "blobs")
    history = DayFiles(open_file, tmp_path / "history")
    services = assemble(
        database=database,
        leases=SqlLeases(database),
        calls=calls,
        bus=bus,
        blobs=blobs,
        history=history,
        clock=clock,
        web=web,
        defaults=defaults,
    )
    await services.start()
    made = House(services, calls, clock, bus)
    yield made
    for client in made.clients:
        await client.aclose()
    await blobs.close()
    await history.close()
    await bus.close()
    await database.close()
    await asyncio.sleep(0)


@pytest.fixture
async def admin(house: House) -> Client:
    client = house.client()
    answer = {"token": TOKEN, "username": "root", "password": PASSWORD, "language": "en"}
    client.me = await client.ok("POST", "setup/administrator", answer)
    return client
