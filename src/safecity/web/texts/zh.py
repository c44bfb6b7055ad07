"""Sentences in Chinese."""

ZH: dict[str, str] = {
    "internal_code": "出现问题(代码 {code})。",
}
