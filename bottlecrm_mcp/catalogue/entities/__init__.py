"""Entities that are always served."""
