"""The `--url` option of every client command; imports nothing heavy."""

from typing import Annotated

import typer

DEFAULT_URL = "grpc://127.0.0.1:8815"

Url = Annotated[
    str, typer.Option(envvar="FLIGHTDB_URL", metavar="URL", help="The server: grpc://HOST:PORT.")
]
