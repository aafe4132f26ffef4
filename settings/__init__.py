"""Settings of the demo and the tests."""
