"""`flightdb flush`."""

from typing import Annotated

import typer

from flightdb.cli.url import DEFAULT_URL, Url


def flush(
    table: Annotated[str, typer.Argument(help="One table; all without it.")] = "",
    url: Url = DEFAULT_URL,
) -> None:
    """Write buffered rows to Parquet now."""
    from flightdb.cli.connection import act, connected

    with connected(url) as client:
        result = act(client, "flightdb.flush", {"table": table})
    print(f"flushed {result.get('rows', 0)} rows")
