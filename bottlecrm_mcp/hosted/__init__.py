"""The hosted endpoint: what serves /mcp and what belongs to it."""
