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
}
