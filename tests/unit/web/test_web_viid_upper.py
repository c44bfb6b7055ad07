"""Two platforms: the lower one registers at the upper one, stays there, comes back, and sends up what that one
subscribed to; watches of the upper one go down, and their hits come up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.web.conftest import PASSWORD, PLATFORM, TOKEN, House, a_house, app_on
from tests.unit.web.test_web_watches import follow
from tests.unit.web.viid_client import CAMERA, GATE, ViidClient, jpeg, vehicle, vehicles

from safecity.core.ground.images.api import Address, Notifier, Reply, UplinkFigure, Uplinks
from safecity.core.upper.watches.api import met
from safecity.kit.clock import SECOND_US, rfc3339
from safecity.kit.errors import InvalidError, UnavailableError
from safecity.kit.upperurl import Upper, read_upper
from safecity.kit.weburl import WebUrl

LOWER = "34010000005030000007"
PLACE = "192.0.2.1:8080"
BELOW = "10.0.0.9:8080"
PLATE = "皖A12B45"


class Line:
    """The way from the lower platform to the upper one's door, which can be cut."""

    def __init__(self, upper: House) -> None:
        transport = httpx.ASGITransport(app=upper.services.viid, client=("10.0.0.9", 40_000))
        self.http = httpx.AsyncClient(transport=transport, base_url=f"http://{PLACE}")
        self.cut = False
        self.asked: list[str] = []

    async def ask(self, upper: Upper, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        assert upper.address.place == PLACE
        answer = await self._send(path, body, headers)
        return Reply(answer.status_code, tuple(answer.headers.get_list("www-authenticate")), answer.content)

    async def post(self, address: Address, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        assert address.place == PLACE
        answer = await self._send(address.target, body, headers)
        return answer.status_code, answer.content

    async def delete(self, address: Address, headers: dict[str, str]) -> tuple[int, bytes]:
        assert address.place == PLACE
        answer = await self.http.delete(address.target, headers=headers)
        return answer.status_code, answer.content

    async def _send(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        self.asked.append(path.rpartition("/")[2])
        if self.cut:
            raise UnavailableError("cut", code="http_unreachable")
        return await self.http.post(path, content=body, headers=headers)


async def down(lower: House, method: str, url: WebUrl, body: bytes, headers: dict[str, str]) -> Reply:
    """The way from the upper platform to the lower one's door."""
    assert url.place == BELOW
    transport = httpx.ASGITransport(app=lower.services.viid, client=("10.0.0.1", 40_000))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{BELOW}") as http:
        answer = await http.request(method, url.target, content=body, headers=headers)
    kind = answer.headers["content-type"]
    return Reply(answer.status_code, tuple(answer.headers.get_list("www-authenticate")), answer.content, kind)


class Cities:
    """Both, and what a test turns."""

    camera: ViidClient
    chief: Any

    def __init__(self, upper: House, admin: Any, lower: House, password: str) -> None:
        self.upper, self.admin, self.lower = upper, admin, lower
        self.line = Line(upper)
        self.password = password
        self.begin()

    def begin(self, password: str = "") -> None:
        """The lower platform starts, or starts anew."""
        uppers = [read_upper(f"http://:{password or self.password}@{PLACE}")]
        here = self.lower.services
        self.uplinks = Uplinks(uppers, here.settings, self.line.ask, self.lower.clock, 60.0)
        (self.uplink,) = self.uplinks.links
        self.notifier = Notifier(
            here.database, here.blobs, self.lower.clock, here.settings, self.line.post, met, self.line.delete
        )

    @property
    def figure(self) -> UplinkFigure:
        (found,) = self.uplinks.figures()
        return found

    def pass_time(self, seconds: float) -> None:
        self.upper.clock.advance(seconds)
        self.lower.clock.advance(seconds)

    async def told(self) -> int:
        told = 0
        while arrived := await self.notifier.step():
            told += arrived
        return told

    async def seen_above(self) -> list[str]:
        found = await self.admin.ok("GET", "passages", params={"purpose": "security"})
        return [one["plate"] for one in found["items"]]

    async def state_above(self) -> str:
        while await self.upper.services.intake.step():
            pass
        (device,) = (await self.admin.ok("GET", "devices"))["items"]
        return device["state"]


@pytest.fixture
async def cities(house: House, admin: Any, tmp_path: Path, migrated: Path) -> AsyncIterator[Cities]:
    """The upper platform knows the lower one as a device; the other way round it has subscribed, and was accepted."""
    above = await admin.ok("POST", "devices", {"kind": "gat1400", "code": LOWER, "name": "lower"})
    folder = tmp_path / "lower"
    folder.mkdir()
    async with a_house(folder, migrated, LOWER) as lower:
        made = Cities(house, admin, lower, above["registration"]["password"])
        chief = lower.client()
        chief.me = await chief.ok(
            "POST", "setup/administrator", {"token": TOKEN, "username": "root", "password": PASSWORD}
        )
        await chief.ok("POST", "tollgates", {"name": "gate", "code": GATE})
        door: Any = lower.services.viid
        device = await chief.ok("POST", "devices", {"kind": "gat1400", "code": CAMERA, "name": "camera"})
        made.camera = ViidClient(door, CAMERA, device["registration"]["password"], "10.0.0.5")
        assert (await made.camera.register()).status_code == 200
        known = await chief.ok("POST", "devices", {"kind": "gat1400", "code": PLATFORM, "name": "above"})
        made.chief = chief
        app_on(house.services)
        house.services.lower_teller._ask = partial(down, lower)
        where = f"libraries/{above['id']}"
        place = {"url": f"http://{BELOW}", "password": known["registration"]["password"]}
        await admin.ok("PUT", where, place)
        number = (await admin.ok("POST", f"{where}/subscriptions", {"details": [13]}))["number"]
        assert await house.services.lower_teller.step() == 1
        app_on(lower.services)
        (one,) = (await chief.ok("GET", "subscriptions"))["items"]
        assert (one["subscribe_id"], one["state"], one["applicant"]) == (number, "pending", "root Safecity")
        await chief.ok("POST", f"subscriptions/{one['id']}/accept")
        app_on(house.services)
        yield made
        await made.line.http.aclose()
        await made.camera.inner.aclose()


async def test_what_is_seen_below_is_found_above_once_the_lower_platform_has_registered(cities: Cities) -> None:
    await cities.camera.send("MotorVehicles", vehicles(vehicle(1)))
    assert await cities.told() == 0, "a stranger's word is not taken"
    assert await cities.seen_above() == []
    assert await cities.state_above() == "never"
    assert await cities.uplink.step() == 60.0
    assert (cities.figure.state, cities.figure.place, cities.figure.times) == ("registered", PLACE, 1)
    assert await cities.state_above() == "online"
    cities.pass_time(10)
    assert await cities.told() == 1
    assert await cities.seen_above() == [PLATE]
    for _ in range(10):  # longer than anybody stays who says nothing
        cities.pass_time(60)
        assert await cities.uplink.step() == 60.0
    await cities.upper.services.presence.expire()
    assert await cities.state_above() == "online"
    assert cities.figure.heard == cities.lower.clock.now_us()


async def test_a_watch_of_the_upper_platform_stands_below_and_its_hit_comes_up_with_its_picture(
    cities: Cities,
) -> None:
    await cities.uplink.step()
    until = rfc3339(cities.upper.clock.now_us() + 86_400 * SECOND_US)
    wish = {"plate": PLATE, "reason": "stolen", "purpose": "security", "valid_until": until, "seats": ["role:operator"]}
    people = {"username": "officer", "password": PASSWORD, "roles": ["operator"]}
    await cities.admin.ok("POST", "users", people)
    officer = cities.upper.client()
    await officer.sign_in("officer")
    watch = await officer.ok("POST", "watches", wish)
    await cities.admin.ok("POST", f"watches/{watch['id']}/approve")

    async def say() -> None:
        await cities.upper.services.watch_sending.step()
        while await cities.upper.services.lower_teller.step():
            pass

    async def below() -> dict[str, Any]:
        app_on(cities.lower.services)
        (one,) = (await cities.chief.ok("GET", "watches"))["items"]
        if one["state"] == "proposed":
            await cities.chief.ok("POST", f"watches/{one['id']}/approve")
        app_on(cities.upper.services)
        return one

    await say()
    asked = await below()
    assert (asked["plate"], asked["reason"], asked["state"]) == (PLATE, "stolen", "proposed")
    await cities.camera.send("MotorVehicles", vehicles(vehicle(1, picture=jpeg())))
    await follow(cities.lower)
    assert await cities.told() == 2, "as a vehicle that was subscribed to, and as a hit"
    await follow(cities.upper)
    (hit,) = (await officer.ok("GET", "hits"))["items"]
    assert (hit["watch"], hit["plate"], hit["pictures"]) == (watch["id"], PLATE, 1)
    assert len((await officer.ok("GET", "alarms"))["items"]) == 1

    # It was another vehicle: the camera below says so, and it is no hit above.
    await cities.camera.send("MotorVehicles", vehicles(vehicle(1, plate="皖A99999", picture=jpeg())))
    await follow(cities.lower)
    await cities.told()
    await follow(cities.upper)
    assert [one["state"] for one in (await officer.ok("GET", "hits"))["items"]] == ["taken_back"]

    await officer.ok("POST", f"watches/{watch['id']}/withdraw", {"reason": "found"})
    await say()
    assert (await below())["state"] == "withdrawn"


async def test_an_upper_platform_that_began_anew_is_registered_at_again_and_nothing_is_lost(cities: Cities) -> None:
    await cities.uplink.step()
    cities.upper.services.presence.hall.left(LOWER)  # as after a restart: sessions live in memory
    await cities.camera.send("MotorVehicles", vehicles(vehicle(1)))
    assert await cities.told() == 0
    cities.pass_time(60)
    assert await cities.uplink.step() == 0.0
    assert await cities.uplink.step() == 60.0
    assert cities.figure.times == 2
    assert await cities.told() == 1
    assert await cities.seen_above() == [PLATE]


async def test_a_lower_platform_that_began_anew_goes_on_where_it_was(cities: Cities) -> None:
    await cities.uplink.step()
    cities.line.cut = True
    await cities.camera.send("MotorVehicles", vehicles(vehicle(1)))
    assert await cities.told() == 0
    cities.line.cut = False
    cities.begin()
    cities.pass_time(10)
    assert await cities.uplink.step() == 60.0
    assert await cities.told() == 1
    assert await cities.seen_above() == [PLATE]


async def test_a_line_that_is_cut_is_offline_after_three_keepalives_and_comes_back(cities: Cities) -> None:
    await cities.uplink.step()
    since = cities.figure.since
    cities.line.cut = True
    for missed in range(3):
        assert cities.figure.state == "registered", missed
        cities.pass_time(30)
        await cities.uplink.step()
    assert (cities.figure.state, cities.figure.code) == ("offline", "http_unreachable")
    assert cities.figure.since > since
    waits = [await cities.uplink.step() for _ in range(8)]
    assert waits == sorted(waits)
    assert waits[-1] == 900.0, "it tries on, and does not hammer"
    cities.line.cut = False
    assert await cities.uplink.step() == 60.0
    assert (cities.figure.state, cities.figure.code) == ("registered", "")


async def test_a_wrong_password_is_said_and_the_guessing_gets_slower(cities: Cities) -> None:
    cities.begin("another password")
    waits = [await cities.uplink.step() for _ in range(3)]
    assert (cities.figure.state, cities.figure.code, cities.figure.status) == ("refused", "viid_upper_refused", 401)
    assert waits == sorted(set(waits))
    cities.upper.services.uplinks = cities.uplinks  # as if it were its own
    (told,) = (await cities.admin.ok("GET", "health"))["uppers"]
    assert (told["place"], told["state"], told["times"]) == (PLACE, "refused", 0)
    assert "HTTP 401" in told["sentence"]
    assert "another" not in repr(cities.uplinks.links[0].__dict__)


async def test_a_library_that_says_no_in_the_body_of_a_200_is_not_taken_for_one_that_agreed(cities: Cities) -> None:
    said = {"Register": 1, "Keepalive": 0}

    async def says(_upper: Upper, path: str, _body: bytes, _headers: dict[str, str]) -> Reply:
        code = said[path.rpartition("/")[2]]
        return Reply(200, body=b'{"ResponseStatusObject":{"StatusCode":"%d"}}' % code)

    cities.uplink._ask = says
    await cities.uplink.step()
    assert (cities.figure.state, cities.figure.code) == ("refused", "viid_upper_refused")
    said["Register"] = 0
    await cities.uplink.step()
    assert cities.figure.state == "registered"
    said["Keepalive"] = 2
    for _ in range(3):
        await cities.uplink.step()
    assert cities.figure.state == "offline"


async def test_who_stops_signs_off(cities: Cities) -> None:
    registered = asyncio.Event()
    ask = cities.line.ask

    async def heard(*asked: Any) -> Reply:
        reply = await ask(*asked)
        if reply.status == 200:
            registered.set()
        return reply

    cities.uplink._ask = heard
    running = asyncio.create_task(cities.uplinks.run())
    await registered.wait()
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert cities.line.asked == ["Register", "Register", "UnRegister", "UnRegister"]
    assert await cities.state_above() == "offline"


async def test_a_platform_that_gets_another_code_registers_with_that(cities: Cities) -> None:
    await cities.uplink.step()
    platform = await cities.lower.services.settings.read()
    assert platform.code == LOWER

    class Renamed:
        async def read(self) -> Any:
            return type(platform)(**{**{n: getattr(platform, n) for n in platform.__slots__}, "code": PLATFORM})

    cities.uplink._settings = Renamed()  # type: ignore[assignment]
    await cities.uplink.step()
    assert cities.line.asked[2:4] == ["UnRegister", "UnRegister"]
    assert cities.figure.state == "refused", "above nobody knows that one"


@pytest.mark.parametrize(
    "text",
    ["", "http://library", "http://user@library", "http://user:@library", "ftp://a:b@library", "http://a:b@lib/x",
     "http://a:b@lib?x=1", "http://a:b@" + "x" * 2000],
)  # fmt: skip
def test_what_is_no_address_of_a_library_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(InvalidError) as refused:
        read_upper(text)
    assert "a:b" not in str(refused.value)


def test_an_address_holds_name_and_password_and_shows_neither() -> None:
    one = read_upper("https://city%40hall:p%2Fw%2C-secret@library.example:9443")
    assert (one.username, one.password, one.address.place, one.address.tls) == (
        "city@hall", "p/w,-secret", "library.example:9443", True,
    )  # fmt: skip
    assert "secret" not in repr(one)
    assert read_upper("http://:only@10.0.0.1").username == ""
