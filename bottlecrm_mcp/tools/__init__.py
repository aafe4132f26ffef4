"""Tools: one module each, a function of the `Crm` and the tool's arguments."""
