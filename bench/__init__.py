"""What flightdb costs next to what it is measured against; `run.py` is the way in."""
