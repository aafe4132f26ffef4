"""Downloads that an MCP endpoint has for its clients, shown where these are connected."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Download:
    """A file at a path of the MCP endpoint's host, what to call it and what it is good for."""

    path: str
    label: str
    note: str


_offered: dict[str, Download] = {}


def offer_download(path: str, label: str, note: str) -> None:
    """Show this file on the pages that connect clients; for an app's `ready`."""
    _offered[path] = Download(path, label, note)


def downloads(mcp_url: str) -> list[dict[str, str]]:
    """Each with its whole address, beside the endpoint at `mcp_url`."""
    root = mcp_url.removesuffix("/mcp")
    return [
        {"url": root + each.path, "label": each.label, "note": each.note}
        for each in _offered.values()
    ]
