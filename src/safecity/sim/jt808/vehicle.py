"""What a simulated terminal knows and does: its parameters, its alarms, its answers to what the platform asks. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from safecity.protocols.jt808 import commands, fences
from safecity.protocols.jt808.alarms import Alarm, Status, mask
from safecity.protocols.jt808.channels import CHANNEL_LIST, ChannelUse, ListedChannel, write_channel_list
from safecity.protocols.jt808.checks import time_text
from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.items import write_number
from safecity.protocols.jt808.messages import AnyBody
from safecity.protocols.jt808.positions import AskLocation, ConfirmAlarm, Item, Location, LocationAnswer, Track
from safecity.protocols.jt808.positions import degrees_to_wire as to_wire
from safecity.protocols.jt808.registration import Result
from safecity.protocols.jt808.terminal import Commanded, Identity
from safecity.protocols.jt808.video import AskVideoProperties, VideoProperties
from safecity.protocols.jt808.wire import Part
from safecity.sim.jt808.drive import Place

MAX_TEXTS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How terminals of a kind differ. `items`: what they put behind a fix of their own; `tail`: half an item, as those
    send that count wrongly."""

    version: Version
    items: tuple[Item, ...] = ()
    tail: bytes = b""


PLAIN_2011: Final = Profile(version=Version.V2011)
CARELESS_2013: Final = Profile(
    version=Version.V2013, items=(Item(0x14, b"\x01\x02"), Item(0xE1, b"own")), tail=b"\xeb\xc8abc"
)
"""Uses the id of the video alarms for something of its own, and says that its last item is longer than it is."""
PLAIN_2019: Final = Profile(version=Version.V2019)
PROFILES: Final = {Version.V2011: PLAIN_2011, Version.V2013: CARELESS_2013, Version.V2019: PLAIN_2019}


