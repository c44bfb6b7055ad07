"""What one asks of a media slot (address `media-N`), and what it answers.

Fields are only ever added at the end. Times are microseconds UTC, intervals half-open.
"""

from __future__ import annotations

from msgspec import Struct

from safecity.model.values.media import Quality


class Message(Struct, frozen=True, tag=True, array_like=True):
    """Base of everything that travels over Calls."""


class Done(Message, frozen=True):
    """It is done, there is nothing more to say."""


class Failed(Message, frozen=True):
    """It failed; `code` and `params` are those of `kit.errors`, raised again on the caller's side."""

    kind: str
    code: str
    message: str
    params: dict[str, str | int | float | bool | None] = {}


# --- what a slot is told -------------------------------------------------------------------------------------


class Span(Message, frozen=True):
    """A weekly span of a schedule: weekday 0 is Monday, minutes of the local day, half-open."""

    weekday: int
    start_minute: int
    end_minute: int


class RecordPolicy(Message, frozen=True):
    """How one channel is kept. `mode` is `off`, `continuous` or `schedule`.

    `retention_days` 0 and `max_bytes` 0 mean no limit of that kind; `floor_days` is what other channels may never
    take away. `zone` is an IANA name, for the schedule.
    """

    mode: str = "continuous"
    quality: Quality = Quality.MAIN
    schedule: tuple[Span, ...] = ()
    zone: str = "Asia/Shanghai"
    pre_roll_seconds: int = 10
    post_roll_seconds: int = 30
    retention_days: int = 30
    max_bytes: int = 0
    floor_days: int = 1
    priority: int = 3


class RtspSource(Message, frozen=True):
    """Pulled by the slot itself. `url` carries no credentials; `transport` is `auto`, `tcp` or `udp`."""

    url: str
    username: str = ""
    password: str = ""
    transport: str = "auto"


class PushedSource(Message, frozen=True):
    """Somebody else (duty `signal`) opens it with PrepareStream; the slot only receives."""


class StartRecording(Message, frozen=True):
    """On demand, until `until` (0: until StopRecording), beginning `pre_roll_seconds` ago. Answer: Done."""

    channel: str
    until: int = 0
    pre_roll_seconds: int = 10
    reason: str = "manual"


class Assignment(Message, frozen=True):
    """A channel entrusted to a slot; persisted by the slot, which resumes it without control.

    A slot refuses a lower epoch than it has seen for the channel. `always` names the qualities that are kept
    open although nobody watches (recording wants them). `demand` is the recording that somebody started by hand: it
    follows the channel to whichever slot it goes to.
    """

    channel: str
    epoch: int
    sources: dict[str, RtspSource | PushedSource]
    record: RecordPolicy
    always: tuple[Quality, ...] = ()
    demand: StartRecording | None = None


class ApplyAssignments(Message, frozen=True):
    """The whole truth for this slot: channels not named are released. Answer: Applied.

    What does not fit into one message comes in `parts` of one revision, numbered from 0; nothing happens before the
    last of them came. `holds` are all that are in force (one that is not named is not released by that), `released`
    those that were released lately: a slot that was away when it was told hears of it here.
    """

    revision: int
    assignments: tuple[Assignment, ...]
    part: int = 0
    parts: int = 1
    holds: tuple[PlaceHold, ...] = ()
    released: tuple[str, ...] = ()


class StaleEpoch(Message, frozen=True):
    """`epoch` of a channel was told, but `seen` was seen before."""

    channel: str
    epoch: int
    seen: int


class Applied(Message, frozen=True):
    """All of it counts but for `refused`: of those channels the slot keeps to what it was told under a higher epoch."""

    refused: tuple[StaleEpoch, ...] = ()


class VolumeSpec(Message, frozen=True):
    """Where to record. `layout` is `channel`, `shared` or `auto`."""

    name: str
    path: str
    max_bytes: int = 0
    layout: str = "auto"
    extent_bytes: int = 64 * 1024 * 1024


class SlotSettings(Message, frozen=True):
    """Pushed by control at each (re)connect and persisted. Answer: Done.

    ticket_keys: newest first, 32 bytes each, HMAC-SHA-256. public_host: what viewers and cameras can reach.
    """

    platform: str
    ticket_keys: tuple[bytes, ...]
    volumes: tuple[VolumeSpec, ...]
    public_host: str = ""


# --- opening a pushed stream (specs/processes.md, point 8) ----------------------------------------------------


class PrepareStream(Message, frozen=True):
    """Make ready to receive. `transport` is `udp`, `tcp_passive`, `tcp_active`, `jt1078` or `jt1078_udp`. Answer:
    Prepared.

    Preparing a stream that already runs replaces it once packets of the new ssrc arrive. For `jt1078` no ssrc counts:
    packets name `terminal` (its phone number) and `number` (of its channel), and `remote_host` is where that terminal
    is known to be (empty: nowhere); what ran before is given up. `aal2`: it packs G.726 with the first sample in the
    highest bits of a byte.
    """

    channel: str
    quality: Quality
    ssrc: int
    transport: str = "udp"
    terminal: str = ""
    number: int = 0
    remote_host: str = ""
    aal2: bool = False


class Prepared(Message, frozen=True):
    """Write this into the SDP: `port` belongs to this slot (0.. for tcp_active: 9)."""

    port: int


