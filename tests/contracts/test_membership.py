"""What every `Membership` promises."""

import pytest

from flightdb.cluster.membership import Membership, SoleMembership
from flightdb.model.node import Node


@pytest.fixture
def membership() -> Membership:
    return SoleMembership(Node("node-7", "localhost", frozenset({"worker"})))


def test_this_node_is_among_the_nodes(membership):
    assert membership.self_id() in {node.id for node in membership.nodes()}


def test_nodes_are_sorted_and_named_once(membership):
    ids = [node.id for node in membership.nodes()]
    assert ids == sorted(set(ids))


def test_a_sole_member_is_alone(membership):
    assert [node.id for node in membership.nodes()] == ["node-7"]
