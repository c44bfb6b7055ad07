"""Which tollgate a device means: found without reading those of the whole city."""

from __future__ import annotations

from dataclasses import replace

import pytest

from safecity.backends.database import SqlDatabase
from safecity.core.ground.devices.api import Device, DeviceKind
from safecity.core.ground.tollgates.api import Tollgate, meant, reported_by
from safecity.core.ground.tollgates.store import add
from safecity.kit.ids import fresh

CAMERA = Device(id=fresh("dv"), kind=DeviceKind.GAT1400, name="camera", area_path="/34/")
NAMED, HIS, HIS_OFF, OTHER = (f"{number:020d}" for number in range(1, 5))


@pytest.mark.parametrize(
    ("code", "found"),
    [(NAMED, NAMED), (OTHER, OTHER), ("", HIS), ("3" * 20, HIS), (HIS_OFF, HIS)],
)
async def test_a_device_means_what_it_names_or_what_it_reports_for(
    code: str, found: str, database: SqlDatabase
) -> None:
    base = Tollgate(id="", name="x", area_path="/34/")
    gates = [replace(base, id=fresh("tg"), code=f"{number:020d}") for number in range(100, 130)]
    gates += [
        replace(base, id=fresh("tg"), code=NAMED),
        replace(base, id=fresh("tg"), code=HIS_OFF, reporters=(CAMERA.id,), enabled=False),
        replace(base, id=fresh("tg"), code=HIS, reporters=(fresh("dv"), CAMERA.id)),
        replace(base, id=fresh("tg"), code=OTHER, reporters=(fresh("dv"),)),
    ]
    for gate in gates:
        await database.write(lambda tx, gate=gate: add(tx, gate))
    read = await database.read(lambda tx: meant(tx, CAMERA.id, [code] if code else []))
    gate = reported_by(CAMERA, code, read)
    assert gate is not None
    assert gate.code == found
    assert gate == reported_by(CAMERA, code, gates), "as if all were looked at"
    assert len(read) <= 3
