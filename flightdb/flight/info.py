"""FlightInfo: one endpoint without locations, so that a client stays on its connection."""

from typing import Any

import pyarrow as pa
from pyarrow import flight

TIME = pa.timestamp("us", tz="UTC")


def info_of(
    schema: pa.Schema,
    descriptor: flight.FlightDescriptor,
    ticket: bytes,
    *,
    expires_us: int = 0,
    row_count: int = -1,
    query_id: str = "",
) -> flight.FlightInfo:
    """What GetFlightInfo answers.

    `expires_us`: of the ticket, 0 for never; `row_count`: of the answer, -1 unknown.
    """
    expires: Any = pa.scalar(expires_us, TIME) if expires_us else None
    endpoint = flight.FlightEndpoint(flight.Ticket(ticket), [], expires)
    return flight.FlightInfo(
        schema,
        descriptor,
        [endpoint],
        total_records=row_count,
        total_bytes=-1,
        ordered=True,
        app_metadata=query_id.encode(),
    )


def listing_of(
    schema: pa.Schema, table: str, *, row_count: int, size_bytes: int
) -> flight.FlightInfo:
    """A table as ListFlights shows it; GetFlightInfo on its path gives an endpoint."""
    descriptor = flight.FlightDescriptor.for_path(table)
    return flight.FlightInfo(
        schema, descriptor, [], total_records=row_count, total_bytes=size_bytes
    )
