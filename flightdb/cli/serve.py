"""`flightdb serve`: settings, the app, one ready line, and an orderly end."""

import os
import select
import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from flightdb.cli.failure import INTERRUPTED, USAGE, Failure
from flightdb.errors import FlightdbError
from flightdb.settings import Settings, SettingsError, load_settings
from flightdb.telemetry.logs import configure_logs

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
    overrides = {path: value for path, value in given.items() if value is not None}
    try:
        settings = load_settings(config, overrides).settings
    except SettingsError as error:
        raise Failure(str(error), USAGE) from None
    configure_logs(settings.log.level, settings.log.format)
    run(settings)


def run(settings: Settings) -> None:
    """Starts, says ready, waits for a signal, drains.

    Raises:
        Failure: it could not start, or a part of it failed while it ran; the message says which.
    """
    from flightdb.app import App  # all libraries; not for `serve --help`

    stop = StopSignals()
    try:
        app = App.start(settings)
    except FlightdbError as error:
        raise Failure(error.message, USAGE) from None
    except OSError as error:
        raise Failure(f"cannot start: {error.strerror}, file={error.filename}", USAGE) from None
    try:
        print(app.ready_line, flush=True)
        stop.wait()
    finally:
        app.stop()


class StopSignals:
    """SIGTERM and SIGINT as something to wait for; a second SIGINT ends the process at once.

    A pipe, because a lock taken in a signal handler can be held already by the code it interrupts.
    """

    def __init__(self) -> None:
        """Takes over both signals, for the main thread."""
        self._read, self._write = os.pipe()
        self._interrupts = 0
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def wait(self) -> None:
        """Returns once one of them came, before this call or after."""
        select.select([self._read], [], [])

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self._interrupts += number == signal.SIGINT
        if self._interrupts > 1:
            os._exit(INTERRUPTED)
        os.write(self._write, b"x")
