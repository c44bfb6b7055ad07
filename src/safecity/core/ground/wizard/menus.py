"""Where each maker hides the GB/T 28181 page, and what to type where. Words are the makers' own menu texts.

From general knowledge of common firmware; versions differ, and the screen says so.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MakerMenu:
    """`path` by language; `notes` are codes of the catalogue."""

    maker: str
    name: dict[str, str]
    path: dict[str, tuple[str, ...]]
    fields: dict[str, dict[str, str]]
    notes: tuple[str, ...] = ()


_FIELDS_COMMON = {
    "server_code": {"zh": "SIP服务器编号", "en": "SIP server ID"},
    "domain": {"zh": "SIP服务器域", "en": "SIP server domain"},
    "server_address": {"zh": "SIP服务器地址", "en": "SIP server address"},
    "server_port": {"zh": "SIP服务器端口", "en": "SIP server port"},
    "device_code": {"zh": "设备编号", "en": "Device ID"},
    "password": {"zh": "注册密码", "en": "Registration password"},
    "expires": {"zh": "注册有效期", "en": "Registration validity"},
    "keepalive": {"zh": "心跳周期", "en": "Heartbeat cycle"},
    "channel_code": {"zh": "视频通道编码ID", "en": "Video channel ID"},
}

MENUS: tuple[MakerMenu, ...] = (
    MakerMenu(
        "hikvision",
        {"zh": "海康威视", "en": "Hikvision"},
        {
            "zh": ("配置", "网络", "高级配置", "平台接入", "平台接入方式：28181"),
            "en": ("Configuration", "Network", "Advanced Settings", "Platform Access", "Platform Access Mode: 28181"),
        },
        _FIELDS_COMMON
        | {
            "device_code": {"zh": "SIP用户名与设备编号", "en": "SIP user name and device ID"},
            "password": {"zh": "密码", "en": "Password"},
        },
        ("menu_enable_first", "menu_user_name_is_code"),
    ),
    MakerMenu(
        "dahua",
        {"zh": "大华", "en": "Dahua"},
        {
            "zh": ("设置", "网络设置", "平台接入", "GB28181"),
            "en": ("Setup", "Network", "Platform Access", "GB28181"),
        },
        _FIELDS_COMMON,
        ("menu_enable_first", "menu_unregistered_hint"),
    ),
    MakerMenu(
        "uniview",
        {"zh": "宇视", "en": "Uniview"},
        {
            "zh": ("配置", "系统", "服务器", "管理服务器：国标"),
            "en": ("Setup", "System", "Server", "Management Protocol: GB/T 28181"),
        },
        _FIELDS_COMMON | {"device_code": {"zh": "设备ID", "en": "Device ID"}},
        ("menu_restart_after",),
    ),
    MakerMenu(
        "tiandy",
        {"zh": "天地伟业", "en": "Tiandy"},
        {
            "zh": ("设置", "网络", "平台接入", "GB28181"),
            "en": ("Settings", "Network", "Platform Access", "GB28181"),
        },
        _FIELDS_COMMON,
    ),
    MakerMenu(
        "huawei",
        {"zh": "华为（好望）", "en": "Huawei (HoloSens)"},
        {
            "zh": ("设置", "网络设置", "平台对接", "第二协议参数：T28181"),
            "en": ("Settings", "Network", "Platform Connection", "T28181 protocol"),
        },
        _FIELDS_COMMON,
        ("menu_prefer_tcp_active",),
    ),
    MakerMenu(
        "other",
        {"zh": "其他厂商", "en": "Other makers"},
        {
            "zh": ("设置", "网络", "平台接入", "GB/T 28181"),
            "en": ("Settings", "Network", "Platform access", "GB/T 28181"),
        },
        _FIELDS_COMMON,
        ("menu_look_for_28181",),
    ),
)


def menu_of(maker: str) -> MakerMenu:
    """The maker's menu, or that of `other`."""
    return next((menu for menu in MENUS if menu.maker == maker), MENUS[-1])
