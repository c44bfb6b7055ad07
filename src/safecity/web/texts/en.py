"""Sentences in English."""

EN: dict[str, str] = {
    "internal_code": "Something went wrong (code {code}).",
}
