"""Text that people read beside ours: what can hide or turn a part of it."""

import unicodedata

from django.core.exceptions import ValidationError

# Controls, marks of direction and other invisible characters, surrogates, private use.
UNSHOWN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
# They join the letters of many scripts and the parts of emoji.
JOINERS = "\u200c\u200d"
UNSHOWN_IN_NAME = "A name can't have control or invisible characters."
UNSHOWN_IN_NOTE = "A note can't have control or invisible characters."
BETWEEN_LINES = "\r\n\t"
UNSHOWN_IN_REASON = "A reason can't have control or invisible characters."


def is_shown(character: str) -> bool:
    """Whether this one character can be seen, and turns or hides nothing beside it."""
    return unicodedata.category(character) not in UNSHOWN


def validate_name(name: str) -> None:
    """Raises `ValidationError`. Joiners are for the inside of a name."""
    if name.strip(JOINERS) != name or not all(is_shown(each) or each in JOINERS for each in name):
        raise ValidationError(UNSHOWN_IN_NAME)


def validate_note(note: str) -> None:
    """Raises `ValidationError`. A note may have several lines."""
    if not all(is_shown(each) or each in JOINERS + BETWEEN_LINES for each in note):
        raise ValidationError(UNSHOWN_IN_NOTE)


def validate_reason(reason: str) -> None:
    """The same of a sentence, in which joiners may stand anywhere."""
    if not all(is_shown(each) or each in JOINERS for each in reason):
        raise ValidationError(UNSHOWN_IN_REASON)
