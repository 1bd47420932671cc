"""Structured lines on stderr: one JSON object a line, or coloured text for a terminal.

Lines of libraries that use `logging` and Python's warnings come out in the same form.
"""

import logging
import sys
from typing import Any, TextIO

import structlog

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def configure_logs(level: str, form: str, stream: TextIO | None = None) -> None:
    """Sets up `structlog.get_logger()` and `logging` for this process; calling it again replaces.

    `level`: a key of `LEVELS`. `form`: json, console, or auto (console on a terminal).
    `stream`: stderr if None.
    """
    out = sys.stderr if stream is None else stream
    is_console = form == "console" or (form == "auto" and out.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render = _console(out.isatty()) if is_console else _json()
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,  # so that calling it again reaches loggers in use
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    # Libraries' info lines (a line a request, a line a start-up step) are noise here.
    logging.basicConfig(handlers=[handler], level=max(LEVELS[level], logging.WARNING), force=True)
    logging.captureWarnings(True)


def _json() -> list[Any]:
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]


def _console(has_colors: bool) -> list[Any]:
    plain = structlog.dev.plain_traceback  # the rich one imports rich and prints local variables
    return [structlog.dev.ConsoleRenderer(colors=has_colors, exception_formatter=plain)]
