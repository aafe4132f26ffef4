"""OAuth 2.1: clients that people connect by its address alone, without a token to copy."""
