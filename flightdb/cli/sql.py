"""`flightdb sql`."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from flightdb.cli.failure import INTERRUPTED, USAGE, Failure, ReaderGone, vanish
from flightdb.cli.form import Form
from flightdb.cli.url import DEFAULT_URL, Url

if TYPE_CHECKING:
    import pyarrow.flight as flight


def sql(
    statement: Annotated[
        str,
        typer.Argument(metavar="SQL", help="The statement; `-` or nothing reads it from stdin."),
    ] = "-",
    url: Url = DEFAULT_URL,
    output: Annotated[
        Form | None,
        typer.Option(
            "--output",
            "-o",
            help="The form of the answer; none: table, or what --file's name says.",
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the answer there, not to stdout.")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--input", "-f", metavar="FILE", help="Read the statement from it."),
    ] = None,
) -> None:
    """Run one statement; the answer streams, so it may be of any size."""
    text = _statement(statement, source)
    form = output or (Form.TABLE if file is None else _form_of(file))
    if form.is_binary and file is None and sys.stdout.isatty():
        raise Failure(f"a terminal cannot show {form}: name a --file or a pipe", USAGE)
    # On a thread of its own: pyarrow hears no signal while it waits, so that a long query could not be left.
    running = ThreadPoolExecutor(max_workers=1).submit(_run, text, form, file, url)
    try:
        running.result()
    except KeyboardInterrupt:
        if file is not None:
            _draft(file).unlink(missing_ok=True)
        vanish("interrupted", INTERRUPTED)


def _form_of(file: Path) -> Form:
    """What the name of `file` says."""
    ending = file.suffix.removeprefix(".").lower()
    if ending in [form.value for form in Form]:
        return Form(ending)
    raise Failure(
        f"unknown form: name it by --output, or the file .csv, .json, .arrow or .parquet, file={file}",
        USAGE,
    )


def _run(text: str, form: Form, file: Path | None, url: str) -> None:
    from flightdb.cli.connection import close, connected, prepare, update

    with connected(url) as client:
        prepared = prepare(client, text)
        handle = prepared.prepared_statement_handle
        if prepared.dataset_schema:
            with _destination(file) as stream:
                _write_answer(client, handle, form, stream)
        else:
            row_count = update(client, handle)
            print(f"ok, {row_count:,} row{'' if row_count == 1 else 's'}", file=sys.stderr)
        close(client, handle)


def _write_answer(
    client: "flight.FlightClient", handle: bytes, form: Form, stream: BinaryIO
) -> None:
    from flightdb.cli.connection import answer
    from flightdb.cli.output import Writer, writer

    into: Writer | None = None
    for reader in answer(client, handle):
        if into is None:
            into = writer(form, reader.schema, stream)
        for chunk in reader:
            if chunk.data is not None:  # a message of metadata alone
                into.write(chunk.data)
    if into is not None:
        into.close()


def _statement(statement: str, source: Path | None) -> str:
    if source is not None:
        try:
            return source.read_text(encoding="utf-8")
        except OSError as error:
            raise Failure(f"cannot read: {error.strerror}, file={source}", USAGE) from None
        except UnicodeDecodeError:
            raise Failure(f"not UTF-8 text, file={source}", USAGE) from None
    text = sys.stdin.read() if statement == "-" else statement
    if not text.strip():
        raise Failure("no statement: expected SQL as an argument, on stdin or with -f", USAGE)
    return text


@contextmanager
def _destination(file: Path | None) -> Iterator[BinaryIO]:
    """Stdout, or a file that is there whole or not at all."""
    if file is None:
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise ReaderGone from None
        return
    partial = _draft(file)
    try:
        stream = partial.open("wb")
    except OSError as error:
        raise Failure(f"cannot write: {error.strerror}, file={file}", USAGE) from None
    try:
        with stream:
            yield stream
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def _draft(file: Path) -> Path:
    return file.with_name(file.name + ".partial")
