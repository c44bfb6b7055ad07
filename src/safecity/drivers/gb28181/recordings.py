"""What a device itself has recorded: RecordInfo, its files put in order of time."""

from __future__ import annotations

from safecity.drivers.gb28181.asking import Asker, Reply
from safecity.drivers.gb28181.directory import Directory
from safecity.kit.errors import InvalidError
from safecity.model.facts.signal_calls import AskRecordings, DeviceRecording, DeviceRecordings
from safecity.protocols.gb28181.answers import RecordItem
from safecity.protocols.gb28181.queries import RecordInfoQuery
from safecity.protocols.gb28181.times import local_text, parse_local

KINDS = ("all", "time", "alarm", "manual")
MOST = 2000
"""Files in one answer; whoever wants more asks for a shorter stretch."""


async def find_recordings(directory: Directory, asker: Asker, wish: AskRecordings) -> DeviceRecordings:
    """Ask and wait; InvalidError (`gb_bad_window`) for a window that is none."""
    channel, device = directory.channel(wish.channel)
    if not wish.start < wish.end or wish.kind not in KINDS:
        raise InvalidError("recordings of no time", code="gb_bad_window", params={"hours": 0})
    query = RecordInfoQuery(
        sn=device.next_sn(),
        device_id=channel.code,
        start_time=local_text(wish.start),
        end_time=local_text(wish.end),
        secrecy=0,
        type=wish.kind,
        indistinct_query=0,
    )
    return put_in_order(await asker.ask(device, query))


def put_in_order(reply: Reply) -> DeviceRecordings:
    """Files that say when they are; those that do not cannot be played either."""
    found = sorted(
        (one for one in map(_recording, reply.items) if one is not None), key=lambda one: (one.start, one.end)
    )
    return DeviceRecordings(tuple(found[:MOST]), reply.complete and len(found) <= MOST, reply.received, reply.total)


def _recording(item: RecordItem) -> DeviceRecording | None:
    start, end = parse_local(item.start_time), parse_local(item.end_time)
    if start is None or end is None or start >= end:
        return None
    return DeviceRecording(
        start=start,
        end=end,
        name=(item.name or "")[:128],
        kind=(item.type or "")[:16],
        path=(item.file_path or "")[:256],
        bytes=max(0, item.file_size or 0),
    )
