"""Text that breaks, reorders or hides a line is spelled out, and other text is as it was."""

import sys
import unicodedata

import pytest

from bottlecrm_mcp.one_line import one_line

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Acme Corp",
        "Größe 日本語 עברית",
        # Persian with a joiner that its spelling needs.
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "👩\u200d👩\u200d👧",
        "5\u00a0€",
        "C:\\new",
    ],
)
def test_other_text_is_as_it_was(text: str) -> None:
    assert one_line(text) == text


def test_no_character_breaks_reorders_or_hides_a_line() -> None:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        shown = one_line(f"a{character}b")
        if unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs") or character in BIDI:
            assert character not in shown
        assert len(shown.splitlines()) == 1


def test_what_is_spelled_out_can_be_read() -> None:
    assert one_line("a\nb\u202ec\x1b[2J") == r"a\nb\u202ec\x1b[2J"
