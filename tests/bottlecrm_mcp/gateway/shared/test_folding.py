"""Text as people mean it."""

import pytest

from bottlecrm_mcp.gateway.shared import folding


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("José", "jose"),
        ("Jose\u0301", "José"),
        ("MÜLLER", "muller"),
        ("Łódź", "lodz"),
        ("Straße", "STRASSE"),
        ("Ærø", "aero"),
        ("d\u2019Énergie", "d'energie"),
        ("ERP \u2013 \u201ephase\u00a02\u201c", 'erp - "phase 2"'),
        ("Ελλάδα", "ΕΛΛΑΔΑ"),
    ],
)
def test_folded(one: str, other: str) -> None:
    assert folding.folded(one) == folding.folded(other)


def test_words_and_order() -> None:
    assert folding.words_of("Núñez,  Ana") == ["nunez", "ana"]
    assert folding.in_order("Smith, Ann") == "Ann Smith"
    assert folding.in_order("Acme,") == "Acme,"
    assert folding.words_of(",") == [","]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+34 600-123-456", "0034600123456", True),
        ("(600) 123 456", "+34600123456", True),
        ("600.123.456", "+34 600 123 457", False),
        ("+1 555 010 0123", "+1 555 010 01234", False),
        ("call Ann", "call Ann", False),
        ("123", "123", False),
    ],
)
def test_phone_numbers(one: str, other: str, same: bool) -> None:
    assert folding.same_phone(one, other) is same
    assert folding.same_phone(other, one) is same


@pytest.mark.parametrize(
    ("text", "words", "distance"),
    [
        ("Ann Johnson", "johnson", 0),
        ("Ann Johnson", "jonson", 1),
        ("Ann Johnson", "johnsno", 1),
        ("Ann Johnson", "johnsan", 1),
        ("Ann Johnson", "ann jonson", 1),
        ("Ann Johnson", "bob johnson", None),
        ("Ann Johnson", "jansan", None),
        ("Schwarzenegger", "shwarzeneger", 2),
        ("Smith", "smoth", 1),
        ("AB12", "ab13", None),
        ("Ann", "anm", None),
    ],
)
def test_distance(text: str, words: str, distance: int | None) -> None:
    assert folding.distance_to(text, folding.words_of(words)) == distance
