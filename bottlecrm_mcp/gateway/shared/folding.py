"""Folded text: what people mean by it, whatever case, accents, composition, quotes or dashes."""

from __future__ import annotations

import re
import unicodedata

# What a decomposed letter carries, and letters that don't decompose. The database folds by these,
# too.
MARKS = "".join(map(chr, range(0x300, 0x370)))
LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "\u0131": "i"}
# What keyboards have in the place of typographic quotes and dashes.
PUNCTUATION = dict.fromkeys("\u2018\u2019\u02bc", "'") | dict.fromkeys("\u201c\u201d\u201e", '"')
PUNCTUATION |= dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
LIGATURES = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}

_FOLDS = str.maketrans({**dict.fromkeys(MARKS), **LETTERS, **PUNCTUATION, **LIGATURES})
_BETWEEN_WORDS = re.compile(r"[\s,;]+")
_PHONE = re.compile(r"[\d\s()+./-]+", re.ASCII)
# Digits that make a phone number, and so many that one without its prefixes still says whose it is.
PHONE_DIGITS = 5
OWN_DIGITS = 7
# Letters of a word that can be misspelled, and of one that can be so twice.
SPELLED_LETTERS = 4
LONG_WORD = 8
# Of subjects that say nearly the same: letters of a word that counts, how many of those they have
# in common, of how many letters together, and which part of the longer one's.
SUBJECT_LETTERS, COMMON_WORDS, COMMON_LETTERS, COMMON_PART = 3, 2, 8, 0.6


def folded(text: str) -> str:
    return unicodedata.normalize("NFKD", text.lower()).translate(_FOLDS)


def words_of(text: str) -> list[str]:
    """The folded words of a text, each once; a comma ends a word, as in "Smith, Ann"."""
    words = dict.fromkeys(filter(None, _BETWEEN_WORDS.split(folded(text))))
    return list(words) or [folded(text)]


def in_order(name: str) -> str:
    """A name in the order in which records have it: Ann Smith for "Smith, Ann"."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma and first.strip() else name


def phone_digits(text: str) -> str:
    """The digits of a phone number without the zeros in front; empty if the text is none."""
    digits = re.sub(r"\D", "", text, flags=re.ASCII)
    return digits.lstrip("0") if _PHONE.fullmatch(text) and len(digits) >= PHONE_DIGITS else ""


def same_phone(one: str, other: str) -> bool:
    """Whether these are one number, one of them perhaps without the country's prefix."""
    one, other = phone_digits(one), phone_digits(other)
    shorter, longer = sorted((one, other), key=len)
    return bool(shorter) and (
        shorter == longer or (len(shorter) >= OWN_DIGITS and longer.endswith(shorter))
    )


def can_be_misspelled(word: str) -> bool:
    return len(word) >= SPELLED_LETTERS and word.isalpha()


def distance_to(text: str, words: list[str]) -> int | None:
    """By how many letters a text has these folded words wrong; None if they are not in it."""
    text = folded(text)
    parts = re.findall(r"\w+", text)
    total = 0
    for word in words:
        if word in text:
            continue
        if not can_be_misspelled(word):
            return None
        most = 2 if len(word) >= LONG_WORD else 1
        near = [steps for part in parts if (steps := _steps(word, part, most)) is not None]
        if not near:
            return None
        total += min(near)
    return total


def say_nearly_the_same(one: str, other: str) -> bool:
    """Whether two subjects have most of their words in common, in any order and with typos.

    Short words decide nothing, and other numbers are another subject.
    """
    words, numbers = _subject(one)
    other_words, other_numbers = _subject(other)
    if numbers and other_numbers and numbers != other_numbers:
        return False
    common = [word for word in words if any(_same_word(word, each) for each in other_words)]
    return (
        len(common) >= COMMON_WORDS
        and sum(map(len, common)) >= COMMON_LETTERS
        and len(common) >= COMMON_PART * max(len(words), len(other_words))
    )


def _subject(text: str) -> tuple[set[str], set[str]]:
    """The words and the numbers of a subject."""
    parts = set(re.findall(r"\w+", folded(text)))
    numbers = {part for part in parts if not part.isalpha()}
    return {part for part in parts - numbers if len(part) >= SUBJECT_LETTERS}, numbers


def _same_word(one: str, other: str) -> bool:
    return one == other or (
        can_be_misspelled(one)
        and can_be_misspelled(other)
        and _steps(one, other, 2 if len(one) >= LONG_WORD else 1) is not None
    )


def _steps(one: str, other: str, most: int) -> int | None:
    """Letters to add, drop, change or swap with the next, if they are no more than `most`."""
    if abs(len(one) - len(other)) > most:
        return None
    before: list[int] = []
    row = list(range(len(other) + 1))
    for index, letter in enumerate(one, 1):
        following = [index]
        for place, wanted in enumerate(other, 1):
            steps = min(row[place] + 1, following[-1] + 1, row[place - 1] + (letter != wanted))
            swapped = index > 1 and place > 1 and letter == other[place - 2]
            if swapped and one[index - 2] == wanted:
                steps = min(steps, before[place - 2] + 1)
            following.append(steps)
        before, row = row, following
    return row[-1] if row[-1] <= most else None
