"""Protocol: the MCP server, whichever transport and gateway it is given."""
