"""The organisation: its teams, tags and look-ups."""
