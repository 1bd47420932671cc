"""Settings from file, environment and command line."""

import pytest
from pydantic import ValidationError

from flightdb.settings import SettingsError, load_settings
from flightdb.settings.checks import is_loopback


@pytest.fixture
def file(tmp_path):
    """Writes a settings file and gives its path."""

    def write(text):
        path = tmp_path / "flightdb.yaml"
        path.write_text(text)
        return path

    return write


def load(file=None, overrides=None, environment=None):
    return load_settings(file, overrides, environment or {})


def test_defaults_are_the_ports_that_the_readme_names():
    # when
    settings = load().settings

    # then
    server = settings.server
    assert (server.host, server.flight_port, server.rest_port, server.grpc_port) == (
        "127.0.0.1",
        8815,
        8081,
        8080,
    )
    assert settings.metrics.port == 9090
    assert str(server.data_dir) == "flightdb-data"


def test_the_command_line_goes_before_the_environment_and_that_before_the_file(file):
    # given
    path = file("server: {flight_port: 1, rest_port: 1, grpc_port: 4}")
    environment = {"FLIGHTDB_SERVER__FLIGHT_PORT": "2", "FLIGHTDB_SERVER__REST_PORT": "3"}

    # when
    loaded = load(path, {"server.flight_port": 5}, environment)

    # then
    server = loaded.settings.server
    assert (server.flight_port, server.rest_port, server.grpc_port) == (5, 3, 4)
    assert loaded.sources == {
        "server.flight_port": "command line",
        "server.rest_port": "environment FLIGHTDB_SERVER__REST_PORT",
        "server.grpc_port": f"file {path}",
    }


def test_durations_and_sizes_are_read_with_their_units(file):
    # when
    settings = load(
        file("buffer: {flush_interval: 1m30s, flush_bytes: 2MB, wal: {segment_size: 8MiB}}")
    ).settings

    # then
    assert settings.buffer.flush_interval == 90.0
    assert settings.buffer.flush_bytes == 2_000_000
    assert settings.buffer.wal.segment_size == 8 << 20


def test_the_spec_way_to_write_a_port_is_taken(file):
    assert load(file('server: {grpc_port: ":18080"}')).settings.server.grpc_port == 18080


def test_an_empty_section_leaves_its_defaults(file):
    assert load(file("buffer:\nlog:\n")).settings == load().settings


def test_an_empty_path_means_none_and_not_the_current_directory():
    assert load(environment={"FLIGHTDB_BUFFER__WAL__DIR": ""}).settings.buffer.wal.dir is None


def test_a_variable_with_one_underscore_for_two_is_told_and_not_passed_over():
    with pytest.raises(
        SettingsError,
        match="unknown setting: expected FLIGHTDB_SERVER__REST_PORT, from environment FLIGHTDB_SERVER_REST_PORT",
    ):
        load(environment={"FLIGHTDB_SERVER_REST_PORT": "1"})


def test_what_kubernetes_tells_of_a_service_is_no_setting():
    environment = {"FLIGHTDB_METRICS_PORT": "tcp://10.0.0.1:9090", "FLIGHTDB_PORT": "tcp://x:1"}
    assert load(environment=environment).settings.metrics.port == 9090


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        load().settings.server.host = "0.0.0.0"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "server: {hots: h}",
            "unknown setting: server.hots, nearest known: server.host, from file",
        ),
        ("query_cache: {enabled: true}", "nearest known: query_optimization.query_cache.enabled"),
        ("buffer: 3", "invalid setting: buffer, expected keys under it, value=3"),
        ("buffer: {flush_interval: null}", "expected 100ms to 1h, value=null, from file"),
        ("- a\n- b", "settings file is not a YAML mapping: file="),
        ("server: [", "settings file is not a YAML mapping: line 1, file="),
        (
            "buffer: {flush_interval: 0s}",
            "buffer.flush_interval, expected 100ms to 1h, value=0s, from file",
        ),
        (
            "buffer: {flush_interval: soon}",
            "expected a duration such as 500ms, 30s, 5m or 1h30m, value=soon",
        ),
        ("buffer: {flush_bytes: 5 parsecs}", "expected a size such as 65536, 64KiB, 64MiB or 1GB"),
        ("buffer: {buffer_size: 0}", "buffer.buffer_size, expected 1 to 1000000000, value=0"),
        (
            "log: {level: loud}",
            "log.level, expected one of debug, info, warning, error, value=loud",
        ),
        ("security: {mode: jwt}", "security.mode, expected one of disabled, value=jwt"),
        (
            "server: {rest_port: 8080}",
            "two doors on one port: server.rest_port and server.grpc_port, value=8080",
        ),
        (
            "buffer: {wal: {max_size: 5MiB}}",
            "buffer.wal.segment_size, expected at most buffer.wal.max_size",
        ),
        ("table_management: {table_name_pattern: '('}", "expected a regular expression"),
        ("server: {node_id: 'a b'}", "server.node_id, should match pattern"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_bound(file, text, message):
    with pytest.raises(SettingsError) as refused:
        load(file(text))

    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_wrong_variable_is_named_with_the_nearest_known_one():
    with pytest.raises(
        SettingsError,
        match=r"servr\.host, nearest known: server.host, from environment FLIGHTDB_SERVR__HOST",
    ):
        load(environment={"FLIGHTDB_SERVR__HOST": "x"})


def test_variables_that_name_no_setting_are_left_alone():
    # given what clients and Kubernetes set
    environment = {
        "FLIGHTDB_URL": "grpc://x:1",
        "FLIGHTDB_PORT": "tcp://10.0.0.1:8815",
        "PATH": "/bin",
    }

    # then
    assert load(environment=environment).sources == {}


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(
        SettingsError, match=r"cannot read the settings file: No such file or directory, file="
    ):
        load(tmp_path / "none.yaml")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.3.2.1"])
def test_a_loopback_host_needs_no_security(host):
    assert is_loopback(host)
    assert load(overrides={"server.host": host}).settings.server.host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "db.example"])
def test_a_host_that_others_reach_is_refused_unless_insecure(host):
    with pytest.raises(SettingsError, match=rf"say --insecure if that is meant, value={host}"):
        load(overrides={"server.host": host})

    assert (
        load(overrides={"server.host": host, "security.insecure": True}).settings.server.host
        == host
    )
