"""A statement as it came through a door."""

from dataclasses import dataclass

import pyarrow as pa

from flightdb.model.principal import ANONYMOUS, Principal


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text, one row or more of parameters, and who asks.

    `parameters`: a batch whose columns are the parameters in order; a query takes one row, an INSERT any number.
    `timeout_s`: from now; None takes the server's default. `max_rows`: refuse or cut is the door's business, not ours.
    `bypass_cache`: `Cache-Control: no-cache`.
    """

    sql: str
    parameters: pa.RecordBatch | None = None
    principal: Principal = ANONYMOUS
    query_id: str = ""
    timeout_s: float | None = None
    bypass_cache: bool = False