class ConfirmStream(Message, frozen=True):
    """The device answered 200: these are its words. Answer: Done.

    `remote_host`/`remote_port` are dialled for tcp_active and pin the source otherwise (host may be wrong
    behind NAT: it is a hint). `ssrc` is the y= of the answer, trusted over ours.
    """

    channel: str
    quality: Quality
    ssrc: int
    remote_host: str = ""
    remote_port: int = 0


class CloseStream(Message, frozen=True):
    """Stop receiving (BYE was sent or received, or INVITE failed). Answer: Done."""

    channel: str
    quality: Quality
    reason: str = ""
    params: dict[str, str | int | float | bool | None] = {}


class WatchStreams(Message, frozen=True):
    """A streaming call: first one StreamState for each stream the slot knows, then each change."""


class StreamState(Message, frozen=True):
    """`state` is `idle`, `opening`, `running` or `lost`; `step` is the failure code in words of the catalogue.

    wanted: somebody needs it now (recording or viewers). A pushed stream that is wanted and not running is to
    be opened by signal; one that has not been wanted for 15 s may be closed.
    """

    channel: str
    quality: Quality
    state: str
    wanted: bool
    step: str = ""
    params: dict[str, str | int | float | bool | None] = {}
    viewers: int = 0
    since: int = 0
    recording: bool = False


# --- figures, recording and search ----------------------------------------------------------------------------


class AskStreams(Message, frozen=True):
    """Answer: StreamFigures, of at most `limit` streams (0: of all) behind `after`, a `next` of an earlier answer."""

    after: str = ""
    limit: int = 0


class StreamFigure(Message, frozen=True):
    """Counters since the stream opened, rates over the last 5 s."""

    channel: str
    quality: Quality
    state: str
    step: str
    codec: str
    width: int
    height: int
    bits_per_second: float
    frames_per_second: float
    last_frame_at: int
    packets: int
    packets_lost: int
    units: int
    units_damaged: int
    viewers: int
    recording: bool
    transport: str
    audio: str = ""
    opened_at: int = 0
    reconnects: int = 0
    params: dict[str, str | int | float | bool | None] = {}


class VolumeFigure(Message, frozen=True):
    """`state` is `ready`, `full`, `offline`, `failed`; `mode` is `direct` or `buffered`."""

    name: str
    path: str
    state: str
    layout: str
    mode: str
    total_bytes: int
    free_bytes: int
    recorded_bytes: int
    held_bytes: int
    code: str = ""


class StreamFigures(Message, frozen=True):
    """Of a slot. `next` is not empty while there are more streams; `accepts_failed` counts connections of devices that
    could not be taken because the process may open no more files, `intruders` those that named a vehicle terminal which
    nobody expected there, `facts_waiting` what control was not told yet, `facts_dropped` what it never will be.
    """

    streams: tuple[StreamFigure, ...]
    volumes: tuple[VolumeFigure, ...]
    loop_lag_ms: float
    udp_drops: int = 0
    accepts_failed: int = 0
    next: str = ""
    facts_waiting: int = 0
    facts_dropped: int = 0
    intruders: int = 0


class StopRecording(Message, frozen=True):
    """End what StartRecording began, after the post-roll. Answer: Done."""

    channel: str


class AskTimeline(Message, frozen=True):
    """Answer: Timeline of the channel within [start, end), joined to spans at least `resolution_ms` apart."""

    channel: str
    start: int
    end: int
    resolution_ms: int = 2000


class Piece(Message, frozen=True):
    """A stretch of footage. `origin` is `live` or `backfill`."""

    start: int
    end: int
    held: bool = False
    origin: str = "live"
    bytes: int = 0


class Gap(Message, frozen=True):
    """A stretch without footage and why: network, camera, disk, overload, maintenance, schedule, deleted, unknown."""

    start: int
    end: int
    cause: str
    detail: str = ""


class Timeline(Message, frozen=True):
    """Pieces and gaps in order."""

    channel: str
    pieces: tuple[Piece, ...]
    gaps: tuple[Gap, ...]


class AskDays(Message, frozen=True):
    """Which days of [start, end) have footage; days cut at `offset_minutes` from UTC. Answer: Days."""

    channel: str
    start: int
    end: int
    offset_minutes: int = 480


class Days(Message, frozen=True):
    """Starts of days, microseconds UTC."""

    days: tuple[int, ...]


class PlaceHold(Message, frozen=True):
    """Keep [start, end) of the channel whatever retention says. Answer: Done."""

    hold: str
    channel: str
    start: int
    end: int
    reason: str = ""


class ReleaseHold(Message, frozen=True):
    """Answer: Done, also when it is gone already."""

    hold: str


class AskPicture(Message, frozen=True):
    """The key frame at or before `at` (0: the newest of the live ring). Answer: Picture."""

    channel: str
    at: int = 0
    quality: Quality = Quality.MAIN


class Picture(Message, frozen=True):
    """An fMP4 of one coded picture: init segment and one fragment, to be decoded elsewhere."""

    at: int
    codec: str
    fmp4: bytes


class EndSessions(Message, frozen=True):
    """Close every media connection of these sessions within a second. Answer: Done."""

    sessions: tuple[str, ...]


class EraseRange(Message, frozen=True):
    """Delete footage on request (reason required, held footage refused). Answer: Done."""

    channel: str
    start: int
    end: int
    reason: str
