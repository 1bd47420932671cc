"""`python -m flightdb` and the `flightdb` command."""

import sys

from flightdb.cli.main import run
from flightdb.cli.memory import bound_arrow_memory


def main() -> None:
    """Runs the command line of this process and exits with its code."""
    bound_arrow_memory()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
