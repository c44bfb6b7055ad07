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
    "shape_invalid": ("围栏的 {field} 不构成有效的形状。", "{field} make no shape that a fence could have."),
    "fence_invalid": ("围栏的 {field} 取值无效。", "Not a value for {field} of a fence."),
    "vehicle_media_full": (
        "该车辆一天内上传的图像已达 {limit} 个，不再保存。",
        "This vehicle brought {limit} pictures within a day; no more are kept.",
    ),
    "vehicle_attachments_full": (
        "该车辆一天内上传的报警附件已达 {limit} MiB，不再保存。",
        "This vehicle brought {limit} MiB of attachments within a day; no more are kept.",
    ),
    "attachment_differs": ("附件内容与声明不符。", "The attachment is not what was said."),
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
    "invalid_terminal": ("终端手机号或通道号无效。", "That is no channel of a vehicle terminal."),
    "terminal_doors": (
        "终端已应答，但车门状态没有改变。",
        "The terminal answered, but its doors are as they were.",
    ),
}
