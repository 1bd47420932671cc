"""Settings of writing: WAL, buffers, tables."""

from typing import Annotated

from pydantic import Field

from flightdb.model.names import TABLE_NAME_PATTERN
from flightdb.model.record import DEFAULT_TABLE
from flightdb.model.table import IdRules, IdStrategy, TableOptions
from flightdb.settings.section import Section
from flightdb.settings.units import GIB, KIB, MIB, Bytes, OptionalPath, Seconds


class Wal(Section):
    """The write-ahead log: what makes an acknowledged row durable."""

    dir: Annotated[
        OptionalPath, Field(description="directory of the log; none means `wal` in server.data_dir")
    ] = None
    segment_size: Annotated[
        Bytes, Field(ge=MIB, le=4 * GIB, description="size at which a new log file is begun")
    ] = 64 * MIB
    max_size: Annotated[
        Bytes,
        Field(
            ge=4 * MIB,
            le=1024 * GIB,
            description="writers wait for a flush once the log is this large",
        ),
    ] = 4 * GIB


class Buffer(Section):
    """Rows that are durable and visible, and not yet in Parquet."""

    buffer_size: Annotated[
        int, Field(ge=1, le=10**9, description="rows of one table at which its buffer is flushed")
    ] = 5_000_000
    flush_interval: Annotated[
        Seconds,
        Field(
            ge=0.1,
            le=3600,
            description="age of a table's oldest buffered row at which it is flushed",
        ),
    ] = 30.0
    flush_bytes: Annotated[
        Bytes,
        Field(
            ge=64 * KIB, le=4 * GIB, description="size of one table's buffer at which it is flushed"
        ),
    ] = 128 * MIB
    max_bytes: Annotated[
        Bytes,
        Field(
            ge=MIB,
            le=256 * GIB,
            description="all buffers together; writers are slowed, then refused, beyond it",
        ),
    ] = GIB
    direct_bytes: Annotated[
        Bytes,
        Field(
            ge=MIB,
            le=4 * GIB,
            description="an ingest statement larger than this is written to Parquet as it streams",
        ),
    ] = 64 * MIB
    task_queue_size: Annotated[
        int,
        Field(
            ge=1,
            le=10**7,
            description="writes that may wait for the commit thread; more are refused",
        ),
    ] = 100_000
    wal: Wal = Wal()


class IdValidation(Section):
    """What a record id may look like."""

    max_length: Annotated[int, Field(ge=1, le=255, description="characters of an id")] = 255
    pattern: Annotated[str, Field(description="regular expression that an id matches whole")] = (
        IdRules().pattern
    )
    allowed_chars: Annotated[
        str, Field(description="characters an id is made of; empty allows all")
    ] = ""


class TableDefaults(Section):
    """Options of a record table that is created with none of its own."""

    buffer_size: Annotated[
        int,
        Field(
            ge=0,
            le=10**9,
            description="rows at which the table is flushed; 0 means buffer.buffer_size",
        ),
    ] = 0
    flush_interval: Annotated[
        Seconds,
        Field(
            ge=0,
            le=3600,
            description="age at which the table is flushed; 0s means buffer.flush_interval",
        ),
    ] = 0.0
    id_strategy: Annotated[
        IdStrategy, Field(description="where an id comes from when the writer gives none")
    ] = IdStrategy.USER_PROVIDED
    id_prefix: Annotated[
        str, Field(max_length=64, description="what a made id begins with (snowflake, custom)")
    ] = ""
    id_validation: IdValidation = IdValidation()

    def options(self) -> TableOptions:
        """The same as the core takes it."""
        return TableOptions(
            buffer_size=self.buffer_size,
            flush_interval_seconds=round(self.flush_interval),
            id_strategy=self.id_strategy,
            id_prefix=self.id_prefix,
            auto_generate_id=self.id_strategy is not IdStrategy.USER_PROVIDED,
            id_validation=IdRules(**self.id_validation.model_dump()),
        )


class Tables(Section):
    """Options of tables."""

    default_config: TableDefaults = TableDefaults()


class TableManagement(Section):
    """Which tables there may be."""

    auto_create_tables: Annotated[
        bool, Field(description="a first write makes its record table; else it is refused with 404")
    ] = True
    default_table: Annotated[
        str, Field(pattern=TABLE_NAME_PATTERN, description="table of a write that names none")
    ] = DEFAULT_TABLE
    max_tables: Annotated[int, Field(ge=1, le=10_000, description="tables at most")] = 1000
    table_name_pattern: Annotated[
        str, Field(description="regular expression that a table's name matches whole")
    ] = TABLE_NAME_PATTERN
