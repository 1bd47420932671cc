"""Immutable bytes: objects and Parquet files."""
