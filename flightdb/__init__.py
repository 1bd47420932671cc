"""flightdb: an Arrow Flight SQL data service over Delta tables, with DuckDB as the engine."""

__version__ = "0.1.0"
