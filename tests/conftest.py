"""A whole flightdb in this process, on free ports, over a directory of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flightdb.settings import load_settings


def settings_for(data_dir: Path, **overrides: object):
    """Settings of a server on free ports; `overrides` are setting paths with `__` for the dots."""
    given = {name.replace("__", "."): value for name, value in overrides.items()}
    base = {
        "server.data_dir": str(data_dir),
        "server.flight_port": 0,
        "server.rest_port": 0,
        "server.grpc_port": 0,
        "metrics.port": 0,
        "log.level": "warning",
        "query_optimization.duckdb.performance.memory_limit": "1GiB",
        "query_optimization.duckdb.performance.threads": 2,
    }
    return load_settings(None, {**base, **given}, {}).settings


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """A running server, shared by the tests of one module."""
    from flightdb.app import App

    running = App.start(settings_for(tmp_path_factory.mktemp("app") / "data"))
    yield running
    running.stop()
