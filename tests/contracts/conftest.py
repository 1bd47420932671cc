"""The node of the worker's tests, over a directory of the test's own."""

from tests.worker.conftest import node, nodes

__all__ = ["node", "nodes"]
