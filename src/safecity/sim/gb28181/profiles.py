"""Makes and years of devices: what differs on the wire between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How a kind of device behaves.

    version        X-GB-Ver that it says, empty where it says none
    kind           three digits of its code (annex D)
    charset        of its XML
    batch          items in one message of a list
    qop            answers a challenge with qop when offered; old devices know the older form alone
    tcp_media      can do RTP over TCP
    stream_words   reads a=streamnumber (2022) or the makers' words (2016)
    sessions       how many INVITEs at a time
    private_host   behind NAT: the address it believes to have
    user_agent     the SIP header
    """

    name: str
    version: str
    kind: int
    charset: str = "GB2312"
    batch: int = 4
    qop: bool = True
    tcp_media: bool = True
    tcp_signalling: bool = False
    sessions: int = 32
    private_host: str = ""
    manufacturer: str = "Safecity"
    model: str = "SIM"
    firmware: str = "1.0"
    user_agent: str = "Safecity-Sim"
    old_spelling: bool = False


DVR_2011: Final = Profile(
    name="2011 DVR", version="1.0", kind=111, batch=1, qop=False, tcp_media=False, sessions=16,
    manufacturer="OldVision", model="DVR-16", firmware="V1.2 build 120304", user_agent="Embedded Net DVR",
    old_spelling=True,
)  # fmt: skip
CAMERA_2016: Final = Profile(
    name="2016 camera", version="2.0", kind=132, batch=2, manufacturer="StreetEye", model="IPC-2016",
    firmware="V5.4.5 build 170124", user_agent="IP Camera",
)  # fmt: skip
NVR_2022: Final = Profile(
    name="2022 NVR", version="3.0", kind=118, charset="GB18030", batch=8, sessions=64, manufacturer="NewCity",
    model="NVR-64", firmware="V6.1.0 build 240812", user_agent="NVR",
)  # fmt: skip
CAMERA_2022: Final = Profile(
    name="2022 camera", version="3.0", kind=132, charset="GB18030", batch=4, manufacturer="NewCity",
    model="IPC-2022", firmware="V6.0.3 build 240301", user_agent="IP Camera",
)  # fmt: skip
CAMERA_NAT: Final = Profile(
    name="2022 camera behind NAT", version="3.0", kind=132, charset="GB18030", batch=4, tcp_signalling=True,
    private_host="192.168.1.64", manufacturer="NewCity", model="IPC-2022-4G", firmware="V6.0.3", user_agent="IP Camera",
)  # fmt: skip
PROFILES: Final = {
    "dvr2011": DVR_2011,
    "camera2016": CAMERA_2016,
    "nvr2022": NVR_2022,
    "camera2022": CAMERA_2022,
    "nat2022": CAMERA_NAT,
}
