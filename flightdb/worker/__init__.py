"""Does: ingest, buffers, flush, fragments."""
