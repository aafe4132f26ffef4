"""Doctor: checks of the host and acceptance tests of the tools, behind `mcp_doctor`."""
