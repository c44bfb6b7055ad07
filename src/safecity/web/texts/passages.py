"""Words about tollgates, passages and view libraries. (Chinese, English)."""

PASSAGES: dict[str, tuple[str, str]] = {
    "viid_upper_refused": (
        "上级视图库拒绝了注册(HTTP {status})。请核对编号、用户名和密码,平台会继续重试。",
        "The library above refuses us (HTTP {status}). Look at the code, the name and the password; the platform goes"
        " on trying.",
    ),
    "lower_url": (
        "下级视图库地址须为 http(s)://主机[:端口],不含路径。",
        "The address of a library below is http(s)://HOST[:PORT], without a path.",
    ),
    "lower_details": ("请选择订阅内容({choices})。", "Choose what to subscribe to ({choices})."),
    "lower_until": ("截止时间或上报间隔无效。", "Not an end, or not an interval, for a subscription."),
    "lower_too_many": (
        "该视图库的订阅已达上限({limit})。",
        "There are as many subscriptions at this library as may be ({limit}).",
    ),
    "lower_ended": ("该订阅已结束。", "This subscription has ended."),
    "lower_leaving": (
        "该下级视图库正在移除;请重新保存地址后再订阅。",
        "This library is being removed; save its address again first.",
    ),
    "lower_not_library": (
        "{name} 不是 GA/T 1400 设备,不能作为下级视图库。",
        "{name} does not speak GA/T 1400; it cannot be a library below us.",
    ),
    "lane_zone_invalid": (
        "车道 {lane} 的区域须有 3 至 {corners} 个角点,位于画面之内,有一定面积,且各边不得相交。",
        "The zone of lane {lane} needs 3 to {corners} corners within the picture, some area, and no edges that cross.",
    ),
    "tollgate_invalid": ("卡口的 {field} 取值无效。", "Not a value for {field} of a checkpoint."),
    "tollgate_code_taken": ("编号 {code} 已用于另一个卡口。", "Another checkpoint has the code {code}."),
    "purpose_needed": ("请说明查看用途:{choices}。", "Say what you look for it for: {choices}."),
    "plate_pattern": (
        "号牌条件过长,或 * 超过 {stars} 个。",
        "The plate is too long, or has more than {stars} times *.",
    ),
    "plate_whole": ("请输入完整的号牌。", "A whole plate is needed, without wildcards."),
    "plate_vague": (
        "号牌条件至少要有 {least} 个确定的字符。",
        "The plate must name at least {least} characters.",
    ),
    "watch_invalid": ("布控的 {field} 取值无效。", "Not a value for {field} of a watch."),
    "watch_state": ("布控当前状态为 {state},不能这样处理。", "The watch is {state}; it cannot become that."),
    "watch_own": ("不能审批自己提出的布控。", "Nobody approves a watch that they proposed themselves."),
    "watch_over": ("布控期限已过,不能再批准。", "The time of the watch is over; it cannot be approved."),
    "violation_invalid": ("违法记录的 {field} 取值无效。", "Not a value for {field} of a violation."),
    "violation_state": (
        "该违法记录当前状态为 {state},不能这样处理。",
        "The violation is {state}; it cannot become that.",
    ),
    "violation_own": ("初审人不能复审自己审核的记录。", "Nobody confirms what they reviewed themselves."),
    "violation_unfit": (
        "证据不符合要求({lacks}),只能作废。",
        "Its evidence is not fit ({lacks}); it can only be void.",
    ),
    "violation_exempt": ("该车为免于处罚的车辆({duty})。", "The vehicle is exempt ({duty})."),
    "violation_not_confirmed": (
        "{violation} 当前状态为 {state};只有复审通过的记录才能导出。",
        "{violation} is {state}; only what was confirmed is exported.",
    ),
    "void_reason": ("不能选择作废原因 {reason},或需要文字说明。", "{reason} is no reason to choose, or needs words."),
    "picture_changed": ("图片与留存时不一致,不能导出。", "A picture is not what was kept; it is not exported."),
    "scene_invalid": ("画面标注的 {field} 取值无效。", "Not a value for {field} of a scene."),
    "calibration_shape": (
        "四个点须依次围成道路上的一个矩形:不得交叉,也不得有凹角或三点共线。",
        "The four points are not those of a rectangle on the road: click its corners one after another around it.",
    ),
    "calibration_small": (
        "该矩形在画面中太小,不能用于测量;请选用更大的矩形。",
        "The rectangle is too small in the picture to measure by; take a larger one.",
    ),
    "phase_time": (
        "时间须在最近 {seconds} 秒之内。",
        "Only times of the last {seconds} s are taken.",
    ),
    "section_invalid": ("区间测速的 {field} 取值无效。", "Not a value for {field} of a section."),
    "exemption_invalid": ("免罚车辆的 {field} 取值无效。", "Not a value for {field} of an exempt vehicle."),
    "seat_invalid": ("{seat} 不是有效的接收席位。", "{seat} is no seat that alarms may go to."),
    "alarm_unsigned": ("请先签收,再反馈。", "Sign for it first, then report."),
    "alarm_no_report": ("这条报警不需要反馈。", "Nothing has to be reported on this alarm."),
    "sighting_reference": ("参考号无效。", "The reference is not valid."),
    "viid_json": ("不是 JSON。", "It is not JSON."),
    "viid_content": ("内容中没有 {kind}。", "There is no {kind} in it."),
    "viid_object": ("{kind} 的 {field} 缺失或有误。", "{field} of {kind} is missing or wrong."),
    "viid_query": ("不支持的查询条件 {field}。", "{field} is no condition here."),
    "viid_too_many": ("对象过多(最多 {limit})。", "Too many objects (at most {limit})."),
    "viid_busy": ("同时上传过多,请在 {seconds} 秒后重试。", "Too many uploads at once; try again in {seconds} s."),
    "receive_addr": ("接收地址不可用。", "Not an address that notifications may be sent to."),
    "subscription_state": (
        "订阅当前状态为 {state},不能这样处理。",
        "The subscription is {state}; it cannot become that.",
    ),
    "viid_picture": ("图片无法接收({reason})。", "The picture cannot be taken ({reason})."),
    "sighting_nowhere": (
        "没有这个卡口,或您无权为其上报。",
        "There is no such checkpoint, or you may not report for it.",
    ),
}
