"""Showing the settings in force."""

import io

from hypothesis import given, strategies as st
from pydantic import BaseModel, SecretStr
from rich.console import Console

from flightdb.settings import load_settings
from flightdb.settings.knobs import knobs, value_at
from flightdb.settings.show import as_table, as_yaml_text
from flightdb.settings.units import format_duration, format_size, parse_duration, parse_size


class Vault(BaseModel):
    key: SecretStr = SecretStr("hunter2")


def test_the_yaml_form_is_a_settings_file_of_the_same_settings(tmp_path):
    # given
    overrides = {
        "buffer.flush_interval": "1m30s",
        "server.data_dir": "a: b #c",
        "server.node_id": "77",
    }
    loaded = load_settings(None, overrides, {})

    # when
    path = tmp_path / "printed.yaml"
    path.write_text(as_yaml_text(loaded))
    again = load_settings(path, None, {})

    # then
    assert again.settings == loaded.settings


def test_each_value_says_where_it_comes_from():
    # given
    loaded = load_settings(None, {"log.level": "debug"}, {"FLIGHTDB_METRICS__PORT": "0"})

    # when
    lines = as_yaml_text(loaded).splitlines()

    # then
    assert "  level: debug  # command line, default 'info'" in lines
    assert "  port: 0  # environment FLIGHTDB_METRICS__PORT, default '9090'" in lines
    assert "  host: 127.0.0.1  # default" in lines


def test_the_table_has_a_row_a_setting():
    # given
    loaded = load_settings(None, {"log.level": "debug"}, {})
    shown = io.StringIO()

    # when
    Console(width=200, file=shown).print(as_table(loaded))
    text = shown.getvalue()

    # then
    row = next(line for line in text.splitlines() if "log.level" in line)
    assert [cell.strip() for cell in row.strip("│ ").split("│")] == [
        "log.level",
        "debug",
        "info",
        "command line",
    ]


def test_a_secret_is_never_shown():
    # given
    (knob,) = knobs(Vault)

    # then
    assert knob.text(value_at(Vault(), "key")) == "********"


def test_every_setting_is_described():
    assert [
        knob.path for knob in knobs(type(load_settings(None, None, {}).settings)) if not knob.doc
    ] == []


@given(st.integers(0, 10**10))
def test_a_duration_reads_back_as_itself(milliseconds):
    seconds = milliseconds / 1000
    assert round(parse_duration(format_duration(seconds)) * 1000) == milliseconds


@given(st.integers(0, 2**50))
def test_a_size_reads_back_as_itself(size):
    assert parse_size(format_size(size)) == size
