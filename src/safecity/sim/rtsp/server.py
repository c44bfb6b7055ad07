"""Several simulated cameras behind one RTSP port, as behind the NAT of a shop: `/1/main`, `/1/sub`, `/2/main` ..."""

from __future__ import annotations

from collections.abc import Sequence

from safecity.links.rtsp_server import Mount, RtspServer
from safecity.model.values.media import Quality
from safecity.protocols.rtsp.server import ServerAuth
from safecity.sim.camera import Camera
from safecity.sim.rtsp.mount import CameraMount


class RtspCameras:
    """`start`, then `port`. One user for all; no user means that anybody may look.

    silent: connections are taken, but no path is known (a camera that hangs half).
    """

    def __init__(
        self,
        cameras: Sequence[Camera],
        *,
        username: str = "",
        password: str = "",
        schemes: tuple[str, ...] = ("Digest",),
        algorithm: str = "MD5",
        timeout_seconds: int = 60,
    ) -> None:
        self._mounts: dict[str, CameraMount] = {}
        for number, camera in enumerate(cameras, start=1):
            for quality in Quality:
                self._mounts[f"/{number}/{quality}"] = CameraMount(camera, quality)
        auth = ServerAuth("Safecity-Sim", {username: password}, schemes, algorithm) if username else None
        self._server = RtspServer(self._find, auth=auth, timeout_seconds=timeout_seconds)
        self.silent = False

    def _find(self, path: str) -> Mount | None:
        return None if self.silent else self._mounts.get(path.rstrip("/"))

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.port

    @property
    def viewers(self) -> int:
        """Playing clients over all streams."""
        return sum(mount.viewers for mount in self._mounts.values())

    async def start(self, host: str = "127.0.0.1", port: int = 0, *, udp: bool = True) -> None:
        """Listen. OSError where the port is taken."""
        await self._server.start((host, port), udp=udp)

    async def close(self) -> None:
        """Close all connections."""
        await self._server.close()
