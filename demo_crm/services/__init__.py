"""Services: what happens to records beyond storing them."""
