"""A driver's card says whether somebody drives; who that is is kept nowhere."""

from __future__ import annotations

from tests.unit.drivers_jt808.scene import Scene, Vehicle

from safecity.protocols.jt808.records import DriverCard
from safecity.protocols.jt808.registration import PlatformAnswer, Result


def card(status: int, result: int = 0) -> DriverCard:
    return DriverCard(
        status=status, time="231115061320", result=result, name="张三", certificate="C-1", issuer="I",
        valid_until="20300101", identity="",
    )  # fmt: skip


async def test_positions_say_whether_a_driver_is_signed_in(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    said = []
    for one in (None, card(1), card(2), card(1, result=3)):
        if one is not None:
            vehicle.say(one)
            scene.platform.store.flush()
            (answer,) = vehicle.heard()
            assert isinstance(answer, PlatformAnswer)
            assert answer.result == Result.OK
        vehicle.say(vehicle.fix())
        scene.platform.store.flush()
        vehicle.heard()
        said.append(scene.events("position.received")[-1].body["driver"])
    assert said == [None, True, False, False]
    kept = scene.file.execute("SELECT body FROM terminal") + scene.file.execute("SELECT * FROM outbox")
    assert "张三".encode() not in b"".join(value for row in kept for value in row if isinstance(value, bytes))
