"""Searches: of one entity, of all, and of what waits for the person."""
