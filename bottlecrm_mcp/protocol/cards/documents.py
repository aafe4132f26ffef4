"""HTML of the cards: one self-contained document a kind, made of the files beside it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import mcp_types as types

from bottlecrm_mcp.protocol.cards.extension import ADDRESS, MIME_TYPE

LIFETIME_MS = 3_600_000
TEMPLATES = Path(__file__).parent / "templates"
# The files that each kind is made of, in the order in which they run.
FILES = {
    "record": ("record.css", "host.js", "values.js", "record.js", "show_record.js"),
    "change": ("record.css", "host.js", "values.js", "record.js", "several.js", "confirmation.js"),
    "list": ("list.css", "host.js", "values.js", "list.js"),
    "chart": ("chart.css", "host.js", "values.js", "chart.js"),
}
KINDS = {ADDRESS.format(kind=kind): kind for kind in FILES}


@cache
def document(kind: str) -> str:
    """The whole page of a kind of card."""
    styles = [_read(name) for name in ("card.css", *FILES[kind]) if name.endswith(".css")]
    scripts = [_read(name) for name in FILES[kind] if name.endswith(".js")]
    page = _read("card.html").replace("/* style */", "\n".join(styles))
    return page.replace("/* script */", "\n".join(scripts))


def read(uri: str, kind: str) -> types.ReadResourceResult:
    """The answer to `resources/read`. No CSP is asked for: a card needs no network."""
    page = types.TextResourceContents(uri=uri, mime_type=MIME_TYPE, text=document(kind))
    return types.ReadResourceResult(contents=[page], ttl_ms=LIFETIME_MS, cache_scope="public")


def _read(name: str) -> str:
    """A file without comments and most of the spaces, which only its readers need."""
    lines = map(str.strip, (TEMPLATES / name).read_text(encoding="utf-8").splitlines())
    text = "\n".join(line for line in lines if line and not line.startswith("//"))
    return re.sub(r"\s*([{}:;,])\s*", r"\1", text) if name.endswith(".css") else text
