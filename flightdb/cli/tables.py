"""`flightdb tables`."""

from flightdb.cli.url import DEFAULT_URL, Url


def tables(url: Url = DEFAULT_URL) -> None:
    """List the tables with their rows and bytes."""
    from rich.console import Console
    from rich.table import Table

    from flightdb.cli.connection import connected

    shown = Table("table", header_style="bold")
    for name in ("rows", "bytes"):
        shown.add_column(name, justify="right")
    with connected(url) as client:
        for info in client.list_flights():
            name = "/".join(part.decode() for part in info.descriptor.path or ())
            shown.add_row(name, _count(info.total_records), _count(info.total_bytes))
    Console().print(shown)


def _count(number: int) -> str:
    return f"{number:,}" if number >= 0 else ""
