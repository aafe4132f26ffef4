"""Hooks: what is patched into DRF, Celery and Django's signals, once, at start-up."""
