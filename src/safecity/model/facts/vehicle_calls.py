"""What one has the duty `signal` (address `signal`) say to a vehicle terminal, and what that hands to control of it
(address `control`). `device` is its id.

All but SayTerminal, AskPassed and ReadAttachment are answered with TerminalDid once the terminal itself has answered,
or with the error `device_offline`, `device_silent`, `terminal_failed`, `terminal_misunderstood`,
`terminal_unsupported`, `terminal_no_answer` or `terminal_lost`.
"""

from __future__ import annotations

from typing import Any

from safecity.model.facts.media_calls import Message


class TellDriver(Message, frozen=True):
    """Words for the driver (0x8300): on the display, spoken, on the advertisement screen; at least one of them."""

    device: str
    text: str
    urgent: bool = False
    display: bool = True
    spoken: bool = False
    screen: bool = False


class TrackVehicle(Message, frozen=True):
    """Report every `every_seconds` for `seconds`, then as usual again (0x8202); 0: stop that now."""

    device: str
    every_seconds: int
    seconds: int = 0


class LocateVehicle(Message, frozen=True):
    """Where is it now (0x8201)? The answer is a position like any other, too."""

    device: str


class RestartTerminal(Message, frozen=True):
    """Start the terminal anew (0x8105, command 4). It comes again by itself."""

    device: str


class LockVehicle(Message, frozen=True):
    """Lock or unlock the doors (0x8500)."""

    device: str
    locked: bool


class WriteFence(Message, frozen=True):
    """Have the terminal judge a fence by itself (0x8600, 0x8602, 0x8604, 0x8606), under `number`; one that it has by
    that number is to be erased first. `kind`, `points`, `metres` as of a fence; `begins` and `ends` local times of each
    day (`hhmmss`), both empty: always."""

    device: str
    number: int
    kind: str
    points: tuple[tuple[float, float], ...]
    metres: float
    on_enter: bool = False
    on_leave: bool = False
    speed_kmh: int = 0
    speed_seconds: int = 0
    begins: str = ""
    ends: str = ""
    name: str = ""


class EraseFence(Message, frozen=True):
    """Have it forget the fence of that kind and number (0x8601, 0x8603, 0x8605, 0x8607)."""

    device: str
    number: int
    kind: str


class ConfirmAlarms(Message, frozen=True):
    """Somebody took notice of alarms, by their bits (0x8203): the terminal need not go on reporting them."""

    device: str
    alarms: int


class SayTerminal(Message, frozen=True):
    """A message of JT/T 808 or JT/T 1078 as it stands there, by its id and the names of its fields (bytes are
    hexadecimal digits): parameters, properties, pictures taken, alarms confirmed, transparent data, the list of its
    recordings, uploads to an FTP server. Answer: TerminalSaid; besides the errors above `terminal_message`,
    `terminal_field`, `terminal_not_said`, `terminal_out_of_reach`, `terminal_listeners`."""

    device: str
    message: int
    fields: dict[str, Any] = {}


class TerminalSaid(Message, frozen=True):
    """The terminal's answer: `message` is its id, 0: nothing but a yes."""

    message: int = 0
    fields: dict[str, Any] = {}


class AskPassed(Message, frozen=True):
    """What came through it last from whatever stands behind it. Answer: TerminalPassed; of one that is not known here
    there is nothing."""

    device: str


class PassedUp(Message, frozen=True):
    """One message (0x0900): when it came (microseconds UTC), its kind as the standard numbers it (0 GNSS, 11 card, 65
    and 66 serial ports, from 240 own), its bytes as far as they are kept, and how many it had."""

    at: int
    kind: int
    size: int
    data: bytes


class TerminalPassed(Message, frozen=True):
    """The last of them, newest first, and the terminal's public RSA key (0x0A00) {e, n}, which it told at `key_at`; 0:
    none."""

    items: tuple[PassedUp, ...] = ()
    e: int = 0
    n: bytes = b""
    key_at: int = 0


class PhotographFrom(Message, frozen=True):
    """Take one picture now with the camera of that logical number, and send it (0x8801). It comes as `KeepMedia`. Also
    RefusedError `terminal_no_camera`."""

    device: str
    channel: int


class TerminalDid(Message, frozen=True):
    """The terminal did it. `locked`: what it says of its doors, `place`: where it says it is (longitude, latitude),
    where the answer tells them. `media`: its own numbers of the pictures that it took; some do not tell."""

    locked: bool | None = None
    place: tuple[float, float] | None = None
    media: tuple[int, ...] = ()


Order = (
    TellDriver
    | TrackVehicle
    | LocateVehicle
    | RestartTerminal
    | LockVehicle
    | ConfirmAlarms
    | WriteFence
    | EraseFence
    | PhotographFrom
)


class KeepMedia(Message, frozen=True):
    """What a terminal took and sent whole (0x0801), for control to keep. Said again it is the same. Answer: Done, once
    it is durable; NotFoundError for a vehicle that is not there, ExhaustedError `vehicle_media_full`.

    number      the terminal's own, which begins anew when it is switched on
    channel     logical number of the camera or microphone
    kind        `picture`, `sound` or `video`, else the standard's number
    format      `jpeg`, `tif`, `mp3`, `wav` or `wmv` as the terminal says, else the standard's number
    cause       `ordered`, `timer`, `robbery`, `collision`, `door_opens`, `door_closes`, `moves_off`, `distance`, else
                the standard's number
    at, seen    when it was taken, as far as that can be believed, and when it came: microseconds UTC
    longitude, latitude   where, in degrees; None where that is not known
    """

    device: str
    number: int
    channel: int
    kind: str
    format: str
    cause: str
    at: int
    seen: int
    data: bytes
    longitude: float | None = None
    latitude: float | None = None


class KeepAttachment(Message, frozen=True):
    """A file of an alarm of active safety (T/JSATL 12-2017) that has come whole, for control to keep: it reads the
    bytes by ReadAttachment while it is asked. Said again it is the same. Answer: Done, once it is durable; errors as of
    KeepMedia, InvalidError `attachment_differs` where the bytes are others than was said.

    number      the terminal's own, of the alarm
    event       id of the fact that the alarm was raised by
    name        the file's, as the terminal has it
    channel     logical number of the camera or microphone, as its name tells; 0: it does not
    kind        `picture`, `sound`, `video` or `file`
    format      after the name's ending, `bin` where it has none that is known
    at, seen    of the alarm, and when it was whole here: microseconds UTC
    size, digest   bytes, and their SHA-256
    spool       names them to ReadAttachment
    longitude, latitude   of the alarm, in degrees; None where that is not known
    """

    device: str
    number: int
    event: str
    name: str
    kind: str
    format: str
    at: int
    seen: int
    size: int
    digest: bytes
    spool: str
    longitude: float | None = None
    latitude: float | None = None
    channel: int = 0


class ReadAttachment(Message, frozen=True):
    """What stands from `offset` on of a file that is about to be kept. Answer: AttachmentBytes; NotFoundError for one
    that is not here any more."""

    spool: str
    offset: int


class AttachmentBytes(Message, frozen=True):
    """Some of its bytes, at most 512 KiB; none: it ends there."""

    data: bytes
