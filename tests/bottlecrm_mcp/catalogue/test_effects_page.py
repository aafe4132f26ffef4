"""docs/effects.md names every field that can be written, and what the catalogue says of it."""

import re
from pathlib import Path

import pytest

from bottlecrm_mcp.catalogue.bottlecrm import CATALOGUE
from bottlecrm_mcp.catalogue.model import Entity

PAGE = Path(__file__).parents[3] / "docs" / "effects.md"
WRITTEN = [each for each in (*CATALOGUE.entities, *CATALOGUE.optional) if each.writable_fields]
ANY = "any field"


def rows(title: str) -> list[tuple[str, str]]:
    """The first and last cell of each row of the table under a heading."""
    section = PAGE.read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]
    cells = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:1] == "|"]
    return [(row[0], row[-1]) for row in cells[2:]]


def named(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def marked(entity: Entity) -> set[str]:
    """Fields that have an effect by themselves; `ANY` where every one of them has."""
    changes = [each.fields or (ANY,) for each in entity.change_effects]
    return {each.field for each in entity.value_effects}.union(*changes)


@pytest.mark.parametrize("entity", WRITTEN, ids=lambda each: each.name)
def test_every_writable_field_was_looked_at(entity: Entity) -> None:
    fields = [
        name for cell, _ in rows(f"`{entity.name}`") for name in named(cell) if ANY not in cell
    ]
    assert sorted(fields) == sorted(each.name for each in entity.writable_fields)


@pytest.mark.parametrize("entity", WRITTEN, ids=lambda each: each.name)
def test_what_is_marked_is_confirmed(entity: Entity) -> None:
    confirmed = {
        name
        for cell, here in rows(f"`{entity.name}`")
        if here.startswith("confirmed")
        for name in ([ANY] if ANY in cell else named(cell))
    }
    assert confirmed == marked(entity)


def test_actions_with_effects_are_confirmed() -> None:
    confirmed = {
        name
        for cell, here in rows("Actions")
        if here.startswith("confirmed")
        for name in named(cell)
    }
    effects = {
        action.name for entity in WRITTEN for action in entity.actions if action.possible_effects
    }
    assert confirmed == effects
