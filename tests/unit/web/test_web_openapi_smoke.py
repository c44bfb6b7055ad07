"""What the description says is what happens: a small deterministic run of schemathesis against the whole application.

Each operation is asked twice over: with generated ids, which lead nowhere, and with those of things that are there.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS

from safecity.kit.errors import RefusedError
from safecity.model.facts.media_calls import AskDays, AskStreams, AskTimeline, Days, StreamFigures
from safecity.model.facts.media_calls import Timeline as TimelineAnswer

SKIPPED = {"make_administrator", "sign_in", "delete_user", "change_user", "end_sessions", "end_session"}
"""Public ones, and those that would sign out or lock out whoever asks; they have stories of their own."""
CODE = "34020000001320000001"
EXAMPLES = 4
OWN = {"cookie", "x-csrf-token"}


_COLLECTED: dict[str, list[Any]] = {}


def collect(operation: Any) -> list[Any]:
    """Requests that the description allows, the same each time: made once, for they take longer than to be asked."""
    if operation.label not in _COLLECTED:
        _COLLECTED[operation.label] = _collect(operation)
    return [
        operation.Case(
            method=case.method, path_parameters=dict(case.path_parameters or {}), headers=dict(case.headers or {}),
            query=dict(case.query or {}), body=case.body, media_type=case.media_type,
        )
        for case in _COLLECTED[operation.label]
    ]  # fmt: skip


def _collect(operation: Any) -> list[Any]:
    cases: list[Any] = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy())
    def keep(case: Any) -> None:
        cases.append(case)

    keep()
    return cases


def describe(app: Any) -> dict[str, Any]:
    return app.openapi()


def test_every_operation_has_a_summary_an_action_and_a_unique_name(house: Any) -> None:
    names: list[str] = []
    for path, methods in describe(house.app)["paths"].items():
        for method, operation in methods.items():
            assert operation["x-action"], f"{method} {path}"
            assert operation["description"], f"{method} {path} says nothing"
            names.append(operation["operationId"])
    assert len(names) == len(set(names))
    assert len(names) > 70


@pytest.fixture
async def things(house: Any, admin: Any) -> dict[str, str]:
    """One of everything, by the name of its parameter; and duties that answer."""
    area = await admin.ok("POST", "areas", {"name": "Wuhu", "code": "34"})
    device = await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": "Gate", "area": area["id"]})
    await house.online(device["id"], CODE)
    await house.catalogue(device["id"], {"code": CODE, "name": "Gate", "ptz_type": 1})
    await house.publish("alarm.received", device["id"], {"device": device["id"], "code": CODE, "priority": "1"})
    (channel,) = (await admin.ok("GET", "channels"))["items"]
    (alarm,) = (await admin.ok("GET", "alarms"))["items"]
    span = {"channel": channel["id"], "start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"}
    found = {
        "area": area["id"],
        "device": device["id"],
        "channel": channel["id"],
        "alarm": alarm["id"],
        "hold": (await admin.ok("POST", "holds", {**span, "reason": "case"}))["id"],
        "export": (await admin.ok("POST", "exports", span))["id"],
        "organisation": (await admin.ok("POST", "organisations", {"name": "Bureau"}))["id"],
        "view": (await admin.ok("POST", "views", {"name": "Gates", "layout": {"size": 1, "tiles": []}}))["id"],
        "tour": (await admin.ok("POST", "tours", {"name": "Round", "channels": [channel["id"]]}))["id"],
        "user": admin.me["user"]["id"],
        "session": admin.me["session"],
    }
    house.calls.answers |= {
        AskDays: Days((0,)),
        AskTimeline: TimelineAnswer(channel["id"], (), ()),
        AskStreams: StreamFigures((), (), 0.0),
    }
    return found


CHECKED = ("status_code_conformance", "content_type_conformance", "response_schema_conformance")


def aim(case: Any, things: dict[str, str]) -> None:
    """At things that are there, from the beginning of lists, at whatever revision."""
    case.path_parameters = {part: things.get(part, value) for part, value in (case.path_parameters or {}).items()}
    case.query = {part: things.get(part, value) for part, value in (case.query or {}).items() if part != "cursor"}
    case.headers = {}
    if isinstance(case.body, dict):
        case.body = {part: things.get(part, value) for part, value in case.body.items()}


def sent(case: Any, csrf: str) -> dict[str, Any]:
    """As the browser would send it: with its own session, not with a generated one."""
    found: dict[str, Any] = case.as_transport_kwargs(base_url="http://127.0.0.1:8080")
    headers = {name: value for name, value in (found.get("headers") or {}).items() if name.lower() not in OWN}
    found["headers"] = {**headers, "x-csrf-token": csrf}
    found.pop("cookies", None)
    if "data" in found:
        found["content"] = found.pop("data")
    return found


class Refusing(dict[Any, Any]):
    """Every duty refuses everything, as a device does that does not want to."""

    def get(self, *_: Any) -> Any:
        return RefusedError("it does not want to", code="device_refused")


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
@pytest.mark.parametrize("duties", ["answer", "refuse", "are gone"])
async def test_generated_requests_get_the_answers_that_are_described(
    duties: str, house: Any, admin: Any, things: dict[str, str]
) -> None:
    if duties == "refuse":
        house.calls.answers = Refusing()
    elif duties == "are gone":
        house.calls.down = {"signal", *house.services.web.slots}
    operations = [found.ok() for found in schemathesis.openapi.from_dict(describe(house.app)).get_all_operations()]
    # What removes things comes last, so that the others find them.
    operations.sort(key=lambda one: (one.method.upper() == "DELETE" or "remove" in one.path, one.path))
    checks = CHECKS.get_by_names(CHECKED)
    asked, done = 0, set[str]()
    for operation in operations:
        name = operation.definition.raw["operationId"]
        # Duties that do not answer are met by half as many: what is asked matters less then.
        for case in (
            collect(operation)[: EXAMPLES if duties == "answer" else EXAMPLES // 2] if name not in SKIPPED else ()
        ):
            for aimed in (False, True):
                if aimed:
                    aim(case, things)
                if asked % 200 == 0:
                    house.move(admin, asked // 200)  # floods are not what is tried here
                try:
                    answer = await admin.inner.request(**sent(case, admin.me["csrf"]))
                except (UnicodeEncodeError, ValueError, TypeError):
                    continue  # the client cannot even write it
                asked += 1
                assert answer.status_code != 500, f"{operation.label}: {answer.text[:300]}"
                assert "urn:safecity:problem:too_many_requests" not in answer.text, operation.label
                case.validate_response(answer, checks=checks)
                if answer.is_success:
                    done.add(name)
                if name == "sign_out" or answer.status_code == 401:
                    await admin.sign_in("root")
    assert asked > 400
    assert len(done) > (60 if duties == "answer" else 40)
