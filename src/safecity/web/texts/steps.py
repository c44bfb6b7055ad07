# ruff: noqa: E501 - a sentence is one line
"""The step at which a stream, a device or a volume failed: what happened, and what to do. (Chinese, English)."""

STEPS: dict[str, tuple[str, str]] = {
    # --- devices
    "device_never_registered": (
        "设备尚未注册。请核对设备中的平台编号、域、地址、端口和密码,并确认网络可达。",
        "The device has never registered. Check platform code, domain, address, port and password in the device, and the network.",
    ),
    "device_offline": ("设备离线。请检查其电源和网络。", "The device is offline. Check its power and network."),
    "device_keepalive": (
        "设备心跳中断。请检查其电源和网络。",
        "The device stopped sending keepalives. Check its power and network.",
    ),
    "device_unregistered": ("设备已主动注销。", "The device signed off by itself."),
    "device_replaced": ("同一编号的另一台设备已注册。", "Another device registered with the same code."),
    "wrong_password": ("设备注册密码错误。", "The device registers with a wrong password."),
    "channel_not_in_catalogue": ("设备目录中已没有此通道。", "The device no longer lists this channel."),
    "channel_announced_off": (
        "设备报告此通道无信号或已关闭。",
        "The device reports this channel as off or without signal.",
    ),
    "channel_not_placed": ("此通道尚未分配到媒体服务,请稍候。", "No media slot has this channel yet; wait a moment."),
    "device_expired": ("设备未按时刷新注册。", "The device did not renew its registration in time."),
    "gb_wrong_password": ("设备注册密码错误。", "The device registers with a wrong password."),
    "gb_no_password": (
        "此设备尚未设置密码,不允许注册。",
        "No password is set for this device, so it may not register.",
    ),
    "gb_disabled": ("此设备已停用。", "This device is disabled."),
    "gb_duplicate_code": (
        "另一地址的设备使用了相同编号,已拒绝。请更改其中一台的编号。",
        "A device at another address uses the same code and was refused. Change the code of one of them.",
    ),
    "gb_expires_too_short": (
        "设备的注册有效期过短。请改为 3600 秒或更长。",
        "The device registers for too short a time. Set 3600 s or more.",
    ),
    "gb_banned": (
        "注册失败次数过多,暂停应答该设备。",
        "It failed to register too often and is not answered for a while.",
    ),
    "beacon_never_told": (
        "尚未收到此设备上报的位置。请核对上报地址(/api/v1/positions 或消息代理)和令牌。",
        "It never told a position. Check its token, and where it sends: /api/v1/positions, or the broker.",
    ),
    "jt_never_registered": (
        "终端尚未注册。请核对终端中的平台地址和端口,并确认平台已启用车载终端接入(设置 jt808.enabled)。",
        "The terminal has never registered. Check address and port in it, and that the platform listens for terminals (setting jt808.enabled).",
    ),
    "ais_never_heard": (
        "尚未收到此船舶的信号。请核对 MMSI 和 AIS 接收机,并确认平台已启用 AIS 接入(设置 ais.enabled)。",
        "It was never heard. Check the MMSI and the receiver, and that the platform listens for ships (setting ais.enabled).",
    ),
    "ais_two_places": (
        "有两处同时使用此 MMSI:相距太远的位置未采用。",
        "Two use this MMSI at once: positions too far from where it was were not believed.",
    ),
    "jt_disabled": ("此终端已停用。", "This terminal is disabled."),
    "jt_other_terminal": (
        "以此手机号注册的终端编号与已绑定的不同。若终端已更换,请删除后重新添加。",
        "A terminal with another id registers under this phone number. If it was replaced, remove it here and add it again.",
    ),
    "jt_other_imei": (
        "以此手机号鉴权的终端 IMEI 与已绑定的不同。若终端已更换,请删除后重新添加。",
        "A terminal with another IMEI signs in under this phone number. If it was replaced, remove it here and add it again.",
    ),
    "jt_already_here": (
        "此手机号的终端正在线,另一终端的注册被拒绝。",
        "The terminal of this phone number is here; another one that registers was refused.",
    ),
    "jt_wrong_code": (
        "终端使用的鉴权码不正确,它应重新注册。",
        "The terminal signs in with a wrong code. It should register again.",
    ),
    "jt_no_code": ("终端尚未在本平台注册。", "The terminal has not registered here yet."),
    "jt_not_authenticated": (
        "终端未鉴权即发送数据。",
        "The terminal sends without having signed in.",
    ),
    "jt_other_phone": (
        "终端以另一终端的手机号发送数据,已拒绝。请检查其手机号设置。",
        "The terminal sent under the phone number of another one and was refused. Check the number set in it.",
    ),
    "jt_bad_body": (
        "终端的注册或鉴权消息不完整,无法读取。",
        "The terminal's registration or authentication is incomplete and cannot be read.",
    ),
    # --- opening a stream of GB/T 28181
    "gb_device_offline": (
        "设备离线,无法点播。请检查其电源和网络。",
        "The device is offline and cannot be asked for pictures. Check its power and network.",
    ),
    "gb_unknown_device": (
        "信令服务不认识此设备,请稍候再试。",
        "Signalling does not know this device yet; try again in a moment.",
    ),
    "gb_unknown_channel": (
        "信令服务不认识此通道,请稍候再试。",
        "Signalling does not know this channel yet; try again in a moment.",
    ),
    "gb_no_sip_answer": (
        "设备在线,但对点播请求没有应答。请重启设备或检查中间的防火墙。",
        "The device is online but did not answer the request for pictures. Restart it, or check firewalls in between.",
    ),
    "gb_no_answer": ("设备没有应答查询。", "The device did not answer the query."),
    "gb_refused": ("设备拒绝了请求({status} {reason})。", "The device refused the request ({status} {reason})."),
    "gb_busy": (
        "设备或平台正忙于此通道,请稍候再试。",
        "The device or the platform is busy with this channel; try again shortly.",
    ),
    "gb_bad_sdp": ("设备应答的媒体描述无法使用。", "The device's answer describes no usable media."),
    "gb_no_packet": (
        "设备已接受点播,但没有收到任何数据。请检查设备到媒体端口的 UDP/TCP 是否放行,或改用 TCP。",
        "The device accepted, but no packet arrived. Check that UDP and TCP from the device to the media ports pass, or use TCP.",
    ),
    "gb_other_ssrc": (
        "收到了数据,但同步源标识(SSRC)与约定不符。请升级设备固件或改用 TCP。",
        "Packets arrive with another SSRC than agreed. Update the device's firmware or use TCP.",
    ),
    "gb_no_ps_header": (
        "收到了数据,但不是 PS 流。请检查设备的封装设置。",
        "Packets arrive, but no program stream in them. Check the packaging set in the device.",
    ),
    "gb_no_key_frame": (
        "收到了数据,但一直没有关键帧。请检查设备的 I 帧间隔。",
        "Data arrive, but no key frame. Check the I-frame interval of the device.",
    ),
    "gb_packets_stopped": ("数据中断,正在重新点播。", "The packets stopped; the stream is being asked for again."),
    "gb_no_connection": ("设备没有建立约定的 TCP 连接。", "The device did not open the agreed TCP connection."),
    "gb_dial_failed": ("无法连接到设备给出的媒体地址。", "The media address that the device gave cannot be reached."),
    "gb_connection_closed": ("设备关闭了媒体连接。", "The device closed the media connection."),
    "gb_bye": ("设备结束了会话。", "The device ended the session."),
    "gb_gone": (
        "设备上的会话已不存在,正在重新点播。",
        "The session is gone on the device; it is being asked for again.",
    ),
    "gb_flood": ("设备发送的消息过多,部分被丢弃。", "The device sends too many messages; some are dropped."),
    "gb_no_session": ("该会话已结束。", "That session is over."),
    "gb_bad_config": ("设备配置的内容不合法({what})。", "This is no configuration of a device ({what})."),
    "gb_control_failed": ("设备未执行该控制命令。", "The device did not carry out the command."),
    "gb_too_many_questions": (
        "对该设备的查询过多,请稍候。",
        "Too many questions to this device at once; wait a moment.",
    ),
    "gb_unknown_query": ("不支持的查询。", "There is no such query."),
    "gb_unknown_action": ("不支持的操作。", "There is no such action."),
    "gb_bad_query": ("查询参数无效。", "The query's fields make no sense."),
    "gb_bad_speed": ("速度超出设备支持范围。", "That speed is out of range."),
    "gb_bad_window": ("时间范围无效。", "That time range makes no sense."),
    "ptz_malformed": ("云台指令无效。", "That is no PTZ command."),
    "ptz_checksum": ("云台指令校验错误。", "The PTZ command is damaged."),
    "sip_timeout": ("设备没有应答信令。", "The device did not answer."),
    "sip_no_ack": ("信令未完成(缺少确认)。", "Signalling was not completed (no acknowledgement)."),
    "sip_bad_answer": ("设备的信令应答无法理解。", "The device's answer could not be understood."),
    "sip_closed": ("信令服务正在停止。", "Signalling is stopping."),
    "sip_connect_failed": ("无法连接到设备的信令地址。", "The device's signalling address cannot be reached."),
    "sip_connection_lost": ("与设备的信令连接中断。", "The signalling connection to the device broke."),
    # --- RTSP
    "rtsp_connect_failed": (
        "无法连接到该地址。请检查地址、端口和网络。",
        "The address cannot be reached. Check address, port and network.",
    ),
    "rtsp_timeout": ("摄像机没有应答。", "The camera did not answer."),
    "rtsp_unauthorized": ("用户名或密码错误。", "User name or password is wrong."),
    "rtsp_not_found": ("摄像机上没有此路径。请核对 URL。", "The camera has no such path. Check the URL."),
    "rtsp_refused": ("摄像机拒绝了请求({status})。", "The camera refused ({status})."),
    "rtsp_bad_answer": (
        "摄像机的应答无法理解。该地址可能不是 RTSP。",
        "The answer could not be understood; this may be no RTSP address.",
    ),
    "codec_unsupported": (
        "摄像机的编码({codec})平台不支持:请在摄像机上改为 H.264 或 H.265。",
        "The platform does not carry the camera's codec ({codec}): set the camera to H.264 or H.265.",
    ),
    "rtsp_no_video": (
        "没有可用的视频轨(支持 H.264 和 H.265)。",
        "There is no usable video track (H.264 and H.265 are).",
    ),
    "rtsp_no_ports": ("没有空闲的接收端口。", "No receiving port is free."),
    "rtsp_closed": ("摄像机关闭了连接,正在重连。", "The camera closed the connection; reconnecting."),
    "rtsp_session_lost": ("摄像机会话丢失,正在重连。", "The camera's session was lost; reconnecting."),
    "rtsp_host_forbidden": ("不允许访问该地址。", "That address may not be used."),
    "rtsp_no_packet": (
        "摄像机已开始播放,但没有收到视频数据。请改用 TCP 传输。",
        "The camera plays, but no video arrives. Choose TCP transport.",
    ),
    "rtsp_no_key_frame": (
        "收到了数据,但一直没有关键帧。请检查摄像机的 I 帧间隔。",
        "Data arrive, but no key frame. Check the I-frame interval of the camera.",
    ),
    "rtsp_silent": ("摄像机不再发送数据,正在重连。", "The camera fell silent; reconnecting."),
    "rtsp_url": ("不是有效的 RTSP 地址,应以 rtsp:// 开头。", "Not an RTSP address; it begins with rtsp://."),
    "no_rtp_found": (
        "连接已建立,但没有收到视频数据。请改用 TCP 传输。",
        "Connected, but no video arrived. Choose TCP transport.",
    ),
    # --- media
    "stream_closed": ("码流已关闭。", "The stream is closed."),
    "stream_not_prepared": ("码流尚未准备好,请重试。", "The stream was not prepared; try again."),
    "too_many_streams": ("该媒体服务的码流数已达上限。", "This media slot has reached its number of streams."),
    "no_media_port": ("没有空闲的媒体端口。", "No media port is free."),
    "slot_stopping": ("媒体服务正在重启,请重试。", "The media slot restarts; try again."),
    "media_unavailable": ("媒体服务暂时不可用。", "Media cannot be served now."),
    "ssrc_in_use": ("同步源标识被占用,请重试。", "The SSRC is in use; try again."),
    "ssrc_exhausted": ("同步源标识已用完。", "No SSRC is left."),
    "no_picture": ("该时刻没有画面。", "There is no picture at that time."),
    "picture_unreadable": ("画面无法解码。", "The picture could not be decoded."),
    "answer_unexpected": ("内部服务应答异常,请重试。", "A part of the platform gave an unexpected answer; try again."),
    # --- volumes and recordings
    "no_volume": ("没有可用的录像卷。", "There is no volume to record on."),
    "volume_offline": (
        "录像卷 {volume} 不在线。请检查磁盘和挂载。",
        "Volume {volume} is offline. Check the disk and its mount.",
    ),
    "volume_full": (
        "录像卷 {volume} 已满,只剩锁定的录像或其他文件。请腾出空间或增加录像卷。",
        "Volume {volume} is full; only held footage or files of others are left. Free space or add a volume.",
    ),
    "volume_foreign": (
        "录像卷 {volume} 的位置挂载了另一个卷。请挂载原来的磁盘。",
        "Another volume is mounted in the place of volume {volume}. Mount its own disk again.",
    ),
    "volume_read_only": (
        "录像卷 {volume} 变为只读。请检查磁盘;可写后自动恢复录像。",
        "Volume {volume} has become read-only. Check its disk; recording goes on there once it can be written again.",
    ),
    "volume_slow": (
        "录像卷 {volume} 写入过慢,低优先级通道的录像有缺口。请减少码流或更换磁盘。",
        "Volume {volume} is too slow; recordings of the least important channels have gaps. "
        "Give it fewer streams or a faster disk.",
    ),
    "volume_damaged": ("录像卷 {volume} 的标识文件已损坏。", "The identity file of volume {volume} is damaged."),
    # --- the clock
    "clock_unmeasured": ("未设置时间服务器,时钟未核对。", "No time server is set; the clock is not checked."),
    "clock_kept": (
        "时钟由本机的时间服务保持。",
        "The clock is kept by this machine's own time service.",
    ),
    "clock_not_kept": (
        "本机的时间服务没有保持时钟。请在操作系统中启用 chrony 或 systemd-timesyncd。",
        "No time service of this machine keeps its clock. Turn on chrony or systemd-timesyncd in the operating system.",
    ),
    "clock_measuring": ("正在核对时钟。", "The clock is being checked."),
    "clock_good": ("时钟准确(偏差 {seconds} 秒)。", "The clock is right (off by {seconds} s)."),
    "clock_off": (
        "时钟偏差 {seconds} 秒,录像和报警的时间不可靠。平台不会自行调整时钟,请检查操作系统的时间服务。",
        "The clock is off by {seconds} s: times of recordings and alarms are wrong. The platform never sets it; check the time service of the operating system.",
    ),
    "clock_disagreeing": (
        "各时间服务器的时间不一致,无法判断哪个正确。请增加到三个以上并检查。",
        "The time servers disagree, so nobody can say which is right. Name three or more and check them.",
    ),
    "clock_silent": (
        "没有时间服务器应答。请检查地址、网络和防火墙(UDP 123)。",
        "No time server answers. Check its address, the network and the firewall (UDP 123).",
    ),
    "ntp_unknown_host": ("找不到时间服务器 {server}。", "There is no time server called {server}."),
    "ntp_unreachable": ("时间服务器 {server} 无法到达。", "The time server {server} cannot be reached."),
    "ntp_no_answer": (
        "时间服务器 {server} 没有应答。请检查防火墙(UDP 123)。",
        "The time server {server} does not answer. Check the firewall (UDP 123).",
    ),
    "ntp_unsynchronised": (
        "时间服务器 {server} 自身尚未同步。",
        "The time server {server} is not synchronised itself.",
    ),
    "ntp_refused": (
        "时间服务器 {server} 拒绝应答。",
        "The time server {server} refuses to answer.",
    ),
    "volume_not_writable": (
        "录像位置 {path} 无法写入。请检查权限和挂载。",
        "{path} cannot be written. Check permissions and mount.",
    ),
    "volume_too_small": ("录像位置 {path} 可用空间不足 1 GiB。", "{path} has less than 1 GiB free."),
    "disk_busy": ("磁盘来不及写入。", "The disk cannot keep up."),
    "held": ("该录像已锁定,不能删除。", "This footage is held and may not be deleted."),
    "footage_deleted": ("该时段录像已过期删除。", "That footage is past its time and deleted."),
    "footage_damaged": ("该时段录像损坏。", "That footage is damaged."),
    "index_missing": ("录像索引不存在。", "The index of the recordings is missing."),
    "volume_failed": (
        "录像卷 {volume} 写入失败,已停用。请更换或检修磁盘。",
        "Writing to volume {volume} failed; it is out of service. Replace or repair its disk.",
    ),
    "volume_write_failed": (
        "录像卷 {volume} 写入失败,已停用。请更换或检修磁盘。",
        "Writing to volume {volume} failed; it is out of service. Replace or repair its disk.",
    ),
    "volume_error": (
        "录像卷 {volume} 无法使用。请检查磁盘、挂载和权限。",
        "Volume {volume} cannot be used. Check its disk, mount and permissions.",
    ),
    "file_damaged": (
        "数据文件已损坏,已另存并重新建立。",
        "A data file was damaged; it was set aside and begun anew.",
    ),
    "index_version": (
        "录像索引来自更新的版本,请升级。",
        "The index of the recordings is from a newer version; upgrade.",
    ),
    "state_version": ("运行状态文件来自更新的版本,请升级。", "The slot's memory is from a newer version; upgrade."),
    "chunk_too_large": ("一帧数据过大,未录制。", "One picture was too large to record."),
    "export_nothing_recorded": ("所选时段没有录像。", "Nothing is recorded in the chosen range."),
    "export_no_picture": ("所选时段没有可用的画面。", "There is no picture in the chosen range."),
    "export_needs_encoder": (
        "所选时段内画面格式有变化,需要安装编码组件(safecity[av])。",
        "The picture changes within the range; this needs the extra safecity[av].",
    ),
    "export_encoder_failed": ("编码失败,请重试或改为导出原始证据。", "Encoding failed; try again or export evidence."),
    "export_bad_job": ("导出任务内容有误。", "The export job is not valid."),
    "export_failed": ("导出失败,请重试。", "The export failed; try again."),
    "export_no_space": ("磁盘空间不足,导出未完成。", "There is no room on the disk; the export was not finished."),
    "call_too_large": ("一次传递的数据过多。", "Too much data for one message between processes."),
    "call_unknown": ("平台各进程版本不一致,请重启平台。", "The platform's processes differ in version; restart it."),
    "calls_version": ("平台各进程版本不一致,请重启平台。", "The platform's processes differ in version; restart it."),
    "export_unavailable": ("导出功能不可用。", "Exporting is not available."),
    "export_broke": ("导出进程异常结束,请重试。", "The export process ended unexpectedly; try again."),
    "no_footage": ("该时段没有录像。", "There is no footage in that range."),
    # --- duties
    "duty_down": (
        "平台的 {duty} 服务没有运行,正在恢复。",
        "The platform's service {duty} is not running; it is being restored.",
    ),
    "duty_gone": (
        "平台的 {duty} 服务连接中断,请重试。",
        "The connection to the platform's service {duty} broke; try again.",
    ),
    "duty_slow": ("平台的 {duty} 服务应答超时,请重试。", "The platform's service {duty} took too long; try again."),
    "duty_unreachable": ("平台的 {duty} 服务无应答。", "The platform's service {duty} does not answer."),
    # --- tickets
    "ticket_forged": ("播放凭证无效,请重新打开。", "The ticket is not valid; open it again."),
    "ticket_expired": ("播放凭证已过期,请重新打开。", "The ticket has expired; open it again."),
    "ticket_used": ("播放凭证已使用,请重新打开。", "The ticket was used already; open it again."),
}
