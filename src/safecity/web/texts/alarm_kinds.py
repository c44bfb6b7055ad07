"""What an alarm is, in words: methods and types as GB/T 28181-2022 numbers them (annex A.2.5, Alarm), those of
vehicles: bits of a position (JT/T 808-2019, table 24), of its video (JT/T 1078-2016, tables 13 and 14), active safety
(T/JSATL 12-2017, item and kind), those of watches, and those that come of a vehicle's positions."""

from __future__ import annotations

_METHODS: dict[str, tuple[str, str]] = {
    "1": ("电话报警", "Telephone alarm"),
    "2": ("设备报警", "Device alarm"),
    "3": ("短信报警", "Message alarm"),
    "4": ("卫星定位报警", "Position alarm"),
    "5": ("视频报警", "Video alarm"),
    "6": ("设备故障报警", "Device fault"),
    "7": ("其他报警", "Other alarm"),
}
_TYPES: dict[str, dict[str, tuple[str, str]]] = {
    "2": {
        "1": ("视频丢失", "Video lost"),
        "2": ("设备防拆", "Tamper"),
        "3": ("存储设备磁盘满", "Disk full"),
        "4": ("设备高温", "Device too hot"),
        "5": ("设备低温", "Device too cold"),
    },
    "4": {
        "jt808-0": ("紧急报警", "SOS"),
        "jt808-1": ("超速", "Over-speed"),
        "jt808-2": ("疲劳驾驶", "Fatigue"),
        "jt808-3": ("危险驾驶行为", "Dangerous driving"),
        "jt808-4": ("卫星定位模块故障", "Positioning module fault"),
        "jt808-5": ("定位天线未接或剪断", "Antenna open"),
        "jt808-6": ("定位天线短路", "Antenna short-circuited"),
        "jt808-7": ("主电源欠压", "Main power low"),
        "jt808-8": ("主电源掉电", "Main power cut"),
        "jt808-9": ("显示器故障", "Display fault"),
        "jt808-10": ("语音模块故障", "Speech module fault"),
        "jt808-11": ("摄像头故障", "Camera fault"),
        "jt808-12": ("道路运输证 IC 卡模块故障", "Card reader fault"),
        "jt808-13": ("超速预警", "Over-speed soon"),
        "jt808-14": ("疲劳驾驶预警", "Fatigue soon"),
        "jt808-15": ("违规行驶", "Forbidden driving"),
        "jt808-16": ("胎压预警", "Tyre pressure"),
        "jt808-17": ("右转盲区异常", "Blind spot on the right"),
        "jt808-18": ("当天累计驾驶超时", "Driven too long today"),
        "jt808-19": ("超时停车", "Stopped too long"),
        "jt808-20": ("进出区域", "Area entered or left"),
        "jt808-21": ("进出路线", "Route entered or left"),
        "jt808-22": ("路段行驶时间不足或过长", "Too fast or slow on a section"),
        "jt808-23": ("路线偏离", "Off its route"),
        "jt808-24": ("车速传感器故障", "Speed sensor fault"),
        "jt808-25": ("油量异常", "Abnormal fuel level"),
        "jt808-26": ("车辆被盗", "Stolen"),
        "jt808-27": ("非法点火", "Ignition without right"),
        "jt808-28": ("非法位移", "Moved without right"),
        "jt808-29": ("碰撞", "Collision"),
        "jt808-30": ("侧翻", "Roll-over"),
        "jt808-31": ("非法开门", "Door opened without right"),
    },
    "5": {
        "1": ("人工视频报警", "Alarm by hand"),
        "2": ("运动目标检测", "Motion"),
        "3": ("遗留物", "Left object"),
        "4": ("物体移除", "Removed object"),
        "5": ("绊线", "Line crossed"),
        "6": ("入侵", "Intrusion"),
        "7": ("逆行", "Wrong way"),
        "8": ("徘徊", "Loitering"),
        "9": ("流量统计", "Flow count"),
        "10": ("密度", "Density"),
        "11": ("视频异常", "Abnormal video"),
        "12": ("快速移动", "Fast movement"),
        "13": ("图像遮挡", "Picture covered"),
        "jsatl-64-1": ("前向碰撞", "Forward collision"),
        "jsatl-64-2": ("车道偏离", "Lane departure"),
        "jsatl-64-3": ("车距过近", "Too close"),
        "jsatl-64-4": ("行人碰撞", "Pedestrian"),
        "jsatl-64-5": ("频繁变道", "Frequent lane changes"),
        "jsatl-64-6": ("道路标识超限", "Road sign exceeded"),
        "jsatl-64-7": ("障碍物", "Obstacle"),
        "jsatl-65-1": ("疲劳驾驶", "Fatigue"),
        "jsatl-65-2": ("接打电话", "On the phone"),
        "jsatl-65-3": ("抽烟", "Smoking"),
        "jsatl-65-4": ("分神驾驶", "Distracted"),
        "jsatl-65-5": ("未检测到驾驶员", "Driver not seen"),
        "jsatl-66-0": ("胎压异常", "Tyre pressure"),
        "jt1078-0": ("车载摄像机视频信号丢失", "Camera of the vehicle lost"),
        "jt1078-1": ("车载摄像机被遮挡", "Camera of the vehicle covered"),
        "jt1078-2": ("车载存储单元故障", "Recorder of the vehicle: storage fault"),
        "jt1078-3": ("车载视频设备其他故障", "Other fault of the vehicle's video"),
        "jt1078-4": ("客车超员", "Too many passengers"),
        "jt1078-5": ("异常驾驶行为", "Abnormal driving"),
        "jt1078-6": ("车载特殊报警录像存储满", "Recorder of the vehicle: alarm storage full"),
        **{
            f"jt1078-15-{bit}": (f"车载摄像机 {bit + 1} 视频信号丢失", f"Camera {bit + 1} of the vehicle lost")
            for bit in range(32)
        },
        **{
            f"jt1078-16-{bit}": (f"车载摄像机 {bit + 1} 被遮挡", f"Camera {bit + 1} of the vehicle covered")
            for bit in range(32)
        },
        **{
            f"jt1078-17-{bit}": (f"车载主存储器 {bit + 1} 故障", f"Recorder of the vehicle: fault of store {bit + 1}")
            for bit in range(12)
        },
        **{
            f"jt1078-17-{bit + 12}": (
                f"车载灾备存储装置 {bit + 1} 故障",
                f"Recorder of the vehicle: fault of reserve store {bit + 1}",
            )
            for bit in range(4)
        },
        "jt1078-18-0": ("疲劳驾驶", "Fatigue"),
        "jt1078-18-1": ("接打电话", "On the phone"),
        "jt1078-18-2": ("抽烟", "Smoking"),
        "jsatl-67-1": ("后方接近", "Close behind"),
        "jsatl-67-2": ("左侧后方接近", "Close behind on the left"),
        "jsatl-67-3": ("右侧后方接近", "Close behind on the right"),
    },
    "phone": {"sos": ("警员求助", "An officer calls for help")},
    "watch": {"exact": ("布控命中", "Watch hit"), "near": ("疑似布控命中", "Possible watch hit")},
    "vehicle": {
        "fence_enter": ("进入围栏", "Entered a fence"),
        "fence_leave": ("离开围栏", "Left a fence"),
        "fence_speed": ("围栏内超速", "Too fast inside a fence"),
        "tow": ("熄火移动", "Moves with the ignition off"),
        "away": ("锁车后被移走", "Taken away locked"),
        "no_driver": ("无驾驶员签到行驶", "Drives without a signed-in driver"),
    },
    "6": {"1": ("存储设备磁盘故障", "Disk fault"), "2": ("存储设备风扇故障", "Fan fault")},
}
_INTRUSION: dict[str, tuple[str, str]] = {"1": ("进入区域", "entering"), "2": ("离开区域", "leaving")}
_OTHER = ("报警", "Alarm")


def alarm_kind(method: str, kind: str, event_type: str, language: str) -> str:
    """`Intrusion, entering`; a number that the standard does not know stands behind the method's word."""
    english = language.startswith("en")
    known = _TYPES.get(method, {}).get(kind)
    if known is None:
        word = _METHODS.get(method, _OTHER)[english]
        return f"{word} {kind}" if kind else word
    more = _INTRUSION.get(event_type) if (method, kind) == ("5", "6") else None
    return known[english] if more is None else f"{known[english]}, {more[1]}" if english else f"{known[0]}({more[0]})"
