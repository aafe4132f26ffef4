"""Results in a Markdown file: on which machine, and between markers that a new run replaces."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

VERSIONS = ("Django", "djangorestframework", "mcp", "psycopg", "uvicorn")


def machine(postgres: str) -> str:
    named = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{named}, PostgreSQL {postgres}"
    )


def record(path: Path, name: str, text: str) -> None:
    """Put the text where the file's markers of this name are, or at its end."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    section = f"{begin}\n\n{text.strip()}\n\n{end}"
    kept = path.read_text()
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if pattern.search(kept):
        path.write_text(pattern.sub(lambda _: section, kept))
    else:
        path.write_text(f"{kept.rstrip()}\n\n{section}\n")
