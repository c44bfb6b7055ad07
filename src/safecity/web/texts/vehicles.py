# ruff: noqa: E501 - a sentence is one line
"""Words about vehicles, what they are told, and fences. (Chinese, English)."""

VEHICLES: dict[str, tuple[str, str]] = {
    "not_a_vehicle": ("{name} 不是车载终端。", "{name} is no vehicle terminal."),
    "confirm_wrong": (
        "请输入车辆名称“{name}”以确认。",
        "Type the name of the vehicle, {name}, to confirm.",
    ),
    "vehicle_moves": (
        "{name} 正以 {speed} 公里/小时行驶，行驶中不能开锁。",
        "{name} drives at {speed} km/h; its doors are not unlocked while it drives.",
    ),
    "device_silent": (
        "终端有太多命令未应答，请稍候再试。",
        "The terminal leaves too much unanswered; try again later.",
    ),
    "terminal_failed": ("终端应答：执行失败。", "The terminal answered that it failed."),
    "terminal_misunderstood": (
        "终端应答：消息有误，它可能使用另一版本的协议。",
        "The terminal answered that it did not understand; it may follow another edition of the protocol.",
    ),
    "terminal_unsupported": ("此终端不支持该命令。", "This terminal cannot do that."),
    "terminal_no_answer": (
        "终端在线但未应答，不确定是否已执行。",
        "The terminal is online and did not answer; whether it did it is not known.",
    ),
    "terminal_lost": (
        "等待应答时终端连接中断，不确定是否已执行。",
        "The connection broke before the terminal answered; whether it did it is not known.",
    ),
    "shape_invalid": ("围栏的 {field} 不构成有效的形状。", "{field} make no shape that a fence could have."),
    "fence_invalid": ("围栏的 {field} 取值无效。", "Not a value for {field} of a fence."),
    "vehicle_span": ("时间段无效，最长 {days} 天。", "That is no span of time, or longer than {days} days."),
    "fence_not_for_terminals": (
        "围栏 {name} 无法下发：跨半球，或路线宽于 255 米。",
        "The fence {name} cannot be written down: it lies on two hemispheres, or is a route wider than 255 m.",
    ),
    "beacon_code": (
        "名称只能由字母、数字和 . _ - 组成，最长 40 个字符。",
        "A name of letters, digits and . _ - is needed, at most 40.",
    ),
    "beacon_secret": (
        "令牌须为 {least} 至 {most} 个字符，只能含字母、数字和 - _ ~ + / =。",
        "A token has {least} to {most} characters: letters, digits and - _ ~ + / =.",
    ),
    "phone_hours": ("值勤时长须为 1 至 {most} 小时。", "A shift lasts from 1 to {most} hours."),
    "beacon_token": ("令牌无效，或设备已停用。", "No device has this token, or it is switched off."),
    "position_flood": ("上报过于频繁，请在 {seconds} 秒后重试。", "Too many positions; try again in {seconds} s."),
    "position_many": ("一次最多上报 {limit} 个位置。", "At most {limit} positions at once."),
    "position_shape": ("不是 GeoJSON 点要素。", "It is no GeoJSON feature with a point."),
    "position_place": ("坐标无效。", "There is no such place."),
    "position_time": (
        "缺少时间 properties.time（RFC 3339），或无法读取。",
        "properties.time is missing, or is no time (RFC 3339).",
    ),
    "position_ahead": ("时间超前，请校准设备时钟。", "Its time is in the future; set the clock of the device."),
    "position_old": ("时间早于 {days} 天前。", "It is older than {days} days."),
    "position_value": ("{field} 取值无效。", "Not a value for {field}."),
    # --- pictures (JT/T 1078)
    "jt_no_connection": (
        "终端已接受请求，但没有连接到媒体端口。请检查媒体端口（TCP）是否对车辆网络放行，以及设置 jt808.media_host。",
        "The terminal accepted, but did not connect to the media port. Check that vehicles reach the media ports (TCP), and the setting jt808.media_host.",
    ),
    "jt_other_number": (
        "终端在媒体数据中使用了另一个终端手机号（{seen}，应为 {expected}），已拒绝。请检查终端中的手机号设置。",
        "What came to the media port names another terminal ({seen} instead of {expected}) and was refused. Check the phone number set in the terminal.",
    ),
    "jt_no_packet": ("终端已连接，但没有发送数据。", "The terminal connected, but sends nothing."),
    "jt_no_key_frame": (
        "收到了数据，但一直没有关键帧。请检查终端的 I 帧间隔和摄像头接线。",
        "Data arrive, but no key frame. Check the I-frame interval of the terminal, and that a camera is plugged in.",
    ),
    "jt_packets_stopped": (
        "数据中断，正在重新请求。车辆可能处于信号不良的地方。",
        "The packets stopped; the stream is being asked for again. The vehicle may be where there is no network.",
    ),
    "jt_connection_closed": (
        "终端关闭了媒体连接，正在重新请求。",
        "The terminal closed the media connection; the stream is being asked for again.",
    ),
    "invalid_terminal": ("终端手机号或通道号无效。", "That is no channel of a vehicle terminal."),
    "terminal_doors": (
        "终端已应答，但车门状态没有改变。",
        "The terminal answered, but its doors are as they were.",
    ),
}
