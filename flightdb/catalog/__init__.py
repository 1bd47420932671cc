"""The truth about tables: snapshots, versions, commits."""
