"""Local server: the `bcrm-mcp` command, which runs without Django."""
