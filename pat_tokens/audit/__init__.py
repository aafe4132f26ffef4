"""Audit: the event log, the use of tokens, and where requests came from."""
