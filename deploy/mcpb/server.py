"""What Claude Desktop starts: `bcrm-mcp`, from the wheel that lies beside this file."""

from bottlecrm_mcp.local.cli import main

if __name__ == "__main__":
    main()
