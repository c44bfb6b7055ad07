# ruff: noqa: E501 - a sentence is one line
"""The step at which a vehicle terminal did not do what it was told, or its pictures did not come. (Chinese, English)."""

VEHICLE_STEPS: dict[str, tuple[str, str]] = {
    # --- orders (JT/T 808)
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
    "terminal_message": ("没有编号为 {message} 的消息。", "There is no message {message}."),
    "terminal_field": ("字段 {field} 缺失或取值无效。", "The field {field} is missing, or no value for it."),
    "terminal_not_said": (
        "消息 {message} 不能这样下发:它由平台自动发送,或有专门的操作,或会使终端失去联系。",
        "Message {message} is not said like this: the platform says it by itself, it has a way of its own, or it would cut the terminal off.",
    ),
    "terminal_out_of_reach": (
        "参数 {parameter} 决定终端连接哪个平台,改错后终端将失去联系,因此不能在此设置。",
        "Parameter {parameter} says which servers the terminal connects to: a mistake would cut it off, so it is not set from here.",
    ),
    "terminal_listeners": (
        "参数 {parameter} 决定哪个电话可以监听车内。监听不会留下任何记录，因此不能在此设置。",
        "Parameter {parameter} says which telephone may listen in the vehicle. Nothing would be written down of that, so it is not set from here.",
    ),
    "terminal_no_camera": (
        "终端没有此通道的摄像机，或不能用它拍照。",
        "The terminal has no such camera, or takes no pictures with it.",
    ),
    # --- pictures (JT/T 1078)
    "jt_no_connection": (
        "终端已接受请求，但没有连接到媒体端口。请检查媒体端口（TCP）是否对车辆网络放行，以及设置 jt808.media_host。",
        "The terminal accepted, but did not connect to the media port. Check that vehicles reach the media ports (TCP), and the setting jt808.media_host.",
    ),
    "jt_no_datagram": (
        "终端已接受请求，但没有数据到达媒体端口（UDP）。请检查媒体端口是否对车辆网络放行，以及设置 jt808.media_host；或将该终端的传输方式改为 TCP。",
        "The terminal accepted, but nothing came to the media port (UDP). Check that vehicles reach the media ports, and the setting jt808.media_host; or have this terminal send over TCP.",
    ),
    "jt_other_number": (
        "终端在媒体数据中使用了另一个终端手机号（{seen}，应为 {expected}），已拒绝。请检查终端中的手机号设置。",
        "What came to the media port names another terminal ({seen} instead of {expected}) and was refused. Check the phone number set in the terminal.",
    ),
    "jt_other_channel": (
        "终端在媒体数据中写的是通道 {seen}（应为 {expected}），已拒绝。请检查终端中的通道设置。",
        "What the terminal sends names its camera {seen} instead of {expected}, and was refused. Check how cameras are numbered in the terminal.",
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
    "jt_attachment_no_connection": (
        "终端未上传报警附件：没有连接到附件端口。请检查该端口（设置 jt808.attachment_port）是否对车辆网络放行，以及设置 jt808.media_host。",
        "The terminal did not bring what it recorded of an alarm: it did not connect. Check that vehicles reach the port (setting jt808.attachment_port), and the setting jt808.media_host.",
    ),
    "jt_attachment_not_given": (
        "终端拒绝上传报警附件，可能不支持主动安全报警附件上传。",
        "The terminal refuses to bring what it recorded of an alarm; it may not know how (T/JSATL 12).",
    ),
    "jt_attachment_too_many": (
        "终端要上传的报警附件多于报警中所述，或超过设置 jt808.attachment_files，已拒绝。",
        "The terminal would bring more files of an alarm than it announced, or than the setting jt808.attachment_files allows, and was refused.",
    ),
    "jt_attachment_too_large": (
        "终端要上传的报警附件过大（设置 jt808.attachment_mib），已拒绝。",
        "What the terminal would bring of an alarm is too large (setting jt808.attachment_mib), and was refused.",
    ),
    "jt_attachment_bad_name": (
        "终端的报警附件文件名为空、重复或超过 50 字节，已拒绝。",
        "Names of what the terminal recorded of an alarm are empty, twice the same or longer than 50 bytes; it was refused.",
    ),
    "jt_attachment_not_announced": (
        "终端上传的报警附件不在其附件列表中，已拒绝。",
        "The terminal brings a file of an alarm that is not in its list; it was refused.",
    ),
    "jt_attachment_other_size": (
        "终端上传的报警附件大小与其附件列表不一致，已拒绝。",
        "A file of an alarm has another size than in the terminal's list; it was refused.",
    ),
    "jt_attachment_outside": (
        "终端上传的报警附件数据超出文件大小，已拒绝。",
        "The terminal sent bytes behind the end of a file of an alarm; they were refused.",
    ),
    "jt_attachment_incomplete": (
        "报警附件多次补传后仍不完整，已放弃本次上传。",
        "A file of an alarm stayed incomplete though its rest was asked for many times; that connection was ended.",
    ),
    "jt_attachment_flood": (
        "终端重复发送大量报警附件数据，已断开。",
        "The terminal sent far more than its files of an alarm are large; it was cut off.",
    ),
    "jt_attachment_no_room": (
        "未获取报警附件：该终端待上传的报警过多，或平台暂存空间已满。",
        "What the terminal recorded of an alarm was not taken: too many of its alarms wait, or there is no room for files on their way.",
    ),
    "jt_attachment_not_kept": (
        "报警附件未能保存，终端将再次上传。请检查平台磁盘空间，以及该车辆一天内的附件数量。",
        "What the terminal recorded of an alarm could not be kept; it comes again. Check the disk, and how much the vehicle brought within a day.",
    ),
}