@dataclass(slots=True)
class Vehicle:
    """The state of one vehicle and its terminal."""

    identity: Identity
    profile: Profile
    parameters: dict[int, bytes] = field(default_factory=dict[int, bytes])
    pressed: int = 0
    """Alarm bits that stay until they are confirmed or taken back."""
    locked: bool = True
    fixed: bool = True
    clock_is_lost: bool = False
    track_seconds: float | None = None
    texts: list[str] = field(default_factory=list[str])
    channels: tuple[int, ...] = ()
    """Logical numbers of its cameras; without any it knows nothing of pictures."""
    sound: tuple[int, int] = (6, 320)
    """Payload type, and bytes of a frame."""
    fences: dict[tuple[int, int], Part] = field(default_factory=dict[tuple[int, int], Part])
    """By (id of the message that set it, its own id)."""

    def __post_init__(self) -> None:
        for each in (
            commands.number_parameter(commands.HEARTBEAT_SECONDS, 60),
            commands.number_parameter(commands.REPORT_SECONDS, 10),
            commands.number_parameter(commands.SPEED_LIMIT, 120),
            commands.text_parameter(commands.PLATE, self.identity.plate),
        ):
            self.parameters.setdefault(each.id, each.value)
        if self.channels:
            listed = [ListedChannel(at, number, ChannelUse.BOTH, False) for at, number in enumerate(self.channels, 1)]
            self.parameters.setdefault(CHANNEL_LIST, write_channel_list(listed))

    def number(self, parameter: int) -> int:
        """A parameter as a number."""
        return int.from_bytes(self.parameters.get(parameter, b"\0"), "big")

    def press(self, alarm: Alarm) -> None:
        """An alarm that stays."""
        self.pressed |= 1 << alarm

    def release(self, alarm: Alarm) -> None:
        """Its cause is gone."""
        self.pressed &= ~(1 << alarm)

    def location(self, place: Place, at_us: int, metres: float) -> Location:
        """The position report: alarms, state, fix and items."""
        limit = self.number(commands.SPEED_LIMIT)
        alarm = self.pressed | (mask((Alarm.OVER_SPEED,)) if place.speed * 3.6 > limit else 0)
        wired = to_wire(place.latitude, place.longitude)
        status = 1 << Status.IGNITION | 1 << Status.GPS | 1 << Status.BEIDOU | wired["status"]
        status |= 1 << Status.FIXED if self.fixed else 0
        status |= 1 << Status.DOORS_LOCKED if self.locked else 0
        speed = round(place.speed * 36)
        items = (
            write_number(0x01, round(metres / 100)),
            write_number(0x03, speed),
            write_number(0x30, 24),
            write_number(0x31, 14 if self.fixed else 0),
        )
        return Location(
            alarm=alarm,
            status=status,
            latitude_micro=wired["latitude_micro"] if self.fixed else 0,
            longitude_micro=wired["longitude_micro"] if self.fixed else 0,
            height=30,
            speed_tenths=speed,
            direction=round(place.direction) % 360,
            time="0" * 12 if self.clock_is_lost else time_text(at_us),
            items=items + self.profile.items,
            tail=self.profile.tail,
        )

    def obey(self, commanded: Commanded, here: Location) -> tuple[Result | None, list[AnyBody]]:
        """(result of the general answer, None: there is none; what else to send)."""
        body, serial = commanded.body, commanded.serial
        match body:
            case commands.SetParameters():
                self.parameters |= {one.id: one.value for one in body.parameters}
            case commands.AskAllParameters():
                return None, [self._parameters(serial, tuple(sorted(self.parameters)))]
            case commands.AskParameters():
                return None, [self._parameters(serial, body.ids)]
            case commands.AskProperties():
                return None, [self._properties()]
            case commands.TextMessage():
                self.texts = [*self.texts, body.text][-MAX_TEXTS:]
            case commands.VehicleControl():
                self._control(body)
                status = here.status & ~(1 << Status.DOORS_LOCKED) | (1 << Status.DOORS_LOCKED if self.locked else 0)
                answer = commands.VehicleControlAnswer(serial=serial, location=replace(here, status=status))
                return None, [answer]
            case AskLocation():
                return None, [LocationAnswer(serial=serial, location=here)]
            case Track():
                self.track_seconds = float(body.interval_seconds) or None
            case ConfirmAlarm():
                self.pressed &= ~body.alarms
            case AskVideoProperties() if self.channels:
                return None, [
                    VideoProperties(
                        audio_codec=self.sound[0], audio_tracks=1, sampling=0, bits=1, frame_bytes=self.sound[1],
                        audio_output=0,
                        video_codec=98, audio_channels=1, video_channels=len(self.channels),
                    )
                ]  # fmt: skip
            case _:
                return self._fence(body), []
        return Result.OK, []

    def _parameters(self, serial: int, ids: tuple[int, ...]) -> commands.ParametersAnswer:
        known = [commands.Parameter(id=one, value=self.parameters[one]) for one in ids if one in self.parameters]
        return commands.ParametersAnswer(serial=serial, parameters=tuple(known))

    def _properties(self) -> commands.Properties:
        return commands.Properties(
            kind=0, maker=self.identity.maker, model=self.identity.model, terminal_id=self.identity.terminal_id,
            iccid="89860000000000000001", hardware="1.0", firmware=self.identity.software, gnss=3, radio=16,
        )  # fmt: skip

    def _control(self, body: commands.VehicleControl) -> None:
        if self.identity.version is not Version.V2019:
            self.locked = bool(body.flag & 1)
        for switch in body.switches:
            if switch.id == commands.DOOR:
                self.locked = switch.value == 0

    def _fence(self, body: AnyBody) -> Result:
        match body:
            case fences.SetCircles(circles=several) | fences.SetRectangles(rectangles=several):
                if body.setting == fences.Setting.REPLACE:
                    self._forget(body.ID, ())
                self.fences |= {(body.ID, one.id): one for one in several}
            case fences.SetPolygon() | fences.SetRoute():
                self.fences[body.ID, body.id] = body
            case (
                fences.DeleteCircles() | fences.DeleteRectangles() | fences.DeletePolygons() | fences.DeleteRoutes()
            ):  # fmt: skip
                self._forget(body.ID - 1, body.ids)
            case commands.Control():
                pass
            case _:
                return Result.UNSUPPORTED
        return Result.OK

    def _forget(self, kind: int, ids: tuple[int, ...]) -> None:
        self.fences = {key: one for key, one in self.fences.items() if key[0] != kind or (ids and key[1] not in ids)}
