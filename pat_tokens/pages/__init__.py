"""Pages: Settings → API Tokens, for hosts with Django sessions."""
