"""CommandStatementIngest: one atomic statement that brings a table's worth of rows."""

from collections.abc import Mapping

from flightdb.coordinator.service import Service, WriteMode
from flightdb.errors import InvalidRequest, Unsupported
from flightdb.flight.call import Call
from flightdb.flight.generated import flight_sql_pb2 as pb
from flightdb.flight.names import check_place
from flightdb.flight.queries import check_no_transaction
from flightdb.flight.reading import Incoming
from flightdb.model.batches import BatchStream

Options = pb.CommandStatementIngest.TableDefinitionOptions

MODES = {
    (Options.TABLE_NOT_EXIST_OPTION_CREATE, Options.TABLE_EXISTS_OPTION_FAIL): WriteMode.CREATE,
    (Options.TABLE_NOT_EXIST_OPTION_FAIL, Options.TABLE_EXISTS_OPTION_APPEND): WriteMode.APPEND,
    (Options.TABLE_NOT_EXIST_OPTION_CREATE, Options.TABLE_EXISTS_OPTION_REPLACE): WriteMode.REPLACE,
    (Options.TABLE_NOT_EXIST_OPTION_FAIL, Options.TABLE_EXISTS_OPTION_REPLACE): WriteMode.REPLACE,
    (
        Options.TABLE_NOT_EXIST_OPTION_CREATE,
        Options.TABLE_EXISTS_OPTION_APPEND,
    ): WriteMode.CREATE_APPEND,
}
"""What to do when the table is not there, and when it is, to our mode."""

COLUMNS = ("id_column", "time_column")
"""Options that name the columns by which a new table's files are sorted.

Also as headers `x-flightdb-id-column`...
"""

KEY_CHARS_MAX = 255


class Ingests:
    """Runs ingest statements."""

    def __init__(self, service: Service) -> None:
        """Takes the part that it works with."""
        self._service = service

    def run(self, call: Call, command: pb.CommandStatementIngest, incoming: Incoming) -> int:
        """Reads all rows and makes them durable in one step; gives how many.

        Nothing is kept of a stream that breaks off.
        """
        mode = self._check(command)
        columns = _columns(command.options, call)
        key = call.header("idempotency-key")
        if len(key) > KEY_CHARS_MAX:
            raise InvalidRequest(
                f"idempotency key is too long: max_chars={KEY_CHARS_MAX}, chars={len(key)}"
            )
        call.query_id = self._service.new_query_id()
        batches = BatchStream(incoming.schema, incoming.batches(call))
        acknowledged = self._service.ingest(
            command.table,
            batches,
            mode,
            idempotency_key=key,
            id_column=columns["id_column"],
            time_column=columns["time_column"],
            is_gone=call.is_gone,
        )
        return acknowledged.row_count

    def _check(self, command: pb.CommandStatementIngest) -> WriteMode:
        check_no_transaction(command.transaction_id)
        check_place(command.catalog, command.schema)
        if command.temporary:
            raise Unsupported(f"temporary tables are not supported: table={command.table[:80]}")
        options = command.table_definition_options
        mode = MODES.get((options.if_not_exist, options.if_exists))
        if mode is None:
            raise InvalidRequest(
                "ingest mode is not known: expected create, append, replace or create_append, "
                f"if_not_exist={options.if_not_exist}, if_exists={options.if_exists}"
            )
        if (
            mode is WriteMode.REPLACE
            and options.if_not_exist == Options.TABLE_NOT_EXIST_OPTION_FAIL
        ):
            self._service.table(command.table)
        return mode


def _columns(options: Mapping[str, str], call: Call) -> dict[str, str]:
    unknown = sorted(set(options) - set(COLUMNS))
    if unknown:
        raise InvalidRequest(
            f"ingest option is not known: expected {' or '.join(COLUMNS)}, name={unknown[0][:80]}"
        )
    return {
        name: options.get(name, "") or call.header("x-flightdb-" + name.replace("_", "-"))
        for name in COLUMNS
    }
