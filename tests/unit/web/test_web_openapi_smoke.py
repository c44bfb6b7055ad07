"""What the OpenAPI description says is what happens: a small deterministic run of schemathesis over the reads."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

SKIPPED = {"make_administrator", "sign_in"}


def collect(operation: Any) -> list[Any]:
    """Three requests that the description allows, the same each time."""
    cases: list[Any] = []

    @settings(
        max_examples=3,
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


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
async def test_generated_requests_get_answers_and_never_a_crash(house: Any, admin: Any) -> None:
    schema = schemathesis.openapi.from_dict(describe(house.app))
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.definition.raw["operationId"] in SKIPPED:
            continue
        cases = collect(operation)
        for case in cases:
            sent = case.as_transport_kwargs(base_url="http://127.0.0.1:8080")
            sent["headers"] = {**dict(sent.get("headers") or {}), "x-csrf-token": admin.me["csrf"]}
            sent.pop("cookies", None)
            if "data" in sent:
                sent["content"] = sent.pop("data")
            try:
                answer = await admin.inner.request(**sent)
            except (UnicodeEncodeError, ValueError, TypeError):
                continue  # the client cannot even write it
            asked += 1
            assert answer.status_code != 500, f"{operation.label}: {answer.text[:300]}"
            if operation.definition.raw["operationId"] == "sign_out" or answer.status_code == 401:
                await admin.sign_in("root")
    assert asked > 100
