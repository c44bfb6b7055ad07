"""Bodies as the standard's examples and real devices have them: read to typed values, written back unchanged."""

from __future__ import annotations

import inspect

import msgspec
import pytest

from safecity.kit.errors import InvalidError
from safecity.protocols.gb28181 import answers, controls, notices, queries
from safecity.protocols.gb28181.answers import (
    AlarmStatusItem,
    BasicParam,
    CatalogResponse,
    ConfigDownloadResponse,
    CruisePoint,
    CruiseTrackResponse,
    DeviceStatusResponse,
    HomePositionItem,
    PresetItem,
    PresetResponse,
    RecordInfoResponse,
    RecordItem,
    SdCardItem,
    SdCardStatusResponse,
)
from safecity.protocols.gb28181.body import Body, OtherBody
from safecity.protocols.gb28181.catalog import CatalogItem, ItemInfo
from safecity.protocols.gb28181.controls import ControlInfo, DeviceControl, DragZoom, PreciseControl, PtzParameters
from safecity.protocols.gb28181.manscdp import BODIES, command_of, read_body, write_body
from safecity.protocols.gb28181.notices import (
    AlarmInfo,
    AlarmNotify,
    AlarmParameters,
    BroadcastNotify,
    CatalogNotify,
    Keepalive,
    MediaStatus,
    MobilePositionNotify,
    PositionItem,
    UploadSnapShotFinished,
)
from safecity.protocols.gb28181.queries import CatalogQuery, PtzPositionQuery, RecordInfoQuery, SdCardStatusQuery

D = "34020000001180000001"
C = "34020000001310000001"


def document(*lines: str) -> bytes:
    return "\r\n".join(['<?xml version="1.0" encoding="GB2312"?>', *lines, ""]).encode("gb18030")


