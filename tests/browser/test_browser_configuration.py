"""The configuration that a device keeps itself, and how it proves its password: read, changed, refused."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest
from benchmarks.whole import Platform, until
from playwright.sync_api import Page, expect
from tests.browser.conftest import add_device, sign_in

from safecity.sim.gb28181.device import SimDevice
from safecity.sim.yard import Yard


@pytest.fixture(scope="module")
def city(bare: Platform) -> Platform:
    return bare


@pytest.fixture(scope="module")
def camera(city: Platform, yard: Yard) -> tuple[SimDevice, str, str]:
    """A camera of 2022, its id, and the id of its channel."""
    device, [channel] = add_device(city, yard, 6001)
    return device, city.get(f"/channels/{channel}")["device"], channel


def opened(open_page: Callable[..., Page], device: str) -> Page:
    page = open_page(f"/devices/{device}", width=1440, height=900)
    page.get_by_role("tab", name="Configuration").click()
    return page


def test_what_a_device_says_of_itself_is_shown_and_what_is_changed_reaches_it(
    open_page: Callable[..., Page], camera: tuple[SimDevice, str, str]
) -> None:
    device, ident, _ = camera
    page = opened(open_page, ident)
    basics = page.get_by_role("region", name="Basics")
    name = basics.get_by_label("Name")
    expect(name).to_have_value(device.spec.name, timeout=20_000)
    expect(basics.get_by_label("Keepalive every")).to_have_value("10")
    write = basics.get_by_role("button", name="Write to the device")
    expect(write).to_be_disabled()
    name.fill("East gate")
    basics.get_by_label("Missed keepalives until offline").fill("5")
    write.click()
    expect(page.get_by_text("Written, and the device answers so")).to_be_visible(timeout=20_000)
    assert device.state.config["Name"] == "East gate"
    assert (device.spec.keepalive_misses, device.spec.keepalive_seconds) == (5, 10.0), "what was left is as it was"
    expect(write).to_be_disabled()


def test_the_other_types_are_asked_on_request_and_a_device_that_only_says_ok_is_found_out(
    open_page: Callable[..., Page], camera: tuple[SimDevice, str, str]
) -> None:
    device, ident, _ = camera
    page = opened(open_page, ident)
    page.get_by_role("button", name="Ask the device").click()
    mirror = page.get_by_role("region", name="Mirroring")
    expect(mirror.get_by_text("as it is")).to_be_visible(timeout=40_000)
    expect(page.get_by_role("region", name="Masked areas")).to_contain_text("does not have this", timeout=40_000)
    mirror.get_by_role("combobox", name="FrameMirror").click(force=True)
    page.locator(".ant-select-item-option", has_text="upside down").click()
    mirror.get_by_role("button", name="Write to the device").click()
    expect(page.get_by_text("Written, and the device answers so")).to_be_visible(timeout=20_000)
    assert device.state.config["FrameMirror"] == "2"
    words = page.get_by_role("region", name="Words in the picture")
    words.get_by_label("TextEnable").fill("0")
    words.get_by_role("button", name="Write to the device").click()
    expect(words.get_by_role("alert")).to_contain_text("still answers otherwise: TextEnable", timeout=20_000)
    expect(words.get_by_label("TimeEnable")).to_have_value("1")


def test_a_channel_has_a_configuration_of_its_own(
    open_page: Callable[..., Page], camera: tuple[SimDevice, str, str]
) -> None:
    _, _, channel = camera
    page = open_page(f"/channels/{channel}?tab=configuration")
    expect(page.get_by_role("region", name="Basics").get_by_label("Name")).not_to_have_value("", timeout=20_000)


def test_the_digests_are_an_ordered_choice_for_one_device_and_for_all(
    city: Platform, open_page: Callable[..., Page], camera: tuple[SimDevice, str, str]
) -> None:
    _, ident, _ = camera
    page = open_page(f"/devices/{ident}", width=1440, height=900)
    group = page.get_by_role("group", name="Digests offered")
    expect(group).to_contain_text("As the platform offers: MD5", timeout=20_000)
    group.get_by_label("MD5", exact=True).check()
    group.get_by_label("SM3", exact=True).check()
    group.get_by_role("button", name="SM3 earlier").click()
    page.get_by_role("button", name="Save").click()
    until(lambda: city.get(f"/devices/{ident}")["digests"] == ["SM3", "MD5"] or None, "the device has its own order")
    page.goto(f"{city.base}/settings")
    group.get_by_label("SHA-256", exact=True).check()
    group.get_by_label("MD5", exact=True).uncheck()
    group.get_by_label("SHA-256", exact=True).uncheck()
    form = page.locator("form").filter(has=group)
    form.get_by_role("button", name="Save").click()
    expect(form).to_contain_text("Choose at least one")
    assert city.get("/settings")["digests"] == ["MD5"]
    group.get_by_label("MD5", exact=True).check()
    group.get_by_label("SHA-256", exact=True).check()
    form.get_by_role("button", name="Save").click()
    until(lambda: city.get("/settings")["digests"] == ["MD5", "SHA-256"] or None, "all are offered both")


def test_whoever_may_not_change_devices_is_not_shown_their_configuration(
    city: Platform, open_page: Callable[..., Page], camera: tuple[SimDevice, str, str]
) -> None:
    _, ident, channel = camera
    with closing(sign_in(city, "looks", "viewer")) as client:
        page = open_page(f"/devices/{ident}?tab=configuration", cookies=dict(client.cookies))
        expect(page.get_by_role("heading", name=city.get(f"/devices/{ident}")["name"])).to_be_visible(timeout=20_000)
        expect(page.get_by_role("tab", name="Configuration")).to_have_count(0)
        expect(page.get_by_role("region", name="Basics")).to_have_count(0)
        page.goto(f"{city.base}/channels/{channel}?tab=configuration")
        expect(page.get_by_role("heading", name=city.get(f"/channels/{channel}")["name"])).to_be_visible()
        expect(page.get_by_role("tab", name="Configuration")).to_have_count(0)


def test_a_device_that_does_not_answer_is_said_so_in_words(
    open_page: Callable[..., Page], yard: Yard, camera: tuple[SimDevice, str, str]
) -> None:
    device, ident, _ = camera
    yard.run(device.stop(unregister=False))
    page = opened(open_page, ident)
    basics = page.get_by_role("region", name="Basics")
    expect(basics.get_by_text("The device is asked")).to_be_visible()
    expect(basics.get_by_role("alert")).to_be_visible(timeout=40_000)
    assert len(basics.get_by_role("alert").inner_text()) > 20
    expect(basics.get_by_role("button", name="Ask again")).to_be_visible()
