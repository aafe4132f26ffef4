"""Arguments of tools: read, looked up and checked before anything is sent."""
