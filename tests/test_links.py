"""What the documents point to is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("tests/*/*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
NAMED = re.compile(r"`((?:tests|docs|bottlecrm_mcp|pat_tokens|demo_crm|deploy)/[\w./-]+\.\w+)`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=[each.name for each in DOCUMENTS])
def test_links(document: Path) -> None:
    text = document.read_text()
    links = (each for each in LINK.findall(text) if ":" not in each)
    missing = [each for each in links if not (document.parent / each).exists()]
    assert missing + [each for each in NAMED.findall(text) if not (ROOT / each).exists()] == []
