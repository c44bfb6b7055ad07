"""Settings: what is wrong is named, what is right survives the way to a child process."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.reference import ranges

from safecity.kit.errors import InvalidError
from safecity.kit.logs import redact
from safecity.server.settings import Settings, describe, load_settings


def test_file_environment_and_command_line_override_each_other_in_that_order(tmp_path: Path) -> None:
    file = tmp_path / "safecity.toml"
    file.write_text("[http]\nport = 1000\nhost = '127.0.0.1'\n[media]\nslots = 3\n", "utf-8")
    settings = load_settings(
        file, environ={"SAFECITY_HTTP__PORT": "2000", "SAFECITY_MEDIA__PORT": "2001"}, overrides={"http.port": 3000}
    )
    assert (settings.http.port, settings.media.port, settings.media.slots) == (3000, 2001, 3)
    assert settings.http.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("toml", "named"),
    [
        ("[http]\nprot = 1", "http.prot"),
        ("[http]\nport = 70000", "http.port"),
        ("[http]\nport = 'x'", "http.port"),
        ("[http]\nport = true", "http.port"),
        ("[[record.volumes]]\nname='a'\npath='b'\nlayout='odd'", "record.volumes.layout"),
        ("[record]\nvolumes = 3", "record.volumes"),
        ("[ais]\nsenders = '10.0.0.0/8, nobody'", "ais.senders"),
        ("[ais]\nfeeds = 'receiver'", "ais.feeds"),
        ("[ais]\nfeeds = 'receiver:99999'", "ais.feeds"),
        ("[mqtt]\nurl = 'http://broker'", "mqtt.url"),
        ("[mqtt]\nurl = 'mqtt://broker:99999'", "mqtt.url"),
        ("[mqtt]\nurl = 'mqtt://broker/topic'", "mqtt.url"),
        ("[mqtt]\nurl = 'mqtts://:secret@broker'", "mqtt.url"),
        ("[mqtt]\nurl = 'mqtt://bro ker'", "mqtt.url"),
        ("[mqtt]\ntopic = 'a/+/b'", "mqtt.topic"),
        ("[viid]\nuppers = 'http://library'", "viid.uppers"),
        ("[viid]\nuppers = 'http://city:secret@library/path'", "viid.uppers"),
        ("[viid]\nuppers = 'ftp://:secret@library'", "viid.uppers"),
        ("[viid]\nkeepalive_seconds = 5", "viid.keepalive_seconds"),
        ("[mqtt]\ntopic = '$SYS'", "mqtt.topic"),
        ("[mqtt]\ntopic = '/a'", "mqtt.topic"),
        ("[mqtt]\ntrust = 'anybody'", "mqtt.trust"),
        ("[mqtt]\nclient_id = ''", "mqtt.client_id"),
        ("[mqtt]\nversion = 'v4'", "mqtt.version"),
        ("[violations]\ncode_red_light = '16 25'", "violations.code_red_light"),
        ("[jt808]\naal2_terminals = '13912345678, bus'", "jt808.aal2_terminals"),
        ("http = 3", "http"),
        ("not toml", "safecity.toml"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, toml: str, named: str) -> None:
    file = tmp_path / "safecity.toml"
    file.write_text(toml, "utf-8")
    with pytest.raises(InvalidError, match=named):
        load_settings(file, environ={})


NUMBERS = {name: kind for name, kind, _, _ in describe() if kind in ("int", "float")}


def test_every_number_has_a_range_in_the_reference() -> None:
    assert sorted(NUMBERS.keys() - ranges().keys()) == []


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_the_range_that_stands_in_the_reference_is_taken_and_one_beyond_is_refused_in_words(name: str) -> None:
    least, most = (int(edge.replace(",", "")) for edge in ranges()[name].split(" to "))
    section, _, field = name.partition(".")
    for value in (least, most):
        assert getattr(getattr(load_settings(None, environ={}, overrides={name: value}), section), field) == value
    for value in (least - 1, most + 1):
        with pytest.raises(InvalidError, match=f"^{name}: {value} is not in {least}..{most}$") as refused:
            load_settings(None, environ={}, overrides={name: value})
        assert (refused.value.code, refused.value.params["setting"]) == ("setting_out_of_range", name)


def test_settings_survive_the_environment_of_a_child() -> None:
    settings = load_settings(None, environ={}, overrides={"demo.enabled": True, "http.tls": "generated"})
    assert Settings.from_json(settings.to_json()) == settings


def test_receivers_of_ships_are_listed_with_commas(tmp_path: Path) -> None:
    values = {"ais.feeds": "harbour.example:10110, [2001:db8::1]:4001", "ais.senders": "10.0.0.0/8,192.168.1.7"}
    settings = load_settings(None, environ={}, overrides=values)
    assert settings.ais.called() == (("harbour.example", 10110), ("2001:db8::1", 4001))
    assert settings.ais.networks() == ("10.0.0.0/8", "192.168.1.7")


def test_digits_of_the_environment_are_a_text_where_a_text_is_wanted() -> None:
    environ = {
        "SAFECITY_JT808__AAL2_TERMINALS": "013912345678", "SAFECITY_JT808__PICTURE_DAYS": "0",
        "SAFECITY_JT808__MEDIA_HOST": "7",
    }  # fmt: skip
    told = load_settings(None, environ=environ).jt808
    assert told.packs_aal2() == {"13912345678"}
    assert (told.media_host, told.picture_days) == ("7", 0)
    assert load_settings(None, environ={"SAFECITY_JT808__AAL2_TERMINALS": "*"}).jt808.packs_aal2() == {"*"}


def test_the_broker_is_taken_apart_and_its_password_stands_nowhere() -> None:
    url = "mqtts://city%40hall:p%2Fw-secret@[2001:db8::1]"
    settings = load_settings(None, environ={"SAFECITY_MQTT__URL": url})
    broker = settings.mqtt.broker()
    assert broker is not None
    assert (broker.tls, broker.host, broker.port, broker.place) == (True, "2001:db8::1", 8883, "[2001:db8::1]:8883")
    assert (broker.username, broker.password) == ("city@hall", "p/w-secret")
    assert Settings.from_json(settings.to_json()) == settings
    assert "secret" not in repr(broker)
    assert "secret" not in redact(settings.to_json())
    for wrong in ("mqtt://city:its-secret@broker:x", "http://city:its-secret@broker", "mqtt://city:its-secret@a b"):
        with pytest.raises(InvalidError) as error:
            load_settings(None, environ={"SAFECITY_MQTT__URL": wrong})
        assert "its-secret" not in f"{error.value} {error.value.params}"
