"""Other MCP servers that give the answer of a search of ten leads, by Django's ORM or by hand."""
