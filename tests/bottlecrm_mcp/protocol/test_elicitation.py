"""What a form says is told apart: our own words, and what a record says."""

from typing import Any

from bottlecrm_mcp.one_line import OwnWords
from bottlecrm_mcp.protocol.elicitation import message
from bottlecrm_mcp.tools.truncation import LONGEST_IN_PREVIEW, MOST_CHARACTERS


def line(**details: Any) -> str:
    return message({"this_will": "delete it", **details}).removeprefix("This will delete it.\n")


def test_values_are_quoted_and_our_words_are_not() -> None:
    mailed = {"contacts": [{"id": "0" * 36, "name": "Ann", "email": OwnWords("not shown")}]}
    assert line(mailed_to=mailed) == 'mailed to: contacts name "Ann", email not shown'
    assert line(mailed_to="not shown") == 'mailed to: "not shown"'
    assert line(params={"a": True, "b": None, "c": 1, "d": 0, "e": "yes"}) == (
        'params: a yes, b nothing, c 1, d 0, e "yes"'
    )


def test_effects_are_a_sentence() -> None:
    effects = ["deletes", "cannot be undone", "mails"]
    said = [line(effects=effects[:count]) for count in (1, 2, 3)]
    assert said == [
        "It deletes.",
        "It deletes, and cannot be undone.",
        "It deletes, cannot be undone, and mails.",
    ]


def test_text_can_not_end_its_quotation() -> None:
    assert line(record={"name": 'Acme", amount "1'}) == r'record: name "Acme\", amount \"1"'
    assert line(record={"name": 'Acme\\", amount "1'}) == r'record: name "Acme\\\", amount \"1"'


def test_cut_is_marked_where_a_text_could_not_say_so() -> None:
    text = "x" * (LONGEST_IN_PREVIEW + 7)
    shown = f'"{text[:LONGEST_IN_PREVIEW]}"… (7 more characters)'
    assert line(record={"description": text}) == f"record: description {shown}"
    forged = "short… (7 more characters)"
    assert line(record={"name": forged}) == f'record: name "{forged}"'


def test_whole_form_is_bounded_and_says_so() -> None:
    wide = {f"field {number}": "x" * 1_000 for number in range(100)}
    assert 'field 99 "xxxxxxxxxx' in line(data=wide)
    wider = {f"field {number}": "x" * 1_000 for number in range(2_000)}
    shown = line(data=wider, effects=["cannot be undone"])
    assert shown.startswith("It cannot be undone.\n")
    assert len(shown) < MOST_CHARACTERS + 200
    assert shown.splitlines()[-1].startswith("This is not all: ")
