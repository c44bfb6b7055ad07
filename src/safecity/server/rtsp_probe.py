"""The RTSP driver's test of an address, for the application: only addresses a camera may have are dialled."""

from __future__ import annotations

from dataclasses import asdict

from safecity.drivers.rtsp import probe as driver
from safecity.drivers.rtsp.policy import camera_address
from safecity.web.services import Probed


async def probe(url: str, username: str, password: str) -> Probed:
    """Open it, wait for the first picture, close it."""
    data = asdict(await driver.probe(url, username, password, policy=camera_address))
    return Probed(ok=data["ok"], step=data["step"], params=data["params"], tracks=data["tracks"])
