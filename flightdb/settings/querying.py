"""Settings of queries: DuckDB, caches, admission."""

from typing import Annotated

from pydantic import Field

from flightdb.settings.section import Section
from flightdb.settings.units import GIB, MIB, Bytes, OptionalPath, Seconds


class Performance(Section):
    """What DuckDB may use."""

    memory_limit: Annotated[
        Bytes,
        Field(
            ge=64 * MIB,
            le=4096 * GIB,
            description="memory of all running queries; beyond it they spill",
        ),
    ] = 4 * GIB
    threads: Annotated[
        int, Field(ge=0, le=1024, description="threads of all running queries; 0 means one a core")
    ] = 0
    temp_directory: Annotated[
        OptionalPath, Field(description="where queries spill; none means `tmp` in server.data_dir")
    ] = None
    max_temp_directory_size: Annotated[
        Bytes, Field(ge=0, le=4096 * GIB, description="most that running queries may spill")
    ] = 16 * GIB


class PreparedStatements(Section):
    """Plans and schemas kept by statement text."""

    cache_size: Annotated[
        int,
        Field(
            ge=0, le=10**6, description="statements whose plan and schema are kept; 0 keeps none"
        ),
    ] = 1000


class Duckdb(Section):
    """The engine."""

    performance: Performance = Performance()
    prepared_statements: PreparedStatements = PreparedStatements()


class QueryCache(Section):
    """Answers kept in memory until one of their tables changes."""

    enabled: Annotated[bool, Field(description="keep answers of deterministic queries")] = True
    max_cache_size: Annotated[
        Bytes,
        Field(ge=0, le=256 * GIB, description="all kept answers together; the least used go first"),
    ] = 200 * MIB


class QueryOptimization(Section):
    """How queries run."""

    query_cache: QueryCache = QueryCache()
    duckdb: Duckdb = Duckdb()


class Coordinator(Section):
    """Which queries run, and for how long."""

    distributed_query_timeout: Annotated[
        Seconds,
        Field(
            ge=0.1,
            le=86400,
            description="deadline of a query that names none, its download included",
        ),
    ] = 300.0
    max_running_queries: Annotated[
        int, Field(ge=1, le=10_000, description="queries that run at once")
    ] = 8
    max_waiting_queries: Annotated[
        int,
        Field(
            ge=0,
            le=100_000,
            description="queries that wait for a place; more are refused as overloaded",
        ),
    ] = 256
    ticket_ttl: Annotated[
        Seconds,
        Field(
            ge=1,
            le=3600,
            description="how long the snapshot of a planned query is held for its download",
        ),
    ] = 60.0
