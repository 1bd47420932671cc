"""Door 3: gRPC."""
