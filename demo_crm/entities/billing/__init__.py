"""Billing: invoices, their line items and payments."""
