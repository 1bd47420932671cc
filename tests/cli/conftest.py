"""One service for the tests of a file."""

import pytest
from cli_service import ANY_PORT, ready, start


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """One service for all tests of a file."""
    directory = tmp_path_factory.mktemp("serve") / "data"
    running = ready(start(*ANY_PORT, directory=directory), directory)
    yield running
    assert running.stop() == 0
