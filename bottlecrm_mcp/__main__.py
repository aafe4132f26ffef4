"""Entry point of `python -m bottlecrm_mcp`, which is `bcrm-mcp`."""

from bottlecrm_mcp.local.cli import main

if __name__ == "__main__":
    main()
