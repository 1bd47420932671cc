"""Prepared statements on the wire, in the way JDBC and ODBC use them."""

import pyarrow as pa
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from pyarrow import flight

from flightdb.flight.commands import pack
from flightdb.flight.generated import flight_sql_pb2 as pb

NO_COLUMNS = pa.schema([])


def act(client, name: str, request) -> list[bytes]:
    results = client.do_action(flight.Action(name, pack(request)))
    return [result.body.to_pybytes() for result in results]


def prepare(client, sql: str) -> pb.ActionCreatePreparedStatementResult:
    request = pb.ActionCreatePreparedStatementRequest(query=sql)
    (body,) = act(client, "CreatePreparedStatement", request)
    envelope = AnyMessage.FromString(body)
    assert envelope.type_url.endswith(
        "arrow.flight.protocol.sql.ActionCreatePreparedStatementResult"
    )
    return pb.ActionCreatePreparedStatementResult.FromString(envelope.value)


def put(client, command, batches: list[pa.RecordBatch], schema=NO_COLUMNS) -> bytes:
    """The one result of a DoPut."""
    descriptor = flight.FlightDescriptor.for_command(pack(command))
    writer, reader = client.do_put(descriptor, schema)
    with writer:
        for batch in batches:
            writer.write_batch(batch)
        writer.done_writing()
        result = reader.read()
        assert result is not None
        assert reader.read() is None
    return result.to_pybytes()


def descriptor_of(handle: bytes) -> flight.FlightDescriptor:
    command = pb.CommandPreparedStatementQuery(prepared_statement_handle=handle)
    return flight.FlightDescriptor.for_command(pack(command))


def schema_of(encoded: bytes) -> pa.Schema:
    return pa.ipc.read_schema(pa.py_buffer(encoded))


@pytest.fixture
def table(client):
    put(client, pb.CommandStatementUpdate(query="DROP TABLE IF EXISTS p"), [])
    put(client, pb.CommandStatementUpdate(query="CREATE TABLE p (i INTEGER, s VARCHAR)"), [])
    return "p"


def test_a_query_has_one_schema_in_every_phase(client, table):
    prepared = prepare(client, f"SELECT i, s FROM {table}")
    descriptor = descriptor_of(prepared.prepared_statement_handle)
    info = client.get_flight_info(descriptor)
    stream = client.do_get(info.endpoints[0].ticket).read_all()
    schemas = [schema_of(prepared.dataset_schema), client.get_schema(descriptor).schema]
    assert all(schema.equals(stream.schema) for schema in [*schemas, info.schema])
    assert not prepared.is_update
    assert prepared.parameter_schema == b""


def test_an_update_has_no_schema_and_says_that_it_is_one(client, table):
    prepared = prepare(client, f"INSERT INTO {table} VALUES (?, ?)")
    assert prepared.is_update
    assert prepared.dataset_schema == b""
    # Whole numbers as int64, though the column is narrower: some drivers send nothing else.
    assert schema_of(prepared.parameter_schema).types == [pa.int64(), pa.string()]


def test_binding_gives_the_handle_back_and_binds_anew(client, table):
    put(
        client,
        pb.CommandStatementUpdate(query=f"INSERT INTO {table} VALUES (1, 'a'), (2, 'b')"),
        [],
    )
    handle = prepare(client, f"SELECT s FROM {table} WHERE i = ?").prepared_statement_handle
    command = pb.CommandPreparedStatementQuery(prepared_statement_handle=handle)
    for value, expected in ((1, "a"), (2, "b")):
        batch = pa.record_batch({"1": pa.array([value], pa.int64())})
        answer = pb.DoPutPreparedStatementResult.FromString(
            put(client, command, [batch], batch.schema)
        )
        assert answer.prepared_statement_handle == handle
        info = client.get_flight_info(descriptor_of(handle))
        rows = client.do_get(info.endpoints[0].ticket).read_all().to_pylist()
        assert rows == [{"s": expected}]


def test_many_rows_of_parameters_are_one_update(client, table):
    handle = prepare(client, f"INSERT INTO {table} VALUES (?, ?)").prepared_statement_handle
    command = pb.CommandPreparedStatementUpdate(prepared_statement_handle=handle)
    batches = [
        pa.record_batch({"1": pa.array([n, n + 1], pa.int64()), "2": ["x", None]}) for n in (1, 3)
    ]
    for sent, changed in ((batches, 4), (batches[:1], 2)):
        result = put(client, command, sent, batches[0].schema)
        assert pb.DoPutUpdateResult.FromString(result).record_count == changed


def test_a_statement_without_parameters_is_run_by_an_empty_put(client, table):
    prepared = prepare(client, f"INSERT INTO {table} VALUES (1, 'a')")
    handle = prepared.prepared_statement_handle
    command = pb.CommandPreparedStatementUpdate(prepared_statement_handle=handle)
    empty = pa.RecordBatch.from_pylist([], schema=NO_COLUMNS)
    for batches in ([], [empty]):
        result = put(client, command, batches)
        assert pb.DoPutUpdateResult.FromString(result).record_count == 1


def test_a_closed_statement_is_gone_and_may_be_closed_again(client):
    handle = prepare(client, "SELECT 1").prepared_statement_handle
    request = pb.ActionClosePreparedStatementRequest(prepared_statement_handle=handle)
    for _ in range(2):
        assert act(client, "ClosePreparedStatement", request) == []
    with pytest.raises(KeyError, match="prepared statement not found"):
        client.get_flight_info(descriptor_of(handle))


def test_several_rows_for_a_query_are_refused(client):
    handle = prepare(client, "SELECT ?::BIGINT AS a").prepared_statement_handle
    command = pb.CommandPreparedStatementQuery(prepared_statement_handle=handle)
    batch = pa.record_batch({"1": [1, 2]})
    put(client, command, [batch], batch.schema)
    with pytest.raises(pa.ArrowInvalid, match="rows=2"):
        client.get_flight_info(descriptor_of(handle))


def test_a_call_past_its_deadline_is_stopped(client):
    endless = "SELECT sum(a.range * b.range) AS n FROM range(1000000) a, range(1000000) b"
    info = client.get_flight_info(flight.FlightDescriptor.for_command(endless))
    with pytest.raises(flight.FlightTimedOutError):
        client.do_get(info.endpoints[0].ticket, flight.FlightCallOptions(timeout=0.5)).read_all()
