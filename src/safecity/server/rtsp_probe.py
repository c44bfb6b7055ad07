"""The RTSP driver's test of an address, for the application: only addresses a camera may have are dialled."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

from safecity.drivers.rtsp import probe as driver
from safecity.kit.outgoing import may_reach
from safecity.web.services import Probe, Probed


def prober(*, allow_loopback: bool) -> Probe:
    """The test, as the settings allow it."""
    policy = partial(may_reach, allow_loopback=allow_loopback)

    async def probe(url: str, username: str, password: str) -> Probed:
        """Open it, wait for the first picture, close it."""
        data = asdict(await driver.probe(url, username, password, policy=policy))
        return Probed(ok=data["ok"], step=data["step"], params=data["params"], tracks=data["tracks"])

    return probe
