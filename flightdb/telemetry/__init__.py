"""What the process tells about itself: log lines, metrics, and the server that shows them."""
