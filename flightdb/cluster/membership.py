"""Which nodes there are, as a protocol, and the one-node form of it."""

from collections.abc import Sequence
from typing import Protocol

from flightdb.model.node import Node


class Membership(Protocol):
    """Nodes that are known, in the last state heard of. Thread-safe; from memory."""

    def nodes(self) -> Sequence[Node]:
        """All nodes, sorted by id, this one included."""
        ...

    def self_id(self) -> str:
        """The id of this node."""
        ...


class SoleMembership:
    """One node: this process."""

    def __init__(self, node: Node) -> None:
        """`node`: this process."""
        self._node = node

    def nodes(self) -> Sequence[Node]:
        """This node alone."""
        return (self._node,)

    def self_id(self) -> str:
        """Its id."""
        return self._node.id
