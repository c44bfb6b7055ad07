"""A city above, and a library below that answers over real connections."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.unit.web.viid_client import ViidClient

from safecity.sim.gat1400.client import Login
from safecity.sim.gat1400.library import LowerLibrary, Memory
from safecity.web.assembly import ask_lower

LOWER = "34020300005030000001"
ITS_CAMERA = "34020300001190000001"
ITS_GATE = "34020300001210000001"
PLATE = "皖A12B45"
SECRET = "a password of ours"


class District:
    """The library of a district, how we know it, and how it comes in."""

    def __init__(self, house: Any, admin: Any) -> None:
        self.house, self.admin = house, admin
        self.area = self.city = self.device = ""
        self.library: LowerLibrary = None  # type: ignore[assignment]
        self.comes: ViidClient = None  # type: ignore[assignment]

    async def settle(self, *, password: str = "", username: str = "") -> None:
        """Areas, the device, and its library listening."""
        self.city = (await self.admin.ok("POST", "areas", {"name": "city", "code": "3402"}))["id"]
        district = {"name": "district", "code": "340203", "parent": self.city}
        self.area = (await self.admin.ok("POST", "areas", district))["id"]
        known = {"kind": "gat1400", "code": LOWER, "name": "district library", "area": self.area}
        made = await self.admin.ok("POST", "devices", known)
        self.device = made["id"]
        self.comes = ViidClient(self.house.app, LOWER, made["registration"]["password"], "10.0.0.6")
        await self.begin(Memory(), password=password, username=username)
        self.again()

    async def begin(self, memory: Memory, *, password: str = "", username: str = "", port: int = 0) -> None:
        """The library's process; how it comes in is told apart, so that time is the test's."""
        login = Login(code=LOWER, password="-", host="127.0.0.1", port=1)
        self.library = LowerLibrary(
            login, memory=memory, username=username, password=password, clock=self.house.clock, port=port
        )
        self.library.client = self.comes  # type: ignore[assignment]
        await self.library.door.open()
        assert (await self.comes.register()).status_code == 200
        self.library.registered = True

    async def away(self) -> None:
        await self.library.door.close()

    async def back(self) -> None:
        await self.library.door.open()

    async def later(self, seconds: float) -> None:
        """Time goes by, and everybody who was signed out by it comes again."""
        self.house.clock.advance(seconds)
        await self.admin.sign_in("root")

    def again(self) -> None:
        """The library is on this machine, which only tests may reach."""
        self.house.services.lower_teller._ask = partial(ask_lower, allow_loopback=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.library.door.port}"

    @property
    def memory(self) -> Memory:
        return self.library.memory

    async def known(self, **more: Any) -> dict[str, Any]:
        return await self.admin.ok("PUT", f"libraries/{self.device}", {"url": self.url, **more})

    async def see(self) -> dict[str, Any]:
        return await self.admin.ok("GET", f"libraries/{self.device}")

    async def one(self) -> dict[str, Any]:
        """The only subscription."""
        (found,) = (await self.see())["subscriptions"]
        return found

    async def subscribe(self, *details: int, **more: Any) -> dict[str, Any]:
        wish = {"details": list(details or (13,)), **more}
        return await self.admin.ok("POST", f"libraries/{self.device}/subscriptions", wish)

    async def withdraw(self, subscription: str, reason: str = "") -> dict[str, Any]:
        path = f"libraries/{self.device}/subscriptions/{subscription}/withdraw"
        return await self.admin.ok("POST", path, {"reason": reason})

    async def say(self) -> int:
        """What our loops would do by themselves."""
        await self.house.services.watch_sending.step()
        taken = 0
        while more := await self.house.services.lower_teller.step():
            taken += more
        return taken

    async def passes(self, plate: str = PLATE, gate: str = ITS_GATE) -> str:
        """Something drives by down there, and whoever is to be told is."""
        name = self.library.passes(plate, tollgate=gate, camera=ITS_CAMERA)
        await self.library.report()
        return name

    async def plates(self) -> list[str]:
        found = await self.admin.ok("GET", "passages", params={"purpose": "security"})
        return [one["plate"] for one in found["items"]]

    async def send(self, notice: dict[str, Any], path: str = "SubscribeNotification") -> tuple[int, str]:
        """(StatusCode, StatusString) of one notification."""
        answer = await self.comes.ask("POST", f"{path}s", {f"{path}ListObject": {f"{path}Object": [notice]}})
        assert answer.status_code == 200, answer.text
        (said,) = answer.json()["ResponseStatusListObject"]["ResponseStatusObject"]
        return said["StatusCode"], said["StatusString"]

    async def close(self) -> None:
        await self.library.door.close()
        await self.comes.inner.aclose()


def notice_of(subscription: str, *vehicles: dict[str, Any], number: str = "1", operation: int = 1) -> dict[str, Any]:
    """As another product writes it."""
    return {
        "NotificationID": number, "SubscribeID": subscription, "Title": "t", "TriggerTime": "20231115061320",
        "InfoIDs": ",".join(one["MotorVehicleID"] for one in vehicles), "ExecuteOperation": operation,
        "MotorVehicleObjectList": {"MotorVehicleObject": list(vehicles)},
    }  # fmt: skip
