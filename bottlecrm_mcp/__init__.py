"""BottleCRM for AI assistants: an MCP server, in the CRM's own process or beside the client."""
