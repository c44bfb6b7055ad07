"""How long alarms and the audit log are kept: days pass, what is old goes, and what is left is still proved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from safecity.core.ground.audit.api import Record, append
from safecity.core.ground.audit.keeper import MAX_DAYS_AT_ONCE

DAY = 86_400.0


async def visit(house: Any, admin: Any, days: int) -> None:
    """Something is written down twice a day, and the log is sealed; then somebody signs in."""
    for _ in range(days):
        house.clock.advance(DAY)
        record = Record(at=house.clock.now_us(), actor="us_1", actor_name="li", action="live.watch")
        await house.services.database.write(lambda tx, record=record: (append(tx, record), append(tx, record)))
        await house.services.keeper.seal()
    await admin.sign_in("root")


async def turns(house: Any, most: int = 100) -> tuple[int, int]:
    """Turns of the job until nothing goes any more; what went."""
    alarms = records = 0
    for _ in range(most):
        gone = await house.services.retention.step()
        alarms, records = alarms + gone[0], records + gone[1]
        if not any(gone):
            break
    return alarms, records


def seals(house: Any) -> Path:
    return house.services.web.data_dir / "control" / "audit-seals.jsonl"


async def test_the_old_part_of_the_log_goes_and_the_rest_is_proved_from_a_signed_cut(house: Any, admin: Any) -> None:
    await admin.ok("PATCH", "settings", {"audit_days": 180})
    await visit(house, admin, 200)
    before = await admin.ok("GET", "audit/proof")
    assert (before["sound"], before["first"]) == (True, 1)
    _, records = await turns(house)
    assert records > 15
    after = await admin.ok("GET", "audit/proof")
    assert (after["sound"], after["first"], after["forgotten"]) == (True, records + 1, records)
    listed = (await admin.ok("GET", "audit", params={"action": "audit.forget"}))["items"]
    assert sum(record["details"]["records"] for record in listed) == records
    oldest = await house.services.database.read(lambda tx: tx.row(text("SELECT min(at) AS at FROM audit")))
    assert house.clock.now_us() - oldest["at"] <= 181 * DAY * 1e6


async def test_a_change_after_the_cut_and_a_second_cut_by_somebody_else_are_found(house: Any, admin: Any) -> None:
    await admin.ok("PATCH", "settings", {"audit_days": 180})
    await visit(house, admin, 190)
    await turns(house)
    proof = await admin.ok("GET", "audit/proof")
    database = house.services.database
    await database.write(lambda tx: tx.run(text(f"DELETE FROM audit WHERE seq <= {proof['first'] + 3}")))
    assert (await admin.ok("GET", "audit/proof"))["code"] == "audit_removed"
    plain = [line for line in seals(house).read_text("utf-8").splitlines() if '"cut"' not in line]
    with seals(house).open("a") as file:
        file.write(plain[-1].replace('{"at"', '{"cut": true, "at"') + "\n")
    assert (await admin.ok("GET", "audit/proof"))["code"] == "audit_seal_forged"


async def test_a_log_that_does_not_hold_is_not_forgotten(house: Any, admin: Any) -> None:
    await visit(house, admin, 5)
    await house.services.database.write(lambda tx: tx.run(text("UPDATE audit SET actor_name = 'wang' WHERE seq = 3")))
    await admin.ok("PATCH", "settings", {"audit_days": 180})
    await visit(house, admin, 200)
    assert await turns(house) == (0, 0)
    proof = await admin.ok("GET", "audit/proof")
    assert (proof["fault"], proof["first"]) == (3, 1), "what shows the change is still there"


async def test_a_clock_that_runs_wild_for_an_hour_does_not_take_the_log_with_it(house: Any, admin: Any) -> None:
    await visit(house, admin, 30)
    house.clock.step_wall(20 * 365 * DAY)
    await house.services.retention.step()
    house.clock.step_wall(-20 * 365 * DAY)
    await admin.sign_in("root")
    proof = await admin.ok("GET", "audit/proof")
    assert proof["sound"] is True
    assert proof["forgotten"] <= 2 * (MAX_DAYS_AT_ONCE + 1)
    assert proof["last"] - proof["first"] > 30


async def test_the_newest_record_stays_whatever_its_age_so_that_the_chain_goes_on(house: Any, admin: Any) -> None:
    await house.services.keeper.seal()
    house.clock.advance(1000 * DAY)
    await turns(house)
    await admin.sign_in("root")
    proof = await admin.ok("GET", "audit/proof")
    assert proof["sound"] is True
    assert proof["last"] > proof["first"]


async def test_a_drop_that_was_broken_off_is_sound_and_goes_on(house: Any, admin: Any, monkeypatch: Any) -> None:
    from safecity.core.ground.audit import store
    from safecity.kit.errors import UnavailableError

    await visit(house, admin, 400)
    drop, calls = store.drop, []

    def broken(tx: Any, up_to: int, limit: int) -> int:
        calls.append(up_to)
        if len(calls) > 1:
            raise UnavailableError("the disk is full", code="database_unavailable")
        return drop(tx, up_to, 5)

    monkeypatch.setattr(store, "drop", broken)
    with pytest.raises(UnavailableError):
        await house.services.retention.step()
    proof = await admin.ok("GET", "audit/proof")
    assert (proof["sound"], proof["first"]) == (True, 6)
    monkeypatch.setattr(store, "drop", drop)
    await turns(house)
    assert (await admin.ok("GET", "audit/proof"))["sound"] is True


async def test_old_alarms_go_in_whatever_state_they_are(house: Any, admin: Any) -> None:
    code = "34020000001320000001"
    device = await admin.ok("POST", "devices", {"kind": "gb28181", "code": code, "name": "gate"})
    body = {"device": device["id"], "code": code, "priority": "1", "method": "5"}
    await admin.ok("PATCH", "settings", {"alarm_days": 30})
    for _ in range(60):
        house.clock.advance(DAY)
        await house.publish("alarm.received", device["id"], body)
    await admin.sign_in("root")
    first = (await admin.ok("GET", "alarms", params={"limit": 500}))["items"][-1]
    await admin.ok("POST", f"alarms/{first['id']}/acknowledge", {"note": "seen"})
    alarms, _ = await turns(house)
    left = (await admin.ok("GET", "alarms", params={"limit": 500}))["items"]
    assert (alarms, len(left)) == (29, 31), "what is exactly as old as that stays"
    assert first["id"] not in {alarm["id"] for alarm in left}
    await admin.ok("PATCH", "settings", {"alarm_days": 0})
    house.clock.advance(3000 * DAY)
    assert (await turns(house))[0] == 0, "0 keeps them for ever"


@pytest.mark.parametrize("days", [1, 179, -1, 4000])
async def test_the_log_is_kept_for_half_a_year_at_least(admin: Any, days: int) -> None:
    assert (await admin.ask("PATCH", "settings", {"audit_days": days})).status_code in (400, 422)
    settings = await admin.ok("GET", "settings")
    assert (settings["audit_days"], settings["alarm_days"]) == (365, 180)
    for good in (180, 0, 3650):
        assert (await admin.ok("PATCH", "settings", {"audit_days": good}))["audit_days"] == good
