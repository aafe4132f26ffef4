"""Sales: leads, contacts, accounts and opportunities."""
