"""Plain pyarrow.flight: SQL text and paths as descriptors, append streams, listings, tickets."""

import json
import os
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pytest
from pyarrow import flight

from flightdb.flight.commands import pack
from flightdb.flight.generated import flight_sql_pb2 as pb

BATCH = pa.record_batch({"i": pa.array([1, 2, 3], pa.int64()), "s": ["a", "b", None]})


def fetch(client, sql: str) -> pa.Table:
    info = client.get_flight_info(flight.FlightDescriptor.for_command(sql))
    (endpoint,) = info.endpoints
    table = client.do_get(endpoint.ticket).read_all()
    assert table.schema == info.schema
    return table


def count(client, table: str) -> int:
    return fetch(client, f"SELECT count(*) AS n FROM {table}")["n"][0].as_py()


def as_user(name: str) -> flight.FlightCallOptions:
    return flight.FlightCallOptions(headers=[(b"authorization", b"Basic " + name.encode())])


JOE, ANN = as_user("am9lOng"), as_user("YW5uOng=")
"""joe:x without and ann:x with padding."""


def test_sql_text_is_a_descriptor(client):
    assert fetch(client, "SELECT 42 AS a").to_pylist() == [{"a": 42}]


def test_a_path_is_all_of_a_table(client):
    append(client, "by_path", [BATCH])
    for path in (("by_path",), ("main", "by_path"), ("flightdb", "main", "by_path")):
        descriptor = flight.FlightDescriptor.for_path(*path)
        info = client.get_flight_info(descriptor)
        assert client.get_schema(descriptor).schema == info.schema
        assert client.do_get(info.endpoints[0].ticket).read_all().num_rows == 3


def test_the_endpoint_has_no_location_and_expires(client):
    info = client.get_flight_info(flight.FlightDescriptor.for_command("SELECT 1"))
    (endpoint,) = info.endpoints
    assert endpoint.locations == []
    assert endpoint.expiration_time is not None
    assert info.ordered


def send(client, table: str, batch: pa.RecordBatch, metadata: bytes = b"") -> None:
    """One batch, its acknowledgement unread."""
    writer, _ = client.do_put(flight.FlightDescriptor.for_path(table), batch.schema)
    with writer:
        writer.write_with_metadata(batch, metadata)


def append(client, table, batches, marks=None):
    writer, reader = client.do_put(flight.FlightDescriptor.for_path(table), batches[0].schema)
    acknowledged = []
    for number, batch in enumerate(batches):
        writer.write_with_metadata(batch, json.dumps(marks[number]).encode() if marks else b"")
        # Waiting for each one: an acknowledgement does not need the next batch to push it out.
        acknowledged.append(json.loads(reader.read().to_pybytes()))
    writer.close()
    return acknowledged


def test_each_batch_of_a_stream_is_acknowledged_and_visible(client):
    acknowledged = append(client, "stream", [BATCH] * 5)
    assert [(a["seq"], a["rows"]) for a in acknowledged] == [(n, 3) for n in range(5)]
    positions = [a["lsn"] for a in acknowledged]
    assert positions == sorted(set(positions))
    assert count(client, "stream") == 15


def test_a_batch_sent_again_by_its_producer_is_stored_once(client):
    marks = [{"producer": "p1", "seq": n} for n in (1, 2, 2, 1, 3)]
    acknowledged = append(client, "once", [BATCH] * 5, marks)
    assert [a["seq"] for a in acknowledged] == [1, 2, 2, 1, 3]
    assert count(client, "once") == 9


def test_acknowledgements_need_not_be_read(client):
    writer, _ = client.do_put(flight.FlightDescriptor.for_path("unread"), BATCH.schema)
    for _ in range(2000):
        writer.write_batch(BATCH)
    writer.close()
    assert count(client, "unread") == 6000


def test_batches_before_a_bad_one_stay_and_the_bad_one_is_named(client):
    append(client, "kept", [BATCH])
    wrong = pa.record_batch({"i": ["no number"], "s": ["x"]})
    with pytest.raises(pa.ArrowInvalid, match="column=i"):
        send(client, "kept", wrong)
    assert count(client, "kept") == 3


@pytest.mark.parametrize("metadata", [b"{", b'{"producer": "p"}', b'{"producer": "p", "seq": -1}'])
def test_metadata_that_cannot_be_read_is_refused(client, metadata):
    with pytest.raises(pa.ArrowInvalid, match="batch=0"):
        send(client, "marked", BATCH, metadata)


