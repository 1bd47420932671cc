"""The flightdb command."""
