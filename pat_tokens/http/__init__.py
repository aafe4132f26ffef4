"""HTTP beside Django's and DRF's own: bodies, values, rates, headers."""
