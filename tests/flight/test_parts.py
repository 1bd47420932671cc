"""Tickets, prepared statements, tokens and parameters by themselves, with a clock of our own."""

import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from flightdb.errors import (
    Cancelled,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    TooLarge,
    Unauthenticated,
)
from flightdb.flight.auth import OpenIdentity, authenticate
from flightdb.flight.commands import decode, pack
from flightdb.flight.generated import flight_sql_pb2 as pb
from flightdb.flight.parameters import declared
from flightdb.flight.prepared import BOUND_BYTES_MAX, PreparedStatements
from flightdb.flight.ticket import Tickets, decode_parameters
from flightdb.model.principal import ANONYMOUS, Principal
from flightdb.model.statement import Statement

JOE, ANN = Principal("joe"), Principal("ann")
SCHEMA = pa.schema([("a", pa.int64())])


class Hand:
    """A clock that is moved by hand, and ids that count."""

    def __init__(self):
        self.seconds = 1000.0
        self.count = 0

    def now_us(self) -> int:
        return int(self.seconds * 1e6)

    def monotonic_s(self) -> float:
        return self.seconds

    def token(self) -> str:
        self.count += 1
        return f"handle-{self.count}"

    query_id = record_id = token


@pytest.fixture
def hand():
    return Hand()


@pytest.fixture
def tickets(hand):
    return Tickets(b"secret", hand)


def sealed(tickets, hand, **changes) -> bytes:
    statement = Statement("SELECT ?", principal=JOE, query_id="q1", **changes)
    return tickets.seal(statement, SCHEMA, pin="p1", expires_us=hand.now_us() + 60_000_000)


def test_a_ticket_opens_to_what_was_sealed(tickets, hand):
    row = pa.record_batch({"x": [1]})
    ticket = tickets.open(sealed(tickets, hand, parameters=row), JOE)
    assert (ticket.sql, ticket.pin, ticket.query_id) == ("SELECT ?", "p1", "q1")
    assert decode_parameters(ticket.parameters).equals(row)


def test_a_ticket_ends_with_its_time(tickets, hand):
    ticket = sealed(tickets, hand)
    hand.seconds += 59
    tickets.open(ticket, JOE)
    hand.seconds += 2
    with pytest.raises(NotFound, match="expired"):
        tickets.open(ticket, JOE)


def test_a_ticket_is_for_its_principal_and_this_secret(tickets, hand):
    with pytest.raises(PermissionDenied):
        tickets.open(sealed(tickets, hand), ANN)
    with pytest.raises(InvalidRequest, match="not valid"):
        Tickets(b"other", hand).open(sealed(tickets, hand), JOE)


def test_a_withdrawn_ticket_is_refused(tickets, hand):
    tickets.withdraw("q1")
    with pytest.raises(Cancelled):
        tickets.open(sealed(tickets, hand), JOE)


@given(position=st.integers(0), bit=st.integers(0, 7))
def test_a_ticket_with_any_bit_changed_is_refused(position, bit):
    hand = Hand()
    tickets = Tickets(b"secret", hand)
    changed = bytearray(sealed(tickets, hand))
    changed[position % len(changed)] ^= 1 << bit
    with pytest.raises(InvalidRequest, match="ticket is not valid"):
        tickets.open(bytes(changed), JOE)


def test_a_prepared_statement_belongs_to_its_principal(hand):
    prepared = PreparedStatements(hand, hand)
    handle = prepared.create("SELECT 1", JOE)
    assert prepared.get(handle, JOE).sql == "SELECT 1"
    with pytest.raises(NotFound):
        prepared.get(handle, ANN)
    prepared.close(handle, ANN)
    prepared.get(handle, JOE)
    for _ in range(2):
        prepared.close(handle, JOE)
    with pytest.raises(NotFound):
        prepared.get(handle, JOE)


def test_prepared_statements_end_when_idle_and_when_there_are_too_many(hand):
    prepared = PreparedStatements(hand, hand, count_max=2, idle_s=10)
    first, second = prepared.create("SELECT 1", JOE), prepared.create("SELECT 2", JOE)
    prepared.get(first, JOE)
    third = prepared.create("SELECT 3", JOE)
    with pytest.raises(NotFound):
        prepared.get(second, JOE)
    hand.seconds += 9
    prepared.get(first, JOE)
    hand.seconds += 2
    assert prepared.get(first, JOE).sql == "SELECT 1"
    with pytest.raises(NotFound, match="expired"):
        prepared.get(third, JOE)


def test_parameters_are_rebound_and_bounded(hand):
    prepared = PreparedStatements(hand, hand)
    handle = prepared.create("SELECT ?", JOE)
    for value in (1, 2):
        prepared.bind(handle, JOE, pa.record_batch({"0": [value]}))
        assert prepared.get(handle, JOE).parameters.to_pylist() == [{"0": value}]
    with pytest.raises(TooLarge, match="bound parameters"):
        prepared.bind(handle, JOE, pa.record_batch({"0": ["x" * (BOUND_BYTES_MAX + 1)]}))


def test_parameters_are_declared_in_types_that_every_driver_can_send():
    schema = pa.schema(
        [
            ("1", pa.int32()),
            ("2", pa.timestamp("us", tz="UTC")),
            ("3", pa.null()),
            ("4", pa.decimal128(9, 2)),
        ]
    )
    assert declared(schema).types == [
        pa.int64(),
        pa.timestamp("ms", tz="UTC"),
        pa.string(),
        pa.decimal128(9, 2),
    ]


def test_with_security_off_everybody_has_the_name_they_give():
    identity = OpenIdentity(b"secret")
    assert authenticate(identity, "") == ANONYMOUS
    assert authenticate(identity, "Bearer whatever") == ANONYMOUS
    for basic in ("am9lOng=", "am9lOng"):
        assert authenticate(identity, f"Basic {basic}").name == "joe"
    token = identity.token(Principal("joe"))
    assert authenticate(OpenIdentity(b"secret"), f"bearer {token}").name == "joe"
    assert authenticate(OpenIdentity(b"other"), f"Bearer {token}") == ANONYMOUS


@given(st.text())
def test_any_authorization_is_accepted_or_refused(text):
    try:
        authenticate(OpenIdentity(b"secret"), text)
    except Unauthenticated as error:
        assert error.message.startswith("authorization header is malformed")  # noqa: PT017


@given(st.text())
def test_any_sql_text_is_text(text):
    assert decode(text.encode()) == text


@given(st.text(), st.integers(min_value=1))
def test_a_packed_command_is_read_back_or_refused_when_cut(sql, cut):
    packed = pack(pb.CommandStatementQuery(query=sql))
    assert decode(packed) == pb.CommandStatementQuery(query=sql)
    part = packed[: -(cut % 10 + 1)]
    try:
        read = decode(part)
    except InvalidRequest:
        return
    # A message may end at a field's border; it is then another command, never a longer one.
    assert read in (pb.CommandStatementQuery(), part.decode())
