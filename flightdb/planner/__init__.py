"""SQL text and table schemas in, checked and rewritten SQL out; pure."""
