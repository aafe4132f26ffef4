"""In-process gateway, for the hosted endpoint."""
