"""Words about guidance signs (Chinese, English), and the words that are proposed to stand on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

SIGNS: dict[str, tuple[str, str]] = {
    "sign_address": (
        "诱导屏地址必须是不带账号的 http 或 https 地址。",
        "The address of a sign must be one of http or https, without a name or password in it.",
    ),
    "sign_invalid": ("诱导屏的 {field} 取值无效。", "Not a value for {field} of a sign."),
    "sign_key": (
        "密钥须为 {least} 至 {most} 个可见的 ASCII 字符。",
        "A key has {least} to {most} visible letters of ASCII.",
    ),
    "sign_lines": ("内容不能为空，且最多 {limit} 行。", "It needs words, and at most {limit} lines of them."),
    "sign_width": (
        "第 {line} 行超过 {limit} 列(汉字占两列)。",
        "Line {line} is wider than {limit} columns (a Chinese character takes two).",
    ),
    "sign_letters": ("第 {line} 行含有无法显示的字符。", "Line {line} has letters that cannot be shown."),
    "sign_message": ("内容的 {field} 取值无效。", "Not a value for {field} of a message."),
    "sign_status": ("诱导屏拒绝了请求,请核对地址与密钥。", "The sign refuses; look at its address and its key."),
    "sign_unreadable": (
        "该地址的应答不是诱导屏协议。",
        "What answers at the address does not speak the wire of signs.",
    ),
    "sign_key_wrong": ("诱导屏的密钥与平台不一致。", "The key of the sign is another one than here."),
    "sign_other_answer": ("诱导屏的应答与请求不符。", "The sign answers something else than it was asked."),
    "sign_not_taken": ("诱导屏没有按要求显示。", "The sign does not do as it is told."),
    "http_unknown_host": ("找不到该主机名。", "There is no such host name."),
    "http_refused_address": ("平台不会访问这个地址。", "The platform does not go to this address."),
    "http_unreachable": ("无法连接。", "It cannot be reached."),
    "http_no_answer": ("没有及时应答。", "It does not answer in time."),
    "http_answer_unexpected": ("应答不是可用的 HTTP。", "What it answers is no HTTP that could be used."),
    "sign_fault_dark": ("屏幕不亮。", "It is dark."),
    "sign_fault_pixels": ("部分像素损坏。", "Some of its lights are broken."),
    "sign_fault_power": ("供电故障。", "Its power fails."),
    "sign_fault_door": ("箱门被打开。", "Its door is open."),
    "sign_fault_temperature": ("温度异常。", "It is too hot or too cold."),
    "sign_fault_other": ("诱导屏报告故障。", "It says that something is wrong with it."),
}

_TROUBLES: Final[dict[str, tuple[tuple[str, str], tuple[str, str]]]] = {
    "jam": (("拥堵", "请减速慢行"), ("QUEUE", "SLOW DOWN")),
    "works": (("施工封路", "请提前绕行"), ("ROAD WORKS", "ROAD CLOSED")),
    "accident": (("事故封路", "请提前绕行"), ("ACCIDENT", "ROAD CLOSED")),
    "event": (("活动封路", "请提前绕行"), ("EVENT", "ROAD CLOSED")),
    "weather": (("天气封路", "请减速慢行"), ("WEATHER", "ROAD CLOSED")),
    "order": (("交通管制", "请提前绕行"), ("TRAFFIC CONTROL", "ROAD CLOSED")),
}


def warning(
    kind: str, metres: float, language: str, lines: int, columns: int, width: Callable[[str], int]
) -> tuple[str, ...]:
    """What a sign could say of a trouble so far ahead, as fully as it has room; () where not even a word fits."""
    chinese, english = _TROUBLES[kind]
    far = f"{max(metres, 100) / 1000:.1f}"
    if language == "zh":
        what, then = chinese
        firsts = (f"前方{far}公里{what}", f"前方{what}", what)
    else:
        what, then = english
        firsts = (f"{what} IN {far} KM", f"{what} AHEAD", what)
    first = next((text for text in firsts if width(text) <= columns), "")
    if not first:
        return ()
    return (first, then) if lines > 1 and width(then) <= columns else (first,)
