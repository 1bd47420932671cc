"""Door 1: Arrow Flight and Flight SQL."""
