"""do_get with nothing around it: pyarrow.flight, DuckDB, the Parquet files named as arguments."""

import os
import sys

import duckdb
from pyarrow import flight


class BareGet(flight.FlightServerBase):
    """The ticket is SQL over the view `t`. Flight SQL's ADBC driver is served just enough to ask."""

    def __init__(self, files: list[str]) -> None:
        super().__init__("grpc://127.0.0.1:0")
        self._database = duckdb.connect(config={"threads": os.cpu_count() or 1})
        names = ", ".join(f"'{file}'" for file in files)
        self._database.execute(f"create view t as select * from read_parquet([{names}])")

    def get_flight_info(
        self, context: flight.ServerCallContext, descriptor: flight.FlightDescriptor
    ) -> flight.FlightInfo:
        sql = _sql(descriptor.command)
        schema = self._database.cursor().sql(f"{sql} limit 0").to_arrow_table().schema
        endpoint = flight.FlightEndpoint(sql.encode(), [])
        return flight.FlightInfo(schema, descriptor, [endpoint], -1, -1)

    def do_get(
        self, context: flight.ServerCallContext, ticket: flight.Ticket
    ) -> flight.RecordBatchStream:
        cursor = self._database.cursor()
        reader = cursor.sql(ticket.ticket.decode()).to_arrow_reader(65_536)
        return flight.RecordBatchStream(reader)


def _sql(command: bytes) -> str:
    """The text in a packed CommandStatementQuery: Any.value (field 2), then its field 1."""
    return _field(_field(command, 2), 1).decode()


def _field(message: bytes, number: int) -> bytes:
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        if tag & 7 != 2:
            raise ValueError("expected a length-delimited field")
        size, at = _varint(message, at)
        if tag >> 3 == number:
            return message[at : at + size]
        at += size
    raise ValueError(f"field not found: number={number}")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


if __name__ == "__main__":
    server = BareGet(sys.argv[1:])
    print(server.port, flush=True)
    server.serve()
