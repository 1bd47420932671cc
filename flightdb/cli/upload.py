"""Record batches of files to a server, as one CommandStatementIngest."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.flight as flight

from flightdb.cli.align import align
from flightdb.cli.connection import command, connected, failure_of, update_count
from flightdb.cli.failure import INTERRUPTED, USAGE, Failure, vanish
from flightdb.cli.files import Rows, open_rows
from flightdb.cli.progress import Progress
from flightdb.flight.generated import flight_sql_pb2 as messages

MESSAGE_BYTES_MAX = 8 << 20
"""A batch is sent in pieces of about this: well below any server's message limit."""

Definition = messages.CommandStatementIngest.TableDefinitionOptions
_DEFINITIONS = {
    "create": Definition(
        if_not_exist=Definition.TABLE_NOT_EXIST_OPTION_CREATE,
        if_exists=Definition.TABLE_EXISTS_OPTION_FAIL,
    ),
    "append": Definition(
        if_not_exist=Definition.TABLE_NOT_EXIST_OPTION_FAIL,
        if_exists=Definition.TABLE_EXISTS_OPTION_APPEND,
    ),
    "replace": Definition(
        if_not_exist=Definition.TABLE_NOT_EXIST_OPTION_CREATE,
        if_exists=Definition.TABLE_EXISTS_OPTION_REPLACE,
    ),
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go: `mode` is create, append or replace; `options` travel with the statement."""

    table: str
    mode: str
    options: Mapping[str, str]


def upload(files: Sequence[Path], target: Target, types: Mapping[str, str], url: str) -> None:
    """Sends all rows of `files`; the schema is the first file's.

    Raises:
        Failure: nothing was stored.
    """
    column_types = {column: _type(name) for column, name in types.items()}
    size = sum(path.stat().st_size for path in files if path.is_file())
    first = open_rows(files[0], column_types)
    unknown = sorted(set(column_types) - set(first.schema.names))
    if unknown:
        raise Failure(f"no such column: --type {unknown[0]}, file={files[0]}", USAGE)
    with connected(url) as client, Progress(target.table, size) as progress, _advised(target):
        batches = _batches(files, first, progress)
        row_count = _put(client, target, first.schema, batches, progress)
        progress.finish(row_count)


@contextmanager
def _advised(target: Target) -> Iterator[None]:
    """Says beside the server's refusal which option would do."""
    try:
        yield
    except flight.FlightError as error:
        failure = failure_of(error, "")
        if target.mode != "create" or not failure.message.startswith("table already exists"):
            raise
        advice = "--mode append adds to it, --mode replace takes its place"
        raise Failure(f"{failure.message}; {advice}", failure.code) from None


def _put(
    client: flight.FlightClient,
    target: Target,
    schema: pa.Schema,
    batches: Iterator[pa.RecordBatch],
    progress: Progress,
) -> int:
    message = messages.CommandStatementIngest(
        table_definition_options=_DEFINITIONS[target.mode],
        table=target.table,
        options=dict(target.options),
    )
    writer, reader = client.do_put(command(message), schema)
    try:
        for batch in batches:
            writer.write_batch(batch)
    except (flight.FlightError, pa.ArrowException, OSError):
        writer.close()  # raises what the server said
        raise
    # pyarrow's writer can only be closed, also when it is freed, and to the server a closed stream is
    # a whole one. A connection that breaks cancels the call, and the statement with it.
    except Failure as failure:
        progress.stop()
        vanish(f"{failure.message}; nothing was stored", failure.code)
    except KeyboardInterrupt:
        progress.stop()
        vanish("interrupted; nothing was stored", INTERRUPTED)
    writer.done_writing()
    row_count = update_count(reader)
    writer.close()
    return row_count


def _batches(files: Sequence[Path], first: Rows, progress: Progress) -> Iterator[pa.RecordBatch]:
    schema, done = first.schema, 0
    text_types = {field.name: field.type for field in schema}
    for index, path in enumerate(files):
        rows = first if index == 0 else open_rows(path, text_types)
        with rows.opened:
            for batch in rows.batches:
                for piece in _pieces(align(batch, schema, path)):
                    yield piece
                    progress.advance(piece.num_rows, done + rows.position())
        done += path.stat().st_size


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    count = max(1, -(-batch.nbytes // MESSAGE_BYTES_MAX))
    length = max(1, -(-batch.num_rows // count))
    for start in range(0, batch.num_rows, length):
        yield batch.slice(start, length)


def _type(name: str) -> pa.DataType:
    try:
        kind: pa.DataType = pa.type_for_alias(cast(Any, name))
        return kind
    except ValueError:
        raise Failure(
            "unknown type: expected one such as string, int64, double, date32, timestamp[us],"
            f" type={name}",
            USAGE,
        ) from None
