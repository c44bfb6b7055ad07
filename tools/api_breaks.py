"""Compare the API with the one of the last release; what a client could trip over fails.

python tools/api_breaks.py [--accept]

What is new is never a break: a route, a field of an answer, an optional field of a request, a value of a list, a
message of a socket (clients pass over what they do not know). `--accept` makes the API of now the one to compare with:
at a release, or when a break is meant and stands in the changelog.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CURRENT = ROOT / "docs" / "reference" / "openapi.json"
BASELINE = ROOT / "docs" / "reference" / "openapi.released.json"
_METHODS = ("get", "put", "post", "delete", "patch")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_WORDS = frozenset({"description", "summary", "title", "examples", "example"})

Schema = dict[str, Any]


@dataclass(frozen=True, order=True)
class Break:
    """`kind` is one word for each way to break, `where` the route and the field, `what` a sentence."""

    where: str
    what: str
    kind: str = field(compare=False)

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def breaks(old: Schema, new: Schema) -> list[Break]:
    """Everything that a client of `old` may trip over in `new`."""
    return sorted(set(_Comparison(old, new).run()))


@dataclass
class _Side:
    """What one of the documents allows at one place, references followed and choices flattened."""

    types: set[str] = field(default_factory=set[str])
    values: set[str] | None = field(default_factory=set[str])
    """Of texts: None is any."""
    objects: dict[str, Schema] = field(default_factory=dict[str, Schema])
    items: list[Schema] = field(default_factory=list[Schema])
    plain: Schema = field(default_factory=dict[str, Any])
    """Limits and format; those of the last choice that has any."""
    told_apart: bool = False


class _Comparison:
    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old, new
        self._seen: set[tuple[str, str, bool]] = set()

    def run(self) -> Iterator[Break]:
        for path, methods in self._old["paths"].items():
            if path not in self._new["paths"]:
                yield Break(path, "the path is gone", "path")
                continue
            for method in _METHODS:
                if method not in methods:
                    continue
                where = f"{method.upper()} {path}"
                if method not in self._new["paths"][path]:
                    yield Break(where, "the operation is gone", "operation")
                else:
                    yield from self._operation(where, methods[method], self._new["paths"][path][method])
        for path, socket in self._old.get("x-websockets", {}).items():
            now = self._new.get("x-websockets", {}).get(path)
            if now is None or now["protocol"] != socket["protocol"]:
                yield Break(f"WebSocket {path}", "the socket is gone", "operation")
            else:
                yield from self._schema(f"WebSocket {path}", socket["message"], now["message"], sent=False)

    def _operation(self, where: str, old: Schema, new: Schema) -> Iterator[Break]:
        if old.get("operationId") != new.get("operationId"):
            yield Break(where, f"its name was {old.get('operationId')}", "name")
        if not _opens(old.get("security", []), new.get("security", [])):
            yield Break(where, "it asks for more than it did to let a client in", "auth")
        if old.get("x-action") != new.get("x-action"):
            yield Break(where, f"the right needed was {old.get('x-action')}, is {new.get('x-action')}", "auth")
        yield from self._parameters(where, old, new)
        yield from self._body(where, old.get("requestBody"), new.get("requestBody"))
        for status, answer in old["responses"].items():
            if not status.startswith("2"):
                continue
            if status not in new["responses"]:
                yield Break(f"{where} answer", f"{status} is gone", "status")
                continue
            now = new["responses"][status].get("content", {})
            for kind, content in answer.get("content", {}).items():
                if kind not in now:
                    yield Break(f"{where} answer", f"{kind} is gone", "content")
                else:
                    yield from self._schema(f"{where} answer", content["schema"], now[kind]["schema"], sent=False)

    def _parameters(self, where: str, old: Schema, new: Schema) -> Iterator[Break]:
        before = {(p["in"], p["name"].lower()): p for p in old.get("parameters", ())}
        after = {(p["in"], p["name"].lower()): p for p in new.get("parameters", ())}
        for key, parameter in before.items():
            place = f"{where} {key[0]} {parameter['name']}"
            if key not in after:
                yield Break(place, "the parameter is gone", "parameter")
            else:
                yield from self._schema(place, parameter["schema"], after[key]["schema"], sent=True)
        for key, parameter in after.items():
            if parameter.get("required") and not before.get(key, {}).get("required"):
                yield Break(f"{where} {key[0]} {parameter['name']}", "it must be sent now", "required")

    def _body(self, where: str, old: Schema | None, new: Schema | None) -> Iterator[Break]:
        if new is not None and new.get("required") and not (old or {}).get("required"):
            yield Break(f"{where} body", "it must be sent now", "required")
        if old is None:
            return
        for kind, content in old["content"].items():
            if new is None or kind not in new["content"]:
                yield Break(f"{where} body", f"{kind} is no longer taken", "content")
            else:
                yield from self._schema(f"{where} body", content["schema"], new["content"][kind]["schema"], sent=True)

    def _schema(self, where: str, old: Schema, new: Schema, *, sent: bool) -> Iterator[Break]:
        """`sent` by the client: the new side must take all that the old one took; else it must give no more."""
        key = (json.dumps(old, sort_keys=True), json.dumps(new, sort_keys=True), sent)
        if key in self._seen:
            return
        self._seen.add(key)
        before, after = _side(old, self._old), _side(new, self._new)
        wide, narrow = (after, before) if sent else (before, after)
        missing = narrow.types - wide.types - ({"integer"} if "number" in wide.types else set())
        if missing and wide.types != {"anything"}:
            yield Break(where, f"its type was {_list(before.types)}, is {_list(after.types)}", "type")
            return
        if before.plain.get("format") != after.plain.get("format"):
            was, now = (side.plain.get("format", "none") for side in (before, after))
            yield Break(where, f"its format was {was}, is {now}", "type")
        yield from self._values(where, before, after, sent=sent)
        if sent:
            yield from _limits(where, before.plain, after.plain)
        yield from self._objects(where, before, after, sent=sent)
        if before.items and after.items:
            yield from self._schema(f"{where}[]", before.items[0], after.items[0], sent=sent)

    def _values(self, where: str, before: _Side, after: _Side, *, sent: bool) -> Iterator[Break]:
        if "string" not in before.types & after.types:
            return
        if before.values is None or after.values is None:
            was, now = ("any text" if side.values is None else "a list" for side in (before, after))
            if was != now and (after.values is None) != sent:
                yield Break(where, f"it was {was}, is {now}", "type")
            return
        for gone in sorted(before.values - after.values):
            yield Break(where, f"the value `{gone}` is gone", "value")

    def _objects(self, where: str, before: _Side, after: _Side, *, sent: bool) -> Iterator[Break]:
        pairs = {name: name for name in before.objects if name in after.objects}
        left = [name for name in before.objects if name not in pairs]
        free = [name for name in after.objects if name not in pairs]
        if len(left) == len(free) == 1:  # only called by another name now
            pairs[left.pop()] = free.pop()
        for name in left:
            yield Break(where, f"{name} is gone", "variant")
        if not sent and not after.told_apart:
            for name in free:
                yield Break(where, f"{name} may come too", "variant")
        for name, now in pairs.items():
            yield from self._object(where, before.objects[name], after.objects[now], sent=sent)

    def _object(self, where: str, old: Schema, new: Schema, *, sent: bool) -> Iterator[Break]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, schema in before.items():
            if name not in after:
                yield Break(f"{where} .{name}", "the field is gone", "property")
            else:
                yield from self._schema(f"{where} .{name}", schema, after[name], sent=sent)
        must_before, must_after = set(old.get("required", ())), set(new.get("required", ()))
        if sent:
            for name in sorted(must_after - must_before):
                yield Break(f"{where} .{name}", "it must be sent now", "required")
        else:
            for name in sorted((must_before - must_after) & set(after)):
                yield Break(f"{where} .{name}", "it may be absent now", "optional")
        rest, now = old.get("additionalProperties"), new.get("additionalProperties")
        if isinstance(rest, dict) and isinstance(now, dict):
            yield from self._schema(f"{where} .*", rest, now, sent=sent)
        elif isinstance(rest, dict) or (sent and now is False and rest is not False):
            yield Break(where, "fields of any name are no longer allowed", "type")


def _side(schema: Schema, document: Schema, name: str = "") -> _Side:
    if "$ref" in schema:
        target = schema["$ref"].rpartition("/")[2]
        return _side(document["components"]["schemas"][target], document, target)
    side = _Side()
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        for choice in choices:
            _join(side, _side(choice, document))
        side.told_apart = "discriminator" in schema
        return side
    named = schema.get("type", "anything")
    side.types = set(named) if isinstance(named, list) else {named}
    listed = schema.get("enum", [schema["const"]] if "const" in schema else None)
    side.values = {str(one) for one in listed} if listed is not None else (None if "string" in side.types else set())
    if "object" in side.types:
        side.objects[name] = schema
    if "items" in schema:
        side.items.append(schema["items"])
    side.plain = {k: v for k, v in schema.items() if k in (*_UPPER, *_LOWER, "pattern", "format")}
    return side


def _join(side: _Side, other: _Side) -> None:
    side.types |= other.types
    side.values = None if side.values is None or other.values is None else side.values | other.values
    side.objects |= other.objects
    side.items += other.items
    side.plain |= other.plain


def _limits(where: str, old: Schema, new: Schema) -> Iterator[Break]:
    for name in _UPPER:
        if name in new and new[name] < old.get(name, float("inf")):
            yield Break(where, f"{name} was {old.get(name, 'none')}, is {new[name]}", "limit")
    for name in _LOWER:
        if name in new and new[name] > old.get(name, float("-inf")):
            yield Break(where, f"{name} was {old.get(name, 'none')}, is {new[name]}", "limit")
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        yield Break(where, f"pattern was {old.get('pattern', 'none')}, is {new['pattern']}", "limit")


def _opens(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> bool:
    """Whether all that let a client in before still does."""
    return all(any(set(now) <= set(before) for now in new or [{}]) for before in old or [{}])


def _list(types: set[str]) -> str:
    return " or ".join(sorted(types))


def wordless(value: Any, *, names: bool = False) -> Any:
    """Without what is only for reading. `names`: the keys are names of fields, and one may be called `title`."""
    if isinstance(value, list):
        return [wordless(one) for one in value]
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if names or k not in _WORDS}
        return {k: wordless(v, names=not names and k in ("properties", "schemas")) for k, v in kept.items()}
    return value


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--accept", action="store_true", help="compare with the API of now from here on")
    options = parser.parse_args()
    current = json.loads(CURRENT.read_text("utf-8"))
    if options.accept:
        BASELINE.write_text(json.dumps(wordless(current), separators=(",", ":"), sort_keys=True) + "\n", "utf-8")
        return 0
    found = breaks(json.loads(BASELINE.read_text("utf-8")), current)
    for one in found:
        sys.stderr.write(f"{one}\n")
    if found:
        sys.stderr.write(
            f"{len(found)} breaks of the API since the last release. Keep what clients stand on and add beside it; a\n"
            "break that is meant goes into the changelog and is accepted with `tools/api_breaks.py --accept`.\n"
        )
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