def test_a_table_name_that_is_none_is_refused(client):
    with pytest.raises(pa.ArrowInvalid, match="table name"):
        send(client, "no name!", BATCH)


def test_flights_are_the_tables(client):
    append(client, "flown", [BATCH])
    flights = {info.descriptor.path[0]: info for info in client.list_flights()}
    assert flights[b"flown"].total_records == 3
    assert flights[b"flown"].schema.names == ["i", "s"]
    assert [info.descriptor.path[0] for info in client.list_flights(b"flow*")] == [b"flown"]


def test_actions_that_are_listed_are_those_that_exist(client):
    names = {action.type for action in client.list_actions()}
    assert names == {
        "CreatePreparedStatement",
        "ClosePreparedStatement",
        "CancelFlightInfo",
        "CancelQuery",
        "SetSessionOptions",
        "GetSessionOptions",
        "CloseSession",
        "flightdb.flush",
    }
    for name in ("BeginTransaction", "RenewFlightEndpoint", "Invented"):
        with pytest.raises(pa.ArrowNotImplementedError, match=r"not supported|cannot be renewed"):
            list(client.do_action(flight.Action(name, b"")))


def test_flush_brings_buffered_rows_to_the_store(client):
    append(client, "flushed", [BATCH])
    (result,) = client.do_action(flight.Action("flightdb.flush", b'{"table": "flushed"}'))
    assert json.loads(result.body.to_pybytes()) == {"rows": 3}
    assert count(client, "flushed") == 3
    for body in (b"{", b"[]", b'{"table": 1}'):
        with pytest.raises(pa.ArrowInvalid, match="body is not"):
            list(client.do_action(flight.Action("flightdb.flush", body)))


def test_the_session_ends_as_often_as_it_is_asked_to(client):
    for _ in range(2):
        (result,) = client.do_action(flight.Action("CloseSession", b""))
        closed = pb.CloseSessionResult.FromString(result.body.to_pybytes())
        assert closed.status == pb.CloseSessionResult.CLOSED


def test_a_cancelled_flight_info_cannot_be_fetched_any_more(client):
    info = client.get_flight_info(flight.FlightDescriptor.for_command("SELECT 1"))
    body = pb.CancelFlightInfoRequest(info=info.serialize()).SerializeToString()
    (result,) = client.do_action(flight.Action("CancelFlightInfo", body))
    answer = pb.CancelFlightInfoResult.FromString(result.body.to_pybytes())
    assert answer.status == pb.CANCEL_STATUS_CANCELLED
    with pytest.raises(flight.FlightCancelledError, match="cancelled"):
        client.do_get(info.endpoints[0].ticket).read_all()


def test_a_statement_in_get_flight_info_is_run_once_whether_it_is_fetched_or_not(client):
    append(client, "eager", [BATCH])
    info = client.get_flight_info(
        flight.FlightDescriptor.for_command("INSERT INTO eager VALUES (4, 'd')")
    )
    assert info.total_records == 1
    assert count(client, "eager") == 4
    for _ in range(2):
        assert client.do_get(info.endpoints[0].ticket).read_all().num_rows == 0
    assert count(client, "eager") == 4


def test_asking_for_the_schema_of_a_statement_runs_nothing(client):
    append(client, "asked", [BATCH])
    descriptor = flight.FlightDescriptor.for_command("INSERT INTO asked VALUES (4, 'd')")
    assert client.get_schema(descriptor).schema == pa.schema([])
    assert count(client, "asked") == 3


def test_basic_credentials_are_exchanged_for_a_bearer_token(client):
    token = client.authenticate_basic_token("joe", "anything")
    bearer = flight.FlightCallOptions(headers=[token])
    descriptor = flight.FlightDescriptor.for_command("SELECT 1 AS a")
    info = client.get_flight_info(descriptor, bearer)
    # The token says joe, so joe's own password opens the same ticket, without padding too.
    assert client.do_get(info.endpoints[0].ticket, JOE).read_all().num_rows == 1


@pytest.mark.parametrize("header", [b"Basic !!!", b"Basic", b"Digest x", b"Basic am9l"])
def test_a_malformed_authorization_is_refused(client, header):
    options = flight.FlightCallOptions(headers=[(b"authorization", header)])
    with pytest.raises(flight.FlightUnauthenticatedError, match="authorization header"):
        client.get_flight_info(flight.FlightDescriptor.for_command("SELECT 1"), options)


