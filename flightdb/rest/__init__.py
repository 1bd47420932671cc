"""Door 2: REST over Starlette."""
