"""REST API: a person's own tokens, and the organisation's for its administrators."""
