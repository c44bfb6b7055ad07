"""The resources of a view library (GA/T 1400.4, chapter 7), as a table: paths, names, methods, what must be there.

`required` is what the ministry's trial paper of 2018 asks for; the reader never insists on more than the identifier,
the writer insists on all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_BATCH = frozenset({"GET", "POST", "PUT", "DELETE"})
_READ = frozenset({"GET"})
_SINGLE = frozenset({"GET", "PUT", "DELETE"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """One kind of object.

    path       after `/VIID/`
    name       `X` of `XListObject.XObject[]`
    key        the field with its identifier
    batch, single   methods on the list and on one; `data` has `/Info` and `/Data` (two-step upload) too
    times      fields of which the first that is there says when it happened
    personal   tells of a person: kept shorter, shown to fewer
    """

    path: str
    name: str
    key: str
    batch: frozenset[str] = _BATCH
    single: frozenset[str] = _SINGLE
    required: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    data: bool = False
    info: bool = False
    personal: bool = False


_BOX = ("LeftTopX", "LeftTopY", "RightBtmX", "RightBtmY")
_SHOT = ("ShotTime", "MarkTime", "AppearTime", "LocationMarkTime")

_TABLE: Final = (
    Resource(path="VIIDServers", name="VIIDServer", key="VIIDServerID"),
    Resource(
        path="APEs", name="APE", key="ApeID", batch=_READ | {"PUT", "POST"}, single=_READ,
        required=("ApeID", "Name", "Model", "IPAddr", "Port", "Longitude", "Latitude", "PlaceCode", "IsOnline",
                  "FunctionType"),
    ),
    Resource(path="APEStatuses", name="APEStatus", key="ApeID", batch=_READ, single=_READ, times=("CurrentTime",)),
    Resource(path="APSs", name="APS", key="ApsID", batch=_READ, single=_READ, required=("ApsID", "Name", "IsOnline")),
    Resource(path="APSStatuses", name="APSStatus", key="ApsID", batch=_READ, single=_READ, times=("CurrentTime",)),
    Resource(
        path="Tollgates", name="Tollgate", key="TollgateID", batch=_READ, single=_READ,
        required=("TollgateID", "Name", "Longitude", "Latitude", "PlaceCode", "Status", "TollgateCat", "TollgateUsage"),
    ),
    Resource(
        path="Lanes", name="Lane", key="LaneId", batch=_READ, single=_READ,
        required=("TollgateID", "LaneId", "LaneNo", "Name", "Direction"),
    ),
    Resource(path="Persons", name="Person", key="PersonID", times=(*_SHOT, "PersonAppearTime"), personal=True,
             required=("PersonID", "InfoKind", "SourceID", "DeviceID")),
    Resource(path="Faces", name="Face", key="FaceID", times=("ShotTime", "FaceAppearTime", "LocationMarkTime"),
             personal=True, required=("FaceID", "InfoKind", "SourceID", "DeviceID", *_BOX)),
    Resource(
        path="MotorVehicles", name="MotorVehicle", key="MotorVehicleID", times=("PassTime", *_SHOT),
        required=("MotorVehicleID", "InfoKind", "SourceID", "DeviceID", "PassTime", "StorageUrl1", *_BOX, "HasPlate",
                  "PlateClass", "PlateColor", "PlateNo", "VehicleColor"),
    ),
    Resource(path="NonMotorVehicles", name="NonMotorVehicle", key="NonMotorVehicleID", times=_SHOT, personal=True,
             required=("NonMotorVehicleID", "InfoKind", "SourceID", "DeviceID")),
    Resource(path="Things", name="Thing", key="ThingID", times=_SHOT, required=("ThingID", "InfoKind", "SourceID")),
    Resource(path="Scenes", name="Scene", key="SceneID", times=_SHOT, required=("SceneID", "InfoKind", "SourceID")),
    Resource(path="VideoSlices", name="VideoSlice", key="VideoID", times=("BeginTime", "ShotTime"), data=True),
    Resource(path="Images", name="Image", key="ImageID", times=("ShotTime",), data=True),
    Resource(path="Files", name="File", key="FileID", times=("SubmiterTime", "EntryTime"), data=True),
    Resource(path="Cases", name="Case", key="CaseID", times=("CaseTime", "EntryTime"), info=True, personal=True),
    Resource(
        path="Dispositions", name="Disposition", key="DispositionID", times=("CreatTime", "BeginTime"), personal=True,
        required=("DispositionID", "Title", "DispositionCategory", "TargetFeature", "PriorityLevel", "ApplicantName",
                  "ApplicantOrg", "BeginTime", "EndTime", "CreatTime", "OperateType", "DispositionStatus"),
    ),
    Resource(
        path="DispositionNotifications", name="DispositionNotification", key="NotificationID",
        batch=frozenset({"GET", "POST", "DELETE"}), single=frozenset({"GET", "DELETE"}), times=("TriggerTime",),
        personal=True, required=("NotificationID", "DispositionID", "Title", "TriggerTime"),
    ),
    Resource(
        path="Subscribes", name="Subscribe", key="SubscribeID", times=("BeginTime",),
        required=("SubscribeID", "Title", "SubscribeDetail", "ApplicantName", "ApplicantOrg", "BeginTime", "EndTime",
                  "ReceiveAddr", "OperateType", "SubscribeStatus"),
    ),
    Resource(
        path="SubscribeNotifications", name="SubscribeNotification", key="NotificationID",
        batch=frozenset({"GET", "POST", "DELETE"}), single=frozenset(), times=("TriggerTime",),
        required=("NotificationID", "SubscribeID", "Title", "TriggerTime", "InfoIDs"),
    ),
    Resource(path="AnalysisRules", name="AnalysisRule", key="RuleID"),
    Resource(path="VideoLabels", name="VideoLabel", key="VideoLabelID", times=_SHOT),
    Resource(path="VehiclesFlows", name="VehiclesFlow", key="FlowID", batch=frozenset({"POST"}), single=frozenset(),
             times=("StatTime", "EndTime")),
)  # fmt: skip

RESOURCES: Final = {one.path.lower(): one for one in _TABLE}
BY_NAME: Final = {one.name: one for one in _TABLE}

NOTIFIED: Final = {
    "DeviceList": "APE",
    "DeviceStatusList": "APEStatus",
    "APSObjectList": "APS",
    "APSStatusObjectList": "APSStatus",
    "TollgateObjectList": "Tollgate",
    "LaneObjectList": "Lane",
    "PersonObjectList": "Person",
    "FaceObjectList": "Face",
    "MotorVehicleObjectList": "MotorVehicle",
    "NonMotorVehicleObjectList": "NonMotorVehicle",
    "ThingObjectList": "Thing",
    "SceneObjectList": "Scene",
    "CaseObjectList": "Case",
    "FileObjectList": "File",
    "VehiclesFlowListObject": "VehiclesFlow",
}
"""What a notification may carry, by the name of its list."""

DETAILS: Final = {
    "Case": (1, 2), "APE": (3,), "APEStatus": (4,), "APS": (5,), "APSStatus": (6,), "Tollgate": (7, 8), "Lane": (9, 10),
    "Person": (11,), "Face": (12,), "MotorVehicle": (13,), "NonMotorVehicle": (14,), "Thing": (15,), "File": (16,),
}  # fmt: skip
"""Numbers of `SubscribeDetail` that ask for a kind."""
