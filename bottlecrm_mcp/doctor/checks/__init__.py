"""Host checks: is this CRM right for /mcp?"""
