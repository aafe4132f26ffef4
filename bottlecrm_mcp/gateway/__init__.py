"""Gateways to the CRM: in its own process, or over its REST API."""
