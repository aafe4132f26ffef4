"""Entities: serializers, views and URLs, one module for each kind of record."""
