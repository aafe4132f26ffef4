"""Lists and rows as the REST API has them, for every gateway."""
