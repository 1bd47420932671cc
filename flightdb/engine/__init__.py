"""SQL inside one process."""
