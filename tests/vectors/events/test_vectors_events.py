"""Golden events: what was once said is understood for ever, and what is said now still says it.

One file per kind and version, `KIND.vN.json`. The envelope and a body may gain fields; a field that goes, or changes
its type, is a new kind or version with a file of its own beside the old one (docs/design/0004-events.md).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

import safecity
from safecity.media.record.facts import FootageDamaged, GapClosed, GapOpened, VolumeChanged
from safecity.media.slot.facts import of_recorder, of_stream, of_viewing
from safecity.media.streams import LOST, RUNNING, Stream
from safecity.model.facts.envelope import Event
from safecity.model.values.media import Quality, StreamKey
from safecity.model.values.ticket import Ticket
from safecity.vision.slot import decoder_died

HERE = Path(__file__).parent
SOURCE = Path(safecity.__file__).parent
GOLDEN = sorted(HERE.glob("*.json"))
KEY = StreamKey("ch_01m89ph1kte3svjyyb7bs4gb30", Quality.MAIN)
NOW = 1_790_000_000_000_000
SAID_BY_CONTROL = {
    "clock.measured", "passage.recorded", "passage.withdrawn", "traffic.jam_began", "traffic.jam_ended",
    "traffic.incident_began", "traffic.incident_changed", "traffic.incident_dismissed", "traffic.incident_ended",
    "fence.breach_began", "fence.breach_ended", "vehicle.theft_suspected", "vehicle.theft_over",
    "sign.failed", "sign.recovered",
}  # fmt: skip
"""Held against their golden events where the clock is told to go wrong (tests/unit/timekeeping), where vehicles pass
(tests/unit/passages), where they stand (tests/unit/traffic), where fences ring
(tests/unit/web/test_web_fences.py), and where signs fail (tests/contract/test_sign_wire.py)."""
_SAID = re.compile(
    r"(?:publish|event|Event)\((?:[^()\"]*, |kind=)?\"([a-z]+\.[a-z_]+)\""
    r"|: \"([a-z]+\.[a-z]+)\",$|kind = \"([a-z]+\.[a-z_]+)\"|else \"([a-z]+\.[a-z_]+)\""
    r"|^[A-Z_, ]+ = \"([a-z]+\.(?!onnx)[a-z_]+)\", \"([a-z]+\.[a-z_]+)\"$",
    re.MULTILINE,
)


def golden(kind: str) -> dict[str, Any]:
    return json.loads((HERE / f"{kind}.v1.json").read_text("utf-8"))


def shape(value: Any) -> Any:
    """Names and JSON types, not values."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value[:1]]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def keeps(old: Any, new: Any) -> bool:
    """Whether everything that `old` has is in `new`; what was null may be anything and the other way round."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(name in new and keeps(one, new[name]) for name, one in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return not old or not new or keeps(old[0], new[0])
    return old == new or "NoneType" in (old, new)


def said_by_slots() -> list[Event]:
    """One of each kind that a media or a vision slot tells."""
    lost, back = Stream(KEY), Stream(KEY)
    lost.tell(LOST, NOW, "gb_no_packet", {"port": 10_000})
    back.tell(RUNNING, NOW)
    ticket = Ticket("se_1", "us_1", KEY.channel, "live", Quality.MAIN, NOW // 1_000_000)
    facts = [
        GapOpened(KEY, NOW, "network", ""),
        GapClosed(KEY, NOW, NOW + 1, "network", ""),
        VolumeChanged("main", "failed", "volume_write_failed"),
        FootageDamaged(KEY, NOW, "main", "e-7.sce"),
    ]
    streams = [of_stream("p/media-0", stream, NOW) for stream in (lost, back)]
    died = decoder_died("/vision-0", KEY.channel, KEY.quality, "-6", NOW)
    return [*streams, *of_recorder("p/media-0", facts, NOW), of_viewing("p/media-0", ticket, 2.5, NOW), died]


def test_every_kind_that_is_said_has_a_golden_event() -> None:
    said: set[str] = set()
    for part in (
        "drivers", "media/slot", "vision", "core/ground/timekeeping", "core/ground/passages", "core/upper/traffic",
            "core/upper/fleet", "core/ground/signs",
    ):  # fmt: skip
        for file in (SOURCE / part).rglob("*.py"):
            said |= {kind for found in _SAID.findall(file.read_text("utf-8")) for kind in found if kind}
    assert said == {path.name.split(".v")[0] for path in GOLDEN}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_event_is_read_and_written_back_unchanged(path: Path) -> None:
    text = path.read_bytes()
    event = msgspec.json.decode(text, type=Event)
    assert f"{event.kind}.v{event.version}.json" == path.name
    written = json.loads(msgspec.json.encode(event))
    assert {name: written[name] for name in json.loads(text)} == json.loads(text)
    new = written.keys() - json.loads(text).keys()
    assert all(written[name] in ("", 0) for name in new), "what the envelope has gained says nothing of old events"
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(event), type=Event) == event


@pytest.mark.parametrize("event", said_by_slots(), ids=lambda event: event.kind)
def test_a_slot_still_says_all_that_it_said(event: Event) -> None:
    assert keeps(shape(golden(event.kind)["body"]), shape(event.body)), event.body
