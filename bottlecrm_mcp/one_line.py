"""Text of a record or of a person as one line of a sentence that somebody reads as ours."""

from __future__ import annotations


class OwnWords(str):
    """Words of ours among values of a record, which a form shows without quotation marks."""

    __slots__ = ()


# They stand between letters of many scripts and emoji, and hide nothing: joiners and wide spaces.
KEPT = frozenset("\u200c\u200d\u00a0\u202f\u3000")


def one_line(text: str) -> str:
    """The text with what would break, reorder or hide a part of the line spelled out: `\\u202e`."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in KEPT else _spelled(each) for each in text)


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode()


def quoted(text: str) -> str:
    """The text of a record as it stands in a sentence of ours; nothing in it can end the quote."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{one_line(escaped)}"'