VECTORS: list[tuple[bytes, Body]] = [
    (
        document(
            "<Notify>", "<CmdType>Keepalive</CmdType>", "<SN>43</SN>", f"<DeviceID>{D}</DeviceID>",
            "<Status>OK</Status>", "<Info>", f"<DeviceID>{C}</DeviceID>", f"<DeviceID>{D}</DeviceID>", "</Info>",
            "</Notify>",
        ),
        Keepalive(sn=43, device_id=D, status="OK", info={"DeviceID": [C, D]}),
    ),
    (
        document(
            "<Notify>", "<CmdType>Alarm</CmdType>", "<SN>1</SN>", f"<DeviceID>{C}</DeviceID>",
            "<AlarmPriority>1</AlarmPriority>", "<AlarmMethod>5</AlarmMethod>",
            "<AlarmTime>2026-01-02T03:04:05</AlarmTime>", "<AlarmDescription>越界</AlarmDescription>",
            "<Longitude>118.376</Longitude>", "<Latitude>31.326</Latitude>", "<Info>", "<AlarmType>6</AlarmType>",
            "<AlarmTypeParam>", "<EventType>1</EventType>", "</AlarmTypeParam>", "</Info>", "</Notify>",
        ),
        AlarmNotify(
            sn=1, device_id=C, alarm_priority="1", alarm_method="5", alarm_time="2026-01-02T03:04:05",
            alarm_description="越界", longitude=118.376, latitude=31.326,
            info=AlarmInfo(alarm_type="6", alarm_type_param=AlarmParameters(event_type=1)),
        ),
    ),
    (
        document(
            "<Query>", "<CmdType>Catalog</CmdType>", "<SN>17430</SN>", f"<DeviceID>{D}</DeviceID>", "</Query>"
        ),
        CatalogQuery(sn=17430, device_id=D),
    ),
    (
        document(
            "<Response>", "<CmdType>Catalog</CmdType>", "<SN>17430</SN>", f"<DeviceID>{D}</DeviceID>",
            "<SumNum>2</SumNum>", '<DeviceList Num="1">', "<Item>", f"<DeviceID>{C}</DeviceID>",
            "<Name>解放路口东</Name>", "<Manufacturer>Acme</Manufacturer>", "<Model>M1</Model>", "<Owner>Owner</Owner>",
            "<CivilCode>340200</CivilCode>", "<Address>芜湖</Address>", "<Parental>0</Parental>",
            f"<ParentID>{D}/34020000002160000001</ParentID>", "<SafetyWay>0</SafetyWay>",
            "<RegisterWay>1</RegisterWay>", "<Secrecy>0</Secrecy>", "<Status>ON</Status>",
            "<Longitude>118.37</Longitude>", "<Latitude>31.32</Latitude>", "<Info>", "<PTZType>1</PTZType>",
            "<Resolution>6/4</Resolution>", "<DownloadSpeed>1/2/4</DownloadSpeed>",
            "<SVCSpaceSupportMode>1</SVCSpaceSupportMode>", "<MAC>00-11-22-33-44-55</MAC>", "</Info>", "</Item>",
            "</DeviceList>", "</Response>",
        ),
        CatalogResponse(
            sn=17430, device_id=D, sum_num=2,
            device_list=(
                CatalogItem(
                    device_id=C, name="解放路口东", manufacturer="Acme", model="M1", owner="Owner", civil_code="340200",
                    address="芜湖", parental=0, parent_id=f"{D}/34020000002160000001", safety_way=0, register_way=1,
                    secrecy=0, status="ON", longitude=118.37, latitude=31.32,
                    info=ItemInfo(
                        ptz_type=1, resolution="6/4", download_speed="1/2/4", svc_space_support_mode="1",
                        mac="00-11-22-33-44-55",
                    ),
                ),
            ),
        ),
    ),
    (
        document(
            "<Notify>", "<CmdType>Catalog</CmdType>", "<SN>2</SN>", f"<DeviceID>{D}</DeviceID>", "<SumNum>1</SumNum>",
            '<DeviceList Num="1">', "<Item>", f"<DeviceID>{C}</DeviceID>", "<Event>OFF</Event>", "</Item>",
            "</DeviceList>", "</Notify>",
        ),
        CatalogNotify(sn=2, device_id=D, sum_num=1, device_list=(CatalogItem(device_id=C, event="OFF"),)),
    ),
    (
        document(
            "<Query>", "<CmdType>RecordInfo</CmdType>", "<SN>8</SN>", f"<DeviceID>{C}</DeviceID>",
            "<StartTime>2026-01-01T00:00:00</StartTime>", "<EndTime>2026-01-02T00:00:00</EndTime>",
            "<Secrecy>0</Secrecy>", "<Type>all</Type>", "<IndistinctQuery>0</IndistinctQuery>", "</Query>",
        ),
        RecordInfoQuery(
            sn=8, device_id=C, start_time="2026-01-01T00:00:00", end_time="2026-01-02T00:00:00", secrecy=0, type="all",
            indistinct_query=0,
        ),
    ),
    (
        document(
            "<Response>", "<CmdType>RecordInfo</CmdType>", "<SN>8</SN>", f"<DeviceID>{C}</DeviceID>",
            "<Name>NVR</Name>", "<SumNum>1</SumNum>", '<RecordList Num="1">', "<Item>", f"<DeviceID>{C}</DeviceID>",
            "<Name>ch1</Name>", "<FilePath>/r/1</FilePath>", "<StartTime>2026-01-01T00:00:00</StartTime>",
            "<EndTime>2026-01-01T01:00:00</EndTime>", "<Secrecy>0</Secrecy>", "<Type>time</Type>",
            "<FileSize>4294967296</FileSize>", "</Item>", "</RecordList>", "</Response>",
        ),
        RecordInfoResponse(
            sn=8, device_id=C, name="NVR", sum_num=1,
            record_list=(
                RecordItem(
                    device_id=C, name="ch1", file_path="/r/1", start_time="2026-01-01T00:00:00",
                    end_time="2026-01-01T01:00:00", secrecy=0, type="time", file_size=4294967296,
                ),
            ),
        ),
    ),
    (
        document(
            "<Response>", "<CmdType>DeviceStatus</CmdType>", "<SN>3</SN>", f"<DeviceID>{D}</DeviceID>",
            "<Result>OK</Result>", "<Online>ONLINE</Online>", "<Status>OK</Status>", "<Encode>ON</Encode>",
            "<Record>OFF</Record>", "<DeviceTime>2026-01-02T03:04:05</DeviceTime>", '<Alarmstatus Num="1">', "<Item>",
            f"<DeviceID>{C}</DeviceID>", "<DutyStatus>ONDUTY</DutyStatus>", "</Item>", "</Alarmstatus>", "</Response>",
        ),
        DeviceStatusResponse(
            sn=3, device_id=D, result="OK", online="ONLINE", status="OK", encode="ON", record="OFF",
            device_time="2026-01-02T03:04:05",
            alarm_status=(AlarmStatusItem(device_id=C, duty_status="ONDUTY"),),
        ),
    ),
    (
        document(
            "<Response>", "<CmdType>ConfigDownload</CmdType>", "<SN>4</SN>", f"<DeviceID>{D}</DeviceID>",
            "<Result>OK</Result>", "<BasicParam>", "<Name>NVR</Name>", "<Expiration>3600</Expiration>",
            "<HeartBeatInterval>60</HeartBeatInterval>", "<HeartBeatCount>3</HeartBeatCount>", "</BasicParam>",
            "<VideoParamOpt>", "<DownloadSpeed>1/2/4</DownloadSpeed>", "<Resolution>5/6</Resolution>",
            "</VideoParamOpt>", "</Response>",
        ),
        ConfigDownloadResponse(
            sn=4, device_id=D, result="OK",
            basic_param=BasicParam(name="NVR", expiration=3600, heart_beat_interval=60, heart_beat_count=3),
            video_param_opt={"DownloadSpeed": "1/2/4", "Resolution": "5/6"},
        ),
    ),
    (
        document(
            "<Response>", "<CmdType>PresetQuery</CmdType>", "<SN>5</SN>", f"<DeviceID>{C}</DeviceID>",
            "<SumNum>1</SumNum>", '<PresetList Num="1">', "<Item>", "<PresetID>1</PresetID>",
            "<PresetName>门口</PresetName>", "</Item>", "</PresetList>", "</Response>",
        ),
        PresetResponse(
            sn=5, device_id=C, sum_num=1, preset_list=(PresetItem(preset_id="1", preset_name="门口"),)
        ),
    ),
    (
        document(
            "<Response>", "<CmdType>CruiseTrackQuery</CmdType>", "<SN>6</SN>", f"<DeviceID>{C}</DeviceID>",
            "<Number>1</Number>", "<SumNum>1</SumNum>", '<CruisePointList Num="1">', "<CruisePoint>",
            "<PresetIndex>2</PresetIndex>", "<StayTime>10</StayTime>", "<Speed>5</Speed>", "</CruisePoint>",
            "</CruisePointList>", "</Response>",
        ),
        CruiseTrackResponse(
            sn=6, device_id=C, number=1, sum_num=1,
            cruise_point_list=(CruisePoint(preset_index=2, stay_time=10, speed=5),),
        ),
    ),
    (
        document(
            "<Response>", "<CmdType>SDCardStatus</CmdType>", "<SN>7</SN>", f"<DeviceID>{C}</DeviceID>",
            "<SumNum>1</SumNum>", '<SDCardStatusInfo Num="1">', "<Item>", "<ID>1</ID>", "<HddName>sd</HddName>",
            "<Status>ok</Status>", "<Capacity>64000</Capacity>", "<FreeSpace>100</FreeSpace>", "</Item>",
            "</SDCardStatusInfo>", "</Response>",
        ),
        SdCardStatusResponse(
            sn=7, device_id=C, sum_num=1,
            sd_card_status_info=(SdCardItem(id=1, hdd_name="sd", status="ok", capacity=64000, free_space=100),),
        ),
    ),
    (
        document(
            "<Notify>", "<CmdType>MobilePosition</CmdType>", "<SN>9</SN>", f"<DeviceID>{D}</DeviceID>",
            "<Time>2026-01-02T03:04:05</Time>", "<SumNum>1</SumNum>", '<DeviceList Num="1">', "<Item>",
            f"<DeviceID>{C}</DeviceID>", "<CaptureTime>2026-01-02T03:04:05</CaptureTime>",
            "<Longitude>118.37</Longitude>", "<Latitude>31.32</Latitude>", "<Speed>36</Speed>", "</Item>",
            "</DeviceList>", "</Notify>",
        ),
        MobilePositionNotify(
            sn=9, device_id=D, time="2026-01-02T03:04:05", sum_num=1,
            device_list=(
                PositionItem(
                    device_id=C, capture_time="2026-01-02T03:04:05", longitude=118.37, latitude=31.32, speed=36.0
                ),
            ),
        ),
    ),
    (
        document(
            "<Notify>", "<CmdType>UploadSnapShotFinished</CmdType>", "<SN>1</SN>", f"<DeviceID>{C}</DeviceID>",
            "<SessionID>s-1</SessionID>", "<SnapShotList>", "<SnapShotFileID>a</SnapShotFileID>",
            "<SnapShotFileID>b</SnapShotFileID>", "</SnapShotList>", "</Notify>",
        ),
        UploadSnapShotFinished(sn=1, device_id=C, session_id="s-1", snap_shot_list=("a", "b")),
    ),
    (
        document(
            "<Notify>", "<CmdType>Broadcast</CmdType>", "<SN>992</SN>", f"<SourceID>{D}</SourceID>",
            f"<TargetID>{C}</TargetID>", "</Notify>",
        ),
        BroadcastNotify(sn=992, source_id=D, target_id=C),
    ),
    (
        document(
            "<Notify>", "<CmdType>MediaStatus</CmdType>", "<SN>8</SN>", f"<DeviceID>{C}</DeviceID>",
            "<NotifyType>121</NotifyType>", "</Notify>",
        ),
        MediaStatus(sn=8, device_id=C),
    ),
    (
        document(
            "<Control>", "<CmdType>DeviceControl</CmdType>", "<SN>11</SN>", f"<DeviceID>{C}</DeviceID>",
            "<PTZCmd>A50F018100010037</PTZCmd>", "<PTZCmdParams>", "<PresetName>门口</PresetName>", "</PTZCmdParams>",
            "<Info>", "<ControlPriority>5</ControlPriority>", "</Info>", "</Control>",
        ),
        DeviceControl(
            sn=11, device_id=C, ptz_cmd="A50F018100010037", ptz_cmd_params=PtzParameters(preset_name="门口"),
            info=ControlInfo(control_priority=5),
        ),
    ),
    (
        document(
            "<Control>", "<CmdType>DeviceControl</CmdType>", "<SN>12</SN>", f"<DeviceID>{C}</DeviceID>",
            "<DragZoomIn>", "<Length>1920</Length>", "<Width>1080</Width>", "<MidPointX>960</MidPointX>",
            "<MidPointY>540</MidPointY>", "<LengthX>200</LengthX>", "<LengthY>100</LengthY>", "</DragZoomIn>",
            "</Control>",
        ),
        DeviceControl(
            sn=12, device_id=C,
            drag_zoom_in=DragZoom(
                length=1920, width=1080, mid_point_x=960, mid_point_y=540, length_x=200, length_y=100
            ),
        ),
    ),
    (
        document(
            "<Control>", "<CmdType>DeviceControl</CmdType>", "<SN>13</SN>", f"<DeviceID>{C}</DeviceID>",
            "<HomePosition>", "<Enabled>1</Enabled>", "<ResetTime>60</ResetTime>", "<PresetIndex>3</PresetIndex>",
            "</HomePosition>", "</Control>",
        ),
        DeviceControl(
            sn=13, device_id=C, home_position=HomePositionItem(enabled=1, reset_time=60, preset_index=3)
        ),
    ),
    (
        document(
            "<Control>", "<CmdType>DeviceControl</CmdType>", "<SN>14</SN>", f"<DeviceID>{C}</DeviceID>",
            "<PTZPreciseCtrl>", "<Pan>180.5</Pan>", "<Tilt>-10</Tilt>", "<Zoom>2</Zoom>", "</PTZPreciseCtrl>",
            "</Control>",
        ),
        DeviceControl(sn=14, device_id=C, ptz_precise_ctrl=PreciseControl(pan=180.5, tilt=-10.0, zoom=2.0)),
    ),
    (
        document(
            "<Control>", "<CmdType>DeviceControl</CmdType>", "<SN>15</SN>", f"<DeviceID>{C}</DeviceID>",
            "<IFameCmd>Send</IFameCmd>", "</Control>",
        ),
        DeviceControl(sn=15, device_id=C, ifame_cmd="Send"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("wire", "body"), VECTORS, ids=lambda value: getattr(value, "COMMAND", "wire"))
def test_a_body_is_read_and_written_back_unchanged(wire: bytes, body: Body) -> None:
    assert read_body(wire) == body
    assert write_body(body, "GB2312") == wire


@pytest.mark.parametrize(("wire", "body"), VECTORS, ids=lambda value: getattr(value, "COMMAND", "wire"))
def test_truncation_at_each_byte_never_escapes(wire: bytes, body: Body) -> None:
    for end in range(len(wire)):
        try:
            found = read_body(wire[:end])
        except InvalidError:
            continue
        assert isinstance(found, Body)


def test_every_kind_of_body_comes_back_equal() -> None:
    kinds = [
        kind
        for module in (answers, controls, notices, queries)
        for kind in vars(module).values()
        if inspect.isclass(kind) and issubclass(kind, Body) and kind.COMMAND
    ]
    assert len({*kinds}) == len(BODIES) >= 40
    for kind in kinds:
        body = kind(sn=5) if kind is BroadcastNotify else kind(sn=5, device_id=C)
        assert read_body(write_body(body)) == body


def test_numbers_that_are_none_are_absent_and_nothing_is_lost() -> None:
    wire = document(
        "<RESPONSE>", "<cmdtype>Catalog</cmdtype>", "<SN> 7 </SN>", f"<DeviceID>\t{D}\r\n</DeviceID>",
        "<SumNum></SumNum>", "<DeviceList>", "<Item>", f"<DeviceID>{C}</DeviceID>", "<Longitude></Longitude>",
        "<Latitude>n/a</Latitude>", "<Port>80.0</Port>", "<Vendor><Deep>x</Deep></Vendor>", "<PTZType>1</PTZType>",
        "</Item>", "</DeviceList>", "</RESPONSE>",
    )  # fmt: skip
    body = read_body(wire)
    assert isinstance(body, CatalogResponse)
    assert (body.sn, body.device_id, body.sum_num) == (7, D, None)
    assert body.device_list is not None
    (item,) = body.device_list
    assert (item.longitude, item.latitude, item.port, item.steering) == (None, None, 80, 1)


@pytest.mark.parametrize(
    ("command", "kind"),
    [("PTZPreciseStatusQuery", PtzPositionQuery), ("StorageCardStatusQuery", SdCardStatusQuery)],
)
def test_other_names_of_a_command_are_known(command: str, kind: type[Body]) -> None:
    wire = f"<Query><CmdType>{command}</CmdType><SN>1</SN><DeviceID>{C}</DeviceID></Query>".encode()
    assert isinstance(read_body(wire), kind)


def test_an_unknown_command_is_kept_whole() -> None:
    body = OtherBody(root="Notify", command="Vendor", sn=1, device_id=C, fields={"A": "1", "B": {"C": ["2", "3"]}})
    again = read_body(write_body(body))
    assert again == body
    assert command_of(again) == "Vendor"


def test_flat_positions_of_2016_are_positions_too() -> None:
    body = MobilePositionNotify(sn=1, device_id=C, time="2026-01-02T03:04:05", longitude=1.0, latitude=2.0, speed=3.0)
    (item,) = body.items()
    assert (item.device_id, item.longitude, item.capture_time) == (C, 1.0, "2026-01-02T03:04:05")


def test_plain_data_carries_the_names_of_the_standard() -> None:
    plain = msgspec.to_builtins(PresetResponse(sn=1, preset_list=(PresetItem(preset_id="1"),)))
    assert list(plain["PresetList"]) == [{"PresetID": "1", "PresetName": None}]
