"""Services: what the REST API, the pages and the commands do with tokens."""
