"""Real MCP clients from npm against a running host: `make clients`, outside of `make test`."""
