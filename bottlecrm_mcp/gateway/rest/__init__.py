"""REST gateway, for the local server. It has no transactions."""
