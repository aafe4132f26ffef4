"""Confirmation of changes that delete, can't be undone or mail somebody."""
