"""Hosted endpoint: /mcp on the CRM's own host, and the OAuth 2.1 server beside it."""
