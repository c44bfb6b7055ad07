"""A platform and a library below it, over real connections: subscribed to, killed in between, away for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from benchmarks.whole import Platform, until

from safecity.kit.clock import SECOND_US, SystemClock, rfc3339
from safecity.sim.gat1400.client import Login
from safecity.sim.gat1400.library import LowerLibrary
from safecity.sim.yard import Yard

pytestmark = pytest.mark.journey

CODE, GATE, CAMERA = "34020300005030000001", "34020300001210000001", "34020300001190000001"
PLATE = "皖A12B45"
OURS = "a password of ours"
SOON = 3.0
"""Seconds after which the library says that it is there: a platform that was killed knows of nobody."""


@pytest.fixture
def platform(platform_factory: Callable[..., Platform]) -> Platform:
    return platform_factory("--slots", "1").setup()


class Below:
    """The library, and what the platform knows of it."""

    def __init__(self, platform: Platform, yard: Yard) -> None:
        self.platform, self.yard = platform, yard
        made = platform.post("/devices", {"kind": "gat1400", "code": CODE, "name": "district"})
        self.device = made["id"]
        port = platform.state()["ports"]["http"]
        login = Login(code=CODE, password=made["registration"]["password"], host="127.0.0.1", port=port)
        code = made["registration"]["platform_code"]
        self.library = LowerLibrary(login, username=code, password=OURS, keepalive_seconds=SOON)
        yard.run(self.library.start())
        self.put(f"http://127.0.0.1:{self.library.door.port}")

    def put(self, url: str) -> None:
        answer = self.platform.api.put(f"/libraries/{self.device}", json={"url": url, "password": OURS})
        assert answer.status_code == 200, answer.text

    def subscribe(self, *details: int) -> str:
        return self.platform.post(f"/libraries/{self.device}/subscriptions", {"details": list(details)})["number"]

    def see(self) -> dict[str, Any]:
        return self.platform.get(f"/libraries/{self.device}")

    def one(self) -> dict[str, Any]:
        (found,) = self.see()["subscriptions"]
        return found

    def passes(self, plate: str) -> None:
        self.yard.change(lambda: self.library.passes(plate, tollgate=GATE, camera=CAMERA))

    def plates(self) -> list[str]:
        found = self.platform.get("/passages", purpose="security")
        return sorted(one["plate"] for one in found["items"])

    def stand(self) -> list[str]:
        return self.yard.change(lambda: list(self.library.memory.subscriptions))


@pytest.fixture
def below(platform: Platform) -> Iterator[Below]:
    with Yard() as yard:
        made = Below(platform, yard)
        yield made
        yard.run(made.library.stop())


def test_what_is_subscribed_to_below_arrives_over_a_kill_and_over_the_librarys_own_absence(
    platform: Platform, below: Below
) -> None:
    yard = below.yard
    number = below.subscribe(13, 7)
    until(lambda: below.stand() == [number], "the subscription stands at the library")

    # Killed between subscribing and the first notification.
    platform.kill("control")
    below.passes(PLATE)
    platform.wait_ready()
    platform.sign_in()
    until(lambda: below.plates() == [PLATE], "the first vehicle arrived after the kill")
    assert below.one()["number"] == number
    assert until(lambda: below.one()["received"], "it was counted") == 1

    # Killed right after somebody asked: what was committed is said by the next process, under its number.
    second = below.subscribe(3)
    platform.kill("control")
    platform.wait_ready()
    platform.sign_in()
    until(lambda: set(below.stand()) == {number, second}, "the second one stands, too")

    # The library is away for a while, and something is asked of it meanwhile; it comes back and has forgotten all.
    yard.run(below.library.stop())
    third = below.subscribe(4)
    until(lambda: below.see()["last_error"], "the platform notices that nobody answers")
    yard.change(below.library.forget)
    yard.run(below.library.start())
    until(lambda: third in below.stand(), "what waited is said when it registers")
    before = [one["placed_at"] for one in below.see()["subscriptions"] if one["number"] != third]
    assert None not in before

    # Withdrawn: cancelled there, and what still comes is not taken.
    for one in below.see()["subscriptions"]:
        platform.post(f"/libraries/{below.device}/subscriptions/{one['id']}/withdraw")
    until(lambda: below.stand() == [], "all are cancelled in their place")
    below.passes("皖A00002")
    assert below.plates() == [PLATE]


def test_a_watch_goes_down_and_its_hit_comes_up_over_a_kill(platform: Platform, below: Below) -> None:
    yard = below.yard
    people = {"username": "officer", "password": "correct horse battery", "roles": ["operator"]}
    platform.post("/users", people)
    platform.sign_in("officer")
    # The wire tells whole seconds: what passed in the one in which somebody asked may have passed before.
    begun, tomorrow = (rfc3339(SystemClock().now_us() + seconds * SECOND_US) for seconds in (-60, 86_400))
    wish = {
        "plate": PLATE, "reason": "stolen", "valid_from": begun, "valid_until": tomorrow, "purpose": "security",
        "seats": ["role:operator"],
    }  # fmt: skip
    watch = platform.post("/watches", wish)
    platform.sign_in()
    platform.post(f"/watches/{watch['id']}/approve")
    until(lambda: yard.change(lambda: len(below.library.memory.dispositions)) == 1, "the watch stands below")
    platform.kill("control")
    below.passes(PLATE)
    platform.wait_ready()
    platform.sign_in("officer")
    (hit,) = until(lambda: platform.get("/hits")["items"], "the hit came up")
    assert (hit["watch"], hit["plate"]) == (watch["id"], PLATE)
    platform.post(f"/watches/{watch['id']}/withdraw", {"reason": "found"})
    until(lambda: not yard.change(lambda: dict(below.library.memory.dispositions)), "it is withdrawn below")
