"""Several records in one call: each changed as by a call of its own, confirmed together."""
