"""A node over a directory of the test's own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.worker.node import Node


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """Starts nodes over one directory; those that still run at the end are killed."""
    started: list[Node] = []

    def start(**kwargs: object) -> Node:
        for node in started:
            node.kill()
        started[:] = [Node(tmp_path / "data", **kwargs)]
        return started[0]

    yield start
    for node in started:
        node.kill()


@pytest.fixture
def node(nodes: Callable[..., Node]) -> Node:
    """A node that flushes by call only."""
    return nodes()
