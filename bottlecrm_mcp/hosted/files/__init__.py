"""Files of records: links that are good once, and what serves them at /mcp/files."""
