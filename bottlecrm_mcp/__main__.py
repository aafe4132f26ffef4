"""`python -m bottlecrm_mcp` is `bcrm-mcp`."""

from bottlecrm_mcp.stdio import main

if __name__ == "__main__":
    main()
