"""Text of a record or of a person as one line of a sentence that somebody reads as ours."""

from __future__ import annotations

# They stand between letters of many scripts and emoji, and hide nothing: joiners and wide spaces.
KEPT = frozenset("\u200c\u200d\u00a0\u202f\u3000")


def one_line(text: str) -> str:
    """The text with what would break, reorder or hide a part of the line spelled out: `\\u202e`."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in KEPT else _spelled(each) for each in text)


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode()
