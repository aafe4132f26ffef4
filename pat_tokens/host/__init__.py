"""Adapters of what the host has: its people and organisations, and its own table of tokens."""
