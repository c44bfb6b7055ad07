"""What we ask of libraries below, in both forms: our own reader takes it for what was meant."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.kit.clock import SECOND_US
from safecity.protocols.gat1400.codes import device_type
from safecity.protocols.gat1400.dispositions import (
    read_answered,
    read_disposition,
    write_disposition,
    write_hit,
    write_removal,
)
from safecity.protocols.gat1400.envelope import read_body, read_list, write_json, write_list, write_one
from safecity.protocols.gat1400.objects import ViidObject, read_object
from safecity.protocols.gat1400.resources import BY_NAME, Resource
from safecity.protocols.gat1400.subscriptions import read_subscription, write_cancellation, write_subscription
from safecity.protocols.gat1400.xmlform import CONTENT_TYPE, read_form, write_form

BEGIN = 1_700_000_000 * SECOND_US
END = BEGIN + 86_400 * SECOND_US
NUMBER = "340200000000032023111506132000001"
FORMS = ("json", "xml")
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=40)


def there(form: str, resource: Resource, body: dict[str, Any]) -> ViidObject:
    """As the other side reads it."""
    kind, data = (CONTENT_TYPE, write_form(body)) if form == "xml" else ("application/json", write_json(body))
    (one,) = read_list(resource, read_body(kind, data))
    assert isinstance(one, ViidObject)
    return one


def asked(**more: Any) -> dict[str, Any]:
    return write_subscription(**{
        "identity": NUMBER, "title": "vehicles", "details": [13, 7], "library": "34020300005030000001",
        "applicant": ("Li", "bureau"), "begin": BEGIN, "end": END, "receive_addr": "http://10.0.0.1:8080/VIID/x",
        "interval_seconds": 5, "reason": "agreement 7", **more,
    })  # fmt: skip


def wanted(**more: Any) -> dict[str, Any]:
    return write_disposition(**{
        "identity": NUMBER, "title": "stolen car", "plate": "皖A12B45", "priority": 2, "applicant": ("Li", "bureau"),
        "begin": BEGIN, "end": END, "made": BEGIN, "receive_addr": "http://10.0.0.1:8080/VIID/x", "reason": "stolen",
        "case_number": "A-7", **more,
    })  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_subscription_of_ours_is_read_as_it_is_meant_and_its_end_as_an_end(form: str) -> None:
    resource = BY_NAME["Subscribe"]
    wish = read_subscription(there(form, resource, write_list(resource, [asked()])))
    assert (wish.id, wish.details, wish.begin, wish.end) == (NUMBER, {7, 13}, BEGIN, END)
    assert (wish.interval_seconds, wish.images, wish.cancels) == (5, None, False)
    for kind, tells in (("MotorVehicle", True), ("Tollgate", True), ("Face", False), ("APE", False)):
        assert wish.wants(kind, device="1", tollgate="2", now=BEGIN) is tells, kind
    assert not wish.wants("MotorVehicle", device="1", tollgate="2", now=END)
    over = write_cancellation(asked(), organisation="bureau", person="", at=END, reason="over")
    assert read_subscription(there(form, resource, write_one(resource, over))).cancels


@pytest.mark.parametrize("form", FORMS)
def test_a_disposition_of_ours_is_read_as_it_is_meant_and_its_end_as_an_end(form: str) -> None:
    resource = BY_NAME["Disposition"]
    wish = read_disposition(there(form, resource, write_list(resource, [wanted()])))
    assert (wish.plate, wish.priority, wish.reason, wish.case_number) == ("皖A12B45", 2, "stolen", "A-7")
    assert (wish.begin, wish.end, wish.withdraws, wish.applicant) == (BEGIN, END, False, "Li bureau")
    over = write_removal(wanted(), organisation="bureau", person="", at=END, reason="found")
    for in_place in (True, False):  # not every library tells PUT from POST
        assert read_disposition(there(form, resource, write_one(resource, over)), changed_in_place=in_place).withdraws


@given(title=WORDS, reason=WORDS)
def test_xml_carries_every_word(title: str, reason: str) -> None:
    resource = BY_NAME["Subscribe"]
    one = there("xml", resource, write_list(resource, [asked(title=title, reason=reason)]))
    assert (one.fields["Title"], one.fields["Reason"]) == (title, reason)


def test_xml_has_an_element_for_each_entry_of_a_list_and_one_root() -> None:
    body = {"A": {"B": [{"C": 1}, {"C": None}], "D": "x"}}
    assert read_form(write_form(body)) == {"A": {"B": [{"C": "1"}, {"C": ""}], "D": "x"}}
    with pytest.raises(ValueError, match="unpack"):
        write_form({"A": 1, "B": 2})


def test_a_hit_says_what_it_answers_and_what_was_met() -> None:
    vehicle = {"MotorVehicleID": "7", "PlateNo": "皖A12B45"}
    notice = write_hit(identity="1", disposition=NUMBER, title="t", vehicle=vehicle, at=BEGIN)
    answer = read_answered(read_object(BY_NAME["DispositionNotification"], notice))
    assert answer.vehicle is not None
    assert (answer.disposition, answer.vehicle.id) == (NUMBER, "7")


@pytest.mark.parametrize(
    "inside",
    [
        None, "text", [], [{"MotorVehicleID": "1"}, {"MotorVehicleID": "2"}], {"PlateNo": "皖A12B45"},
        {"MotorVehicleID": ""},
    ],
)  # fmt: skip
def test_what_tells_of_no_vehicle_or_of_two_is_no_hit(inside: Any) -> None:
    notice = {"NotificationID": "1", "DispositionID": NUMBER, "MotorVehicleObject": inside}
    assert read_answered(read_object(BY_NAME["DispositionNotification"], notice)).vehicle is None


def test_a_platform_that_comes_by_its_code_of_another_standard_is_told_from_a_camera() -> None:
    assert device_type("34020000002000000001") == "platform"
    assert device_type("34020000001190000001") == "ape"