def test_a_ticket_is_for_one_principal(client):
    descriptor = flight.FlightDescriptor.for_command("SELECT 1")
    info = client.get_flight_info(descriptor, JOE)
    with pytest.raises(flight.FlightUnauthorizedError, match="somebody else"):
        client.do_get(info.endpoints[0].ticket, ANN).read_all()


def test_a_ticket_that_was_changed_or_made_up_is_refused(client):
    info = client.get_flight_info(flight.FlightDescriptor.for_command("SELECT 1"))
    ticket = info.endpoints[0].ticket.ticket
    forged = pack(pb.TicketStatementQuery(statement_handle=b"x" * 60))
    for bad in (ticket[:-1] + b"?", ticket[:-9], forged, b"SELECT 1", b""):
        with pytest.raises(pa.ArrowInvalid, match=r"ticket|damaged"):
            client.do_get(flight.Ticket(bad)).read_all()


@pytest.mark.parametrize(
    ("command", "error", "told"),
    [
        (pack(pb.CommandStatementQuery(query="SELECT 1"))[:-3], pa.ArrowInvalid, "damaged"),
        (
            pack(pb.CommandStatementQuery()).replace(b"CommandStatementQuery", b"CommandStatementXuery"),
            pa.ArrowNotImplementedError,
            "CommandStatementXuery",
        ),
        (b"\xff\xfe", pa.ArrowInvalid, "UTF-8"),
        (b"", pa.ArrowInvalid, "sql"),
        (pack(pb.CommandStatementQuery(query="SELECT 1", transaction_id=b"t")), pa.ArrowNotImplementedError, "trans"),
        (pack(pb.CommandPreparedStatementQuery(prepared_statement_handle=b"?")), KeyError, "prepared statement"),
        (pack(pb.CommandStatementIngest(table="t")), pa.ArrowNotImplementedError, "Ingest"),
    ],
)  # fmt: skip
def test_a_command_that_cannot_be_answered_is_named(client, command, error, told):
    with pytest.raises(error, match=told) as refused:
        client.get_flight_info(flight.FlightDescriptor.for_command(command))
    assert "Traceback" not in str(refused.value)
    assert ".py" not in str(refused.value)


WRITER = """
import sys
import pyarrow as pa
from pyarrow import flight
client = flight.connect(sys.argv[1])
command = bytes.fromhex(sys.argv[2])
make = flight.FlightDescriptor.for_command if command else flight.FlightDescriptor.for_path
batch = pa.record_batch({"i": list(range(10000))})
writer, reader = client.do_put(make(command or "vanished"), batch.schema)
for number in range(5):
    writer.write_batch(batch)
    if not command:
        reader.read()
print("sent", flush=True)
while True:
    writer.write_batch(batch)
"""


def vanish(url: str, command: bytes) -> None:
    """A client that is killed in the middle of its DoPut."""
    arguments = [sys.executable, "-c", WRITER, url, command.hex()]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.05)
        os.kill(writer.pid, signal.SIGKILL)


def test_nothing_is_stored_of_an_ingest_whose_client_vanishes(client, url):
    command = pb.CommandStatementIngest(table="half")
    command.table_definition_options.if_not_exist = 1
    command.table_definition_options.if_exists = 2
    vanish(url, pack(command))
    time.sleep(0.5)
    with pytest.raises(KeyError, match="half"):
        count(client, "half")


def test_whole_batches_are_stored_of_a_stream_whose_client_vanishes(client, url):
    vanish(url, b"")
    time.sleep(0.5)
    rows = count(client, "vanished")
    assert rows >= 50_000
    assert rows % 10_000 == 0


def test_a_client_that_stops_reading_and_leaves_frees_the_query(client, app):
    info = client.get_flight_info(
        flight.FlightDescriptor.for_command(
            "SELECT a.range AS i FROM range(100000) a, range(100000) b"
        )
    )
    reader = client.do_get(info.endpoints[0].ticket)
    reader.read_chunk()
    reader.cancel()
    deadline_s = time.monotonic() + 5
    while app.service.status().figures["queries_open"] and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert app.service.status().figures["queries_open"] == 0
