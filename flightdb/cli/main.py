"""The commands, and the one place where a failure becomes a line and an exit code.

Exit codes: 0 done, 1 the server refused, 2 usage or settings, 3 no server there, 130 interrupted.
"""

import os
import sys
from collections.abc import Sequence

import typer
from typer.main import get_command

from flightdb.cli import config, flush, load, serve, sql, tables, version
from flightdb.cli.failure import INTERRUPTED, Failure, ReaderGone, say

COMMANDS = typer.Typer(
    name="flightdb",
    help="An Arrow Flight SQL data service: Delta tables, with DuckDB as the engine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COMMANDS.command("serve")(serve.serve)
COMMANDS.command("sql")(sql.sql)
COMMANDS.command("load")(load.load)
COMMANDS.command("flush")(flush.flush)
COMMANDS.command("tables")(tables.tables)
COMMANDS.command("version")(version.version)
COMMANDS.add_typer(config.COMMANDS, name="config")


def run(arguments: Sequence[str]) -> int:
    """Runs one command; gives the exit code. Never raises but for a defect."""
    command = get_command(COMMANDS)
    try:
        code = command.main(list(arguments), prog_name="flightdb", standalone_mode=False)
    except Failure as failure:
        say(failure.message)
        return failure.code
    except typer.TyperException as error:
        if type(error).__name__ != "NoArgsIsHelpError":  # its message is the help, shown already
            say(f"{error.format_message().rstrip('.')} (see flightdb --help)")
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        say("interrupted")
        return INTERRUPTED
    except ReaderGone:
        # Nothing may be flushed to the broken pipe when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0
