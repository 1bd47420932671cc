"""`flightdb load`: files into a table as one atomic statement."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from flightdb.cli.failure import USAGE, Failure
from flightdb.cli.url import DEFAULT_URL, Url


class Mode(StrEnum):
    """What there may be before."""

    CREATE = "create"
    APPEND = "append"
    REPLACE = "replace"


def load(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="Parquet, CSV, TSV, NDJSON, Arrow; .gz .zst .zip too."
        ),
    ],
    table: Annotated[str, typer.Option(metavar="T", help="The table.")],
    id_column: Annotated[
        str, typer.Option(metavar="C", help="Sort and prune by this column, as by a record's id.")
    ] = "",
    time_column: Annotated[
        str, typer.Option(metavar="C", help="Name files by the day of this column.")
    ] = "",
    mode: Annotated[Mode, typer.Option(help="create: the table must not be there.")] = Mode.CREATE,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="COLUMN=TYPE", help="Type of a CSV or NDJSON column."),
    ] = None,
    url: Url = DEFAULT_URL,
) -> None:
    """Load files into a table: all of them or nothing, with bounded memory."""
    from flightdb.cli.upload import Target, upload

    options = {"id_column": id_column, "time_column": time_column}
    given = {name: column for name, column in options.items() if column}
    upload(files, Target(table, mode.value, given), _types(types or []), url)


def _types(texts: list[str]) -> dict[str, str]:
    types = {}
    for text in texts:
        column, _, name = text.rpartition("=")
        if not column:
            raise Failure(f"expected COLUMN=TYPE, such as zip=string, type={text}", USAGE)
        types[column] = name
    return types
