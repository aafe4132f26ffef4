"""Cards: what the tools answer as small pages in the client's own window (MCP Apps)."""
