"""The forms of an answer by name; imports nothing heavy."""

from enum import StrEnum


class Form(StrEnum):
    """What `--output` takes."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    ARROW = "arrow"
    PARQUET = "parquet"

    @property
    def is_binary(self) -> bool:
        """Whether a terminal cannot show it."""
        return self in (Form.ARROW, Form.PARQUET)
