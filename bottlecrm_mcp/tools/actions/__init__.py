"""Actions: what one concerns, what a person is to agree to, and its run."""
