"""Server metadata: its name and version, and the entries of `tools/list`."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from bottlecrm_mcp.tools.tool import Tool

NAME = "bcrm-mcp"
TITLE = "BottleCRM"
WEBSITE = "https://bottlecrm.io"
LIST_LIFETIME_MS = 300_000
# The id of the extension that serves skills.
SKILLS = "io.modelcontextprotocol/skills"
# Where the endpoint has them as a folder.
SKILLS_PATH = "/mcp/skills.zip"


def tool_entry(tool: Tool) -> dict[str, Any]:
    meta = {"_meta": dict(tool.meta)} if tool.meta else {}
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": tool.input_schema,
        "outputSchema": tool.output_schema,
        "annotations": {
            "title": tool.title,
            "readOnlyHint": tool.needs != "write",
            "destructiveHint": tool.destructive,
            "idempotentHint": tool.idempotent,
            "openWorldHint": tool.outward,
        },
        **meta,
    }


@cache
def package_version() -> str:
    try:
        return version(NAME)
    except PackageNotFoundError:
        return "0"
