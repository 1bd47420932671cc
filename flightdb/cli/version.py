"""`flightdb version`."""

from flightdb import __version__


def version() -> None:
    """Print the version."""
    print(f"flightdb {__version__}")
