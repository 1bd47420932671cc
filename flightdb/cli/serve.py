"""`flightdb serve`: its options, over environment and file."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from flightdb.cli.failure import USAGE, Failure

Port = Annotated[int | None, typer.Option(metavar="N", show_default=False)]


def serve(  # noqa: PLR0913 - an argument is an option, so typer wants it
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings as YAML; see docs/settings.md.")
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where tables and WAL are.", show_default=False),
    ] = None,
    host: Annotated[
        str | None, typer.Option(metavar="H", help="Address to listen on.", show_default=False)
    ] = None,
    flight_port: Port = None,
    rest_port: Port = None,
    grpc_port: Port = None,
    metrics_port: Port = None,
    log_level: Annotated[
        str | None,
        typer.Option(metavar="L", help="debug, info, warning or error.", show_default=False),
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option("--insecure", help="Allow a host that is not loopback with security off."),
    ] = False,
) -> None:
    """Run the service until SIGTERM or Ctrl-C; settings go command line, environment, file."""
    given = {
        "server.data_dir": data_dir,
        "server.host": host,
        "server.flight_port": flight_port,
        "server.rest_port": rest_port,
        "server.grpc_port": grpc_port,
        "metrics.port": metrics_port,
        "log.level": log_level,
        "security.insecure": insecure or None,
    }
    from flightdb.settings import SettingsError, load_settings
    from flightdb.telemetry.logs import configure_logs

    overrides = {path: value for path, value in given.items() if value is not None}
    try:
        settings = load_settings(config, overrides).settings
    except SettingsError as error:
        raise Failure(str(error), USAGE) from None
    configure_logs(settings.log.level, settings.log.format)

    sys.meta_path.insert(0, WithoutPandas())
    from flightdb.cli.running import run  # all libraries of the service; not for a wrong setting

    run(settings)


class WithoutPandas(MetaPathFinder):
    """Rules out `import pandas`.

    pyarrow imports it, if it is there, at its first conversion: 0.4 s of the first request and 40 MB that the service
    has no use for.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        """Finds nothing, and lets nobody else look."""
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is ruled out here", name=fullname)
