"""What a request cannot have, and what to do about it. (Chinese, English)."""

PROBLEMS: dict[str, tuple[str, str]] = {
    # --- general
    "internal": (
        "平台内部错误,请稍后重试;若反复出现请联系管理员。",
        "The platform made an error. Try again; tell an administrator if it comes back.",
    ),
    "invalid": ("请求有误。", "The request is wrong."),
    "not_found": ("不存在,或您无权查看。", "There is no such thing, or you may not see it."),
    "conflict": ("状态已变化,请刷新后重试。", "It is in another state now; look again."),
    "refused": ("对方拒绝了请求。", "The other side refused."),
    "unavailable": ("暂时不可用,请稍后重试。", "Not available now; try again later."),
    "exhausted": ("已达到上限。", "A limit is reached."),
    "forbidden": ("您无权执行此操作。", "You may not do this."),
    "method_not_allowed": ("不支持此方法。", "This method is not offered here."),
    "fields_invalid": ("以下字段有误:{fields}。", "These fields are wrong: {fields}."),
    "number_invalid": (
        "{field} 不是可保存的数值(须为有限数,整数不超过 64 位)。",
        "{field} is not a number that can be kept: it must be finite, and a whole number of at most 64 bits.",
    ),
    "text_invalid": (
        "{field} 含有文本中不允许的字符(空字符或残缺的字符)。",
        "{field} holds what no text holds: a zero byte, or half a character.",
    ),
    "too_deep": ("内容嵌套过深(最多 {limit} 层)。", "It is nested too deep (at most {limit} levels)."),
    "body_too_large": ("请求内容过大。", "The request is too large."),
    "url_too_long": ("请求地址过长。", "The address is too long."),
    "too_many_requests": ("请求过于频繁,请在 {seconds} 秒后重试。", "Too many requests; try again in {seconds} s."),
    "starting": ("平台正在启动,请稍候。", "The platform is starting; wait a moment."),
    "local_only": ("仅限本机访问。", "For this machine only."),
    "database_unavailable": ("数据库暂时不可用。", "The database is not available now."),
    "disk_full": (
        "平台数据所在的磁盘已满,无法保存任何数据。请释放空间,平台会自动恢复;已在运行的信令与其他卷上的录像继续进行。",
        "The disk that holds the platform's data is full, so nothing can be stored. Free some space, then everything"
        " goes on by itself. What was running goes on meanwhile: signalling, and recording to other volumes.",
    ),
    "not_opened": (
        "平台无法打开其数据({why}),正在重试。",
        "The platform cannot open its data ({why}); it tries again.",
    ),
    "duplicate": ("已存在。", "It exists already."),
    "cursor_invalid": ("列表位置无效,请从头开始。", "The place in the list is not valid; begin anew."),
    "etag_invalid": ("版本标记无效。", "The version mark is not valid."),
    "invalid_id": ("标识无效。", "The id is not valid."),
    "choice": ("{field} 只能是:{choices}。", "{field} is one of {choices}."),
    "out_of_range": ("{field} 必须在 {low} 到 {high} 之间。", "{field} must be from {low} to {high}."),
    "too_long": ("{field} 过长(最多 {limit})。", "{field} is too long (at most {limit})."),
    "too_many": ("数量过多(最多 {limit})。", "Too many (at most {limit})."),
    "changed_meanwhile": (
        "内容已被他人修改,请刷新后再改。",
        "Somebody changed it meanwhile; look again and decide anew.",
    ),
    "idempotency_key_invalid": (
        "幂等键过长(最多 {limit} 个字符)。",
        "The idempotency key is too long (at most {limit} characters).",
    ),
    "idempotency_key_reused": (
        "该幂等键已用于另一个请求。",
        "This idempotency key stood for another request.",
    ),
    "outcome_unknown": (
        "平台在处理该请求时中断,结果未知。请先查看是否已完成,再重新提交。",
        "The platform stopped in the middle of this request. See whether it was done before you ask anew.",
    ),
    "secret_unreadable": ("密钥不匹配,无法读取保存的密码。", "The stored secret was sealed with another key."),
    "key_file_damaged": ("密钥文件损坏。", "The key file is damaged."),
    "blob_exists": ("该文件已存在。", "This file is written already."),
    "blob_key": ("文件名无效。", "Not a name of a file."),
    "blob_missing": ("没有这个文件。", "There is no such file."),
    "blobs_unavailable": (
        "图片和导出文件的存储不可用,请检查磁盘空间。",
        "The store of pictures and exports cannot take or give anything; check the space on its disk.",
    ),
    "owner_not_live": ("{owner} 没有运行。", "{owner} is not running."),
    # --- signing in, people
    "unauthenticated": ("请先登录。", "Sign in first."),
    "wrong_credentials": ("用户名或密码错误。", "Name or password is wrong."),
    "too_many_tries": ("尝试次数过多,请在 {seconds} 秒后重试。", "Too many tries; wait {seconds} s."),
    "csrf": ("页面已过期,请刷新。", "The page is out of date; reload it."),
    "foreign_page": ("请求来自其他网站的页面,已拒绝。", "The request came from a page of another site."),
    "setup_token": (
        "一次性链接无效或已使用。请使用启动时打印的链接。",
        "The one-time link is not valid or was used. Use the one printed at the start.",
    ),
    "setup_done": ("管理员已存在。", "There is an administrator already."),
    "not_allowed": ("您无权执行此操作({action})。", "You may not do this ({action})."),
    "grant_beyond_own": ("不能授予超出自己范围的权限。", "Nobody can give rights that they do not hold."),
    "audit_changed": (
        "审计记录 {record} 与哈希链不符:有记录被修改、删除或插入。",
        "Record {record} does not fit the chain: a record was changed, removed or added.",
    ),
    "audit_removed": (
        "审计日志的开头缺失,且没有签名的清理声明。",
        "The beginning of the log is missing, and no signed statement says that it was forgotten on purpose.",
    ),
    "audit_rewritten": (
        "审计记录 {record} 与签名封条不符:日志曾被重写。",
        "Record {record} is not the one that was sealed: the log was written anew.",
    ),
    "audit_cut_off": (
        "审计日志自记录 {record} 起的结尾缺失,但封条表明它曾经存在。",
        "The end of the log is missing from record {record} on; a seal says that it was there.",
    ),
    "audit_seal_forged": (
        "记录 {record} 的封条不是本平台签名的。",
        "The seal of record {record} was not signed by this platform.",
    ),
    "grants_finer": (
        "该用户的权限还受组织机构、标签或期限限制,请逐条修改权限。",
        "The rights of this user are limited by more than areas; change them one by one.",
    ),
    "old_password_needed": ("请输入原密码。", "Give the old password."),
    "old_password_wrong": ("原密码不正确。", "The old password is not right."),
    "password_weak": (
        "密码强度不足:至少 {minimum} 个字符,不含用户名,不使用常见密码。",
        "The password is too weak: at least {minimum} characters, not the user name, no common one.",
    ),
    "name_taken": ("用户名 {name} 已被使用。", "The name {name} is taken."),
    "own_user": ("不能删除自己。", "Nobody can remove themselves."),
    "last_administrator": ("至少要保留一名管理员。", "One administrator must remain."),
    # --- places
    "area_code": ("不是有效的行政区划代码:{given}。", "{given} is not an area code."),
    "area_code_invalid": ("不是有效的行政区划代码:{code}。", "{code} is not an area code."),
    "area_code_outside": ("代码 {code} 不属于上级 {parent}。", "The code {code} does not belong below {parent}."),
    "area_code_taken": ("行政区划 {code} 已存在。", "An area with the code {code} exists."),
    "area_in_use": (
        "{name} 下还有内容,或有用户在此拥有权限,不能删除。",
        "{name} cannot be removed: something lies in it, or somebody has rights there.",
    ),
    "organisation_in_use": (
        "{name} 下还有下级、设备、通道、用户或权限,不能删除。",
        "{name} cannot be removed: an organisation, device, channel, user or right belongs to it.",
    ),
    "tree_too_deep": ("层级过深(最多 {limit} 级)。", "The tree is too deep (at most {limit} levels)."),
    "name_invalid": ("名称须为 1 到 {limit} 个可见字符。", "A name has 1 to {limit} visible characters."),
    "zone_unknown": ("未知的时区 {zone}。", "There is no time zone {zone}."),
    "tag_invalid": ("标签无效:{tag}。", "Not a tag: {tag}."),
    # --- devices, channels
    "jt_phone": (
        "终端手机号须为 5 至 20 位数字。",
        "The phone number of a terminal has 5 to 20 digits.",
    ),
    "ais_mmsi": ("MMSI 须为 9 位数字。", "An MMSI has 9 digits."),
    "gb_code": ("国标编号须为 20 位数字。", "A GB/T 28181 code has 20 digits."),
    "device_code_taken": ("编号 {code} 的设备已存在。", "A device with the code {code} exists."),
    "probe_unavailable": ("暂时无法测试该地址。", "Addresses cannot be tested now."),
    "schedule_span": ("录像计划的时段无效。", "A span of the schedule makes no sense."),
    "range_invalid": (
        "时间范围无效(最长 {longest_hours} 小时)。",
        "The time range makes no sense (at most {longest_hours} h).",
    ),
    "too_many_pictures": ("截图请求过多,请稍后重试。", "Too many pictures at once; try again shortly."),
    "too_many_jobs": ("等待的任务过多(最多 {limit})。", "Too many jobs are waiting (at most {limit})."),
    "ptz_locked": ("{owner} 正在控制云台,{seconds} 秒后可用。", "{owner} steers this camera; free in {seconds} s."),
    "configuration_not_offered": (
        "该设备按 RTSP 接入,不能读写其配置。",
        "This device is pulled by RTSP; its configuration cannot be read or written from here.",
    ),
    "recordings_not_offered": (
        "该通道按 RTSP 接入,不能检索设备中的录像。",
        "This channel is pulled by RTSP; what the camera itself has recorded cannot be reached that way.",
    ),
    "ptz_not_offered": ("该通道不支持云台控制。", "This channel cannot be steered."),
    "ptz_out_of_range": ("云台参数超出范围。", "A value for steering is out of range."),
    "ptz_unknown_action": ("不支持的云台操作。", "There is no such way to steer."),
    "alarm_state": ("该报警已处理(当前状态:{state})。", "The alarm was handled already (it is {state})."),
    # --- settings and wizard
    "setting_invalid": ("设置 {setting} 的值无效。", "Not a value for {setting}."),
    "address_invalid": ("地址无效。", "Not an address."),
    "address_unresolved": ("地址 {address} 无法解析。", "{address} cannot be resolved."),
    "address_not_ours": (
        "{address} 不是本机的地址。若经过 NAT,可以忽略。",
        "{address} is not an address of this machine. Behind NAT this may be right.",
    ),
    "port_unreachable": ("端口 {port} 无法连接。", "Port {port} does not answer."),
    "port_not_bound": ("端口 {port} 未在监听。", "Nothing listens on port {port}."),
    "platform_code_not_20_digits": ("平台编号须为 20 位数字。", "The platform code has 20 digits."),
    "platform_code_type_not_platform": (
        "平台编号的类型位(第 11-13 位)应为 200 到 299。",
        "Digits 11-13 of a platform code are 200 to 299.",
    ),
    "domain_empty": ("SIP 域不能为空。", "The SIP domain is empty."),
    "domain_not_from_code": (
        "SIP 域通常是平台编号的前 10 位。",
        "The SIP domain is normally the first ten digits of the platform code.",
    ),
}
