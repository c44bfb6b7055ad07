"""Everything a person can do, and which role may do it. The same words stand in the API, the audit and on buttons."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Action(StrEnum):
    """`<kind>.<verb>`; every route of the API declares one."""

    CHANNEL_SEE = "channel.see"
    CHANNEL_CHANGE = "channel.change"
    LIVE_WATCH = "live.watch"
    PLAYBACK_WATCH = "playback.watch"
    PTZ_STEER = "ptz.steer"
    RECORDING_START = "recording.start"
    HOLD_SEE = "hold.see"
    HOLD_PLACE = "hold.place"
    HOLD_RELEASE = "hold.release"
    EXPORT_SEE = "export.see"
    EXPORT_MAKE = "export.make"
    EXPORT_DELETE = "export.delete"
    DEVICE_SEE = "device.see"
    DEVICE_ADD = "device.add"
    DEVICE_CHANGE = "device.change"
    DEVICE_DELETE = "device.delete"
    AREA_SEE = "area.see"
    AREA_CHANGE = "area.change"
    ORGANISATION_SEE = "organisation.see"
    ORGANISATION_CHANGE = "organisation.change"
    ALARM_SEE = "alarm.see"
    ALARM_ACKNOWLEDGE = "alarm.acknowledge"
    ALARM_REPORT = "alarm.report"
    VIEW_SEE = "view.see"
    VIEW_CHANGE = "view.change"
    HEALTH_SEE = "health.see"
    AUDIT_SEE = "audit.see"
    USER_SEE = "user.see"
    USER_CHANGE = "user.change"
    SESSION_SEE = "session.see"
    SESSION_END = "session.end"
    SETTINGS_SEE = "settings.see"
    SETTINGS_CHANGE = "settings.change"
    SEARCH = "search"
    TOLLGATE_SEE = "tollgate.see"
    TOLLGATE_CHANGE = "tollgate.change"
    PASSAGE_SEE = "passage.see"
    PASSAGE_SEE_RESTRICTED = "passage.see_restricted"
    PASSAGE_REPORT = "passage.report"
    SUBSCRIPTION_SEE = "subscription.see"
    SUBSCRIPTION_DECIDE = "subscription.decide"
    WATCH_SEE = "watch.see"
    WATCH_PROPOSE = "watch.propose"
    WATCH_APPROVE = "watch.approve"
    WATCH_WITHDRAW = "watch.withdraw"
    VIOLATION_SEE = "violation.see"
    VIOLATION_REPORT = "violation.report"
    VIOLATION_REVIEW = "violation.review"
    VIOLATION_CONFIRM = "violation.confirm"
    VIOLATION_EXPORT = "violation.export"
    VIOLATION_CHANGE = "violation.change"
    CASE_SEE = "case.see"
    CASE_OPEN = "case.open"
    CASE_WRITE = "case.write"
    CASE_MANAGE = "case.manage"
    CASE_EXPORT = "case.export"
    CASE_DELETE = "case.delete"
    TRAFFIC_SEE = "traffic.see"
    TRAFFIC_CHANGE = "traffic.change"
    TOLL_CHANGE = "toll.change"
    VEHICLE_MESSAGE = "vehicle.message"
    VEHICLE_TRACK = "vehicle.track"
    VEHICLE_CONTROL = "vehicle.control"
    VEHICLE_REPLAY = "vehicle.replay"
    PHONE_CARRY = "phone.carry"
    FENCE_SEE = "fence.see"
    FENCE_CHANGE = "fence.change"
    SIGN_VIEW = "sign.view"
    SIGN_SHOW = "sign.show"
    SIGN_MANAGE = "sign.manage"


class Role(StrEnum):
    """What a person is, within an area. A supervisor is an operator who approves what others propose; a reporter is a
    machine: it tells what passed, and sees nothing."""

    ADMINISTRATOR = "administrator"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    VIEWER = "viewer"
    REPORTER = "reporter"


class Reach(StrEnum):
    """Whether a role reaches all things of its area, or only what the person owns."""

    ANY = "any"
    OWN = "own"


_OWN: Final = {
    Action.VIEW_CHANGE: Reach.OWN,
    Action.SESSION_SEE: Reach.OWN,
    Action.SESSION_END: Reach.OWN,
}
_VIEWER: Final = {
    **_OWN,
    **dict.fromkeys(
        (
            Action.CHANNEL_SEE,
            Action.LIVE_WATCH,
            Action.PLAYBACK_WATCH,
            Action.AREA_SEE,
            Action.ORGANISATION_SEE,
            Action.ALARM_SEE,
            Action.VIEW_SEE,
            Action.DEVICE_SEE,
            Action.SEARCH,
            Action.TOLLGATE_SEE,
            Action.TRAFFIC_SEE,
            Action.SIGN_VIEW,
        ),
        Reach.ANY,
    ),
}
_OPERATOR: Final = {
    **_VIEWER,
    **dict.fromkeys(
        (
            Action.PTZ_STEER,
            Action.RECORDING_START,
            Action.HOLD_SEE,
            Action.HOLD_PLACE,
            Action.EXPORT_MAKE,
            Action.ALARM_ACKNOWLEDGE,
            Action.ALARM_REPORT,
            Action.HEALTH_SEE,
            Action.PASSAGE_SEE,
            Action.WATCH_SEE,
            Action.WATCH_PROPOSE,
            Action.VIOLATION_SEE,
            Action.VIOLATION_REVIEW,
            Action.TRAFFIC_CHANGE,
            Action.VEHICLE_MESSAGE,
            Action.VEHICLE_TRACK,
            Action.VEHICLE_REPLAY,
            Action.PHONE_CARRY,
            Action.FENCE_SEE,
            Action.SIGN_SHOW,
            Action.CASE_SEE,
            Action.CASE_OPEN,
            Action.CASE_WRITE,
        ),
        Reach.ANY,
    ),
    Action.CASE_MANAGE: Reach.OWN,
    Action.CASE_EXPORT: Reach.OWN,
    Action.EXPORT_SEE: Reach.OWN,
    Action.EXPORT_DELETE: Reach.OWN,
    Action.WATCH_WITHDRAW: Reach.OWN,
}
_SUPERVISOR: Final = {
    **_OPERATOR,
    **dict.fromkeys(
        (
            Action.WATCH_APPROVE,
            Action.WATCH_WITHDRAW,
            Action.VIOLATION_CONFIRM,
            Action.VIOLATION_EXPORT,
            Action.VIOLATION_CHANGE,
            Action.VEHICLE_CONTROL,
            Action.FENCE_CHANGE,
            Action.CASE_MANAGE,
            Action.CASE_EXPORT,
            Action.CASE_DELETE,
        ),
        Reach.ANY,
    ),
}
REACHES: Final[dict[Role, dict[Action, Reach]]] = {
    Role.REPORTER: {
        Action.SESSION_END: Reach.OWN,
        Action.PASSAGE_REPORT: Reach.ANY,
        Action.VIOLATION_REPORT: Reach.ANY,
    },
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.ADMINISTRATOR: dict.fromkeys(Action, Reach.ANY),
}
