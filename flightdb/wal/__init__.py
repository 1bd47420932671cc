"""Rows before they are files: the write-ahead log."""
