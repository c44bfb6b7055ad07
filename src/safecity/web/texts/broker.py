"""Words about the broker that positions come from. (Chinese, English)."""

BROKER: dict[str, tuple[str, str]] = {
    "mqtt_starting": ("正在连接 {broker}。", "{broker} is being called."),
    "mqtt_unreachable": (
        "无法连接 {broker}。请核对地址、端口和防火墙,平台会继续重试。",
        "{broker} cannot be reached. Check address, port and firewall; the platform goes on trying.",
    ),
    "mqtt_certificate": (
        "{broker} 的证书未通过校验。请核对主机名,或在 mqtt.ca 中设置签发者。",
        "The certificate of {broker} was not accepted. Check the host name, or set mqtt.ca to who signed it.",
    ),
    "mqtt_lost": (
        "与 {broker} 的连接已中断,平台会继续重试。若反复中断,可能有另一程序使用同一 mqtt.client_id。",
        "{broker} broke off; the platform goes on trying. Where it repeats, another may use mqtt.client_id.",
    ),
    "mqtt_silent": ("{broker} 没有应答,平台会继续重试。", "{broker} does not answer; the platform goes on trying."),
    "mqtt_malformed": ("{broker} 的应答不是 MQTT。请核对端口。", "What {broker} says is not MQTT. Check the port."),
    "mqtt_login": (
        "{broker} 不接受 mqtt.url 中的用户名或密码。",
        "{broker} does not accept the name or the password in mqtt.url.",
    ),
    "mqtt_version": (
        "{broker} 不支持此 MQTT 版本。请将 mqtt.version 改为 v3.1.1。",
        "{broker} does not speak this version of MQTT. Set mqtt.version to v3.1.1.",
    ),
    "mqtt_client_id": (
        "{broker} 不接受此客户端标识。请更改 mqtt.client_id。",
        "{broker} does not accept this name of a client. Change mqtt.client_id.",
    ),
    "mqtt_taken_over": (
        "另一程序以同一客户端标识连接了 {broker}。请更改 mqtt.client_id。",
        "Somebody else came to {broker} under the same name. Change mqtt.client_id.",
    ),
    "mqtt_not_allowed": (
        "{broker} 不允许平台订阅。请为该用户开放 mqtt.topic 下的读取权限。",
        "{broker} does not let the platform listen. Let this user read below mqtt.topic.",
    ),
    "mqtt_refused": ("{broker} 拒绝了连接(代码 {number})。", "{broker} said no (number {number})."),
    "mqtt_at_most_once": (
        "{broker} 只提供“最多一次”的投递:平台不在时的位置会丢失。",
        "{broker} promises nothing: what is sent while the platform is away is lost.",
    ),
    "mqtt_too_long": ("消息过长,最大 256 KiB。", "The message is longer than 256 KiB."),
    "mqtt_retained": (
        "消息代理保留的旧消息,不代表当前位置。",
        "The broker had kept it from before: it does not say where somebody is now.",
    ),
    "mqtt_flood": (
        "上报过于频繁:每台设备每秒最多 20 个位置,积压最多 2000 个。",
        "Too many: a device may tell 20 positions a second, after 2,000 at once.",
    ),
    "mqtt_failed": ("平台处理时出错,详见日志。", "The platform failed at it; the log says how."),
    "mqtt_not_json": ("不是 JSON(UTF-8)。", "It is no JSON (UTF-8)."),
    "mqtt_unknown_device": ("主题末级不是任何设备的名称。", "The last part of its topic is the name of no device."),
    "mqtt_switched_off": ("设备已停用。", "The device is switched off."),
}
