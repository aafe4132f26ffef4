"""Catalogue: the contract of the CRM, as declarations. Needs no Django."""
