from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    """Two of the four, whichever; the others are told, and who can lift the limit."""
    there = {row.get("title") for row in outcome.after.values()}
    gone = {"Call Ada", "Call Ben", "Call Cyd", "Call Dee"} - there
    assert len(gone) == 2, f"deleted were {sorted(gone)}"
    for title in sorted(gone):
        outcome.deleted("tasks", title)
    outcome.says("administrator", *{"Call Ada", "Call Ben", "Call Cyd", "Call Dee"} - gone)
