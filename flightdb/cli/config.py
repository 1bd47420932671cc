"""`flightdb config print` and `flightdb config docs`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from flightdb.cli.failure import USAGE, Failure

COMMANDS = typer.Typer(help="Show the settings.", no_args_is_help=True)


@COMMANDS.command("print")
def print_config(
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings as YAML.")] = None,
    as_yaml: Annotated[
        bool,
        typer.Option("--yaml", help="YAML on a terminal too; it can be used as a settings file."),
    ] = False,
) -> None:
    """Show every setting in force, its default and where its value comes from."""
    from flightdb.settings import SettingsError, load_settings
    from flightdb.settings.show import as_table, as_yaml_text

    try:
        loaded = load_settings(config)
    except SettingsError as error:
        raise Failure(str(error), USAGE) from None
    if sys.stdout.isatty() and not as_yaml:
        from rich.console import Console

        Console().print(as_table(loaded))
    else:
        print(as_yaml_text(loaded), end="")


@COMMANDS.command("docs")
def docs(
    directory: Annotated[Path, typer.Argument(help="Where settings.md and errors.md are written.")],
) -> None:
    """Write docs/settings.md and docs/errors.md from the code."""
    from flightdb.cli.documents import write_documents

    write_documents(directory)
