"""What the documents point to is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("tests/*/*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
ANCHOR = re.compile(r"\]\(([^)#\s:]*)#([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
NAMED = re.compile(r"`((?:tests|docs|bottlecrm_mcp|pat_tokens|demo_crm|deploy)/[\w./-]+\.\w+)`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=[each.name for each in DOCUMENTS])
def test_links(document: Path) -> None:
    text = document.read_text()
    links = (each for each in LINK.findall(text) if ":" not in each)
    missing = [each for each in links if not (document.parent / each).exists()]
    assert missing + [each for each in NAMED.findall(text) if not (ROOT / each).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=[each.name for each in DOCUMENTS])
def test_anchors(document: Path) -> None:
    for name, anchor in ANCHOR.findall(document.read_text()):
        there = document.parent / name if name else document
        assert anchor in {slug(each) for each in HEADING.findall(there.read_text())}, there


def slug(heading: str) -> str:
    """Heading as GitHub names it in an address."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_no_picture_is_without_a_page() -> None:
    shown = {Path(each).name for page in DOCUMENTS for each in LINK.findall(page.read_text())}
    assert {each.name for each in (ROOT / "docs/images").iterdir()} <= shown


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs/README.md"
    listed = {each for each in LINK.findall(index.read_text()) if "/" not in each}
    assert listed == {each.name for each in (ROOT / "docs").glob("*.md")} - {"README.md"}


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= 900
