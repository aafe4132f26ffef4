"""Markdown report: the diagnosis as tables, for a page of documentation or a ticket."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bottlecrm_mcp.doctor.findings import Cell, Comparison, Diagnosis, Outcome
from bottlecrm_mcp.doctor.report import MARKS, action_outcomes, counts, matrix

WORDS = {
    Outcome.OK: "works",
    Outcome.INSTEAD: "instead",
    Outcome.UNTRIED: "not tried",
    Outcome.FAILED: "**failed**",
}


def markdown(diagnosis: Diagnosis) -> Iterator[str]:
    yield from _table([["", "part of the host", "what the doctor says"], *_findings(diagnosis)])
    if diagnosis.cells:
        yield ""
        yield from _table(matrix(diagnosis.cells, _word))
        if actions := list(_actions(diagnosis)):
            yield ""
            yield from _table([["entity", "actions and values with effects"], *actions])
        yield ""
        yield from (f"- {each}" for each in counts(diagnosis.cells))
        yield ""
        for outcome in (Outcome.INSTEAD, Outcome.UNTRIED, Outcome.FAILED):
            yield from _sentences(outcome, diagnosis.cells)
    if diagnosis.comparisons:
        yield ""
        yield from _table([COMPARISON, *(_compared(each) for each in diagnosis.comparisons)])


def _findings(diagnosis: Diagnosis) -> Iterator[list[str]]:
    for finding in diagnosis.findings:
        yield [MARKS[finding.level].strip().lower(), finding.part, finding.sentence]


def _word(cell: Cell | None) -> str:
    return WORDS[cell.outcome] if cell else "-"


def _actions(diagnosis: Diagnosis) -> Iterator[list[str]]:
    for entity, outcomes in action_outcomes(diagnosis.cells).items():
        yield [entity, ", ".join(f"{name}: {WORDS[outcome]}" for name, outcome in outcomes)]


def _sentences(outcome: Outcome, cells: Sequence[Cell]) -> Iterator[str]:
    for cell in cells:
        if cell.outcome is outcome:
            yield f"- {WORDS[outcome]}: {cell.entity}, {cell.what}: {cell.sentence}"


COMPARISON = ["entity", "tool", "ms", "REST ms", "ratio", "characters", "REST characters", "ratio"]


def _compared(each: Comparison) -> list[str]:
    ours, rest = each.ours, each.rest
    return [
        each.entity,
        each.tool,
        f"{ours.milliseconds:.1f}",
        f"{rest.milliseconds:.1f}",
        f"{ours.milliseconds / rest.milliseconds:.2f}",
        str(ours.characters),
        str(rest.characters),
        f"{ours.characters / rest.characters:.2f}",
    ]


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    escaped_bar = "\\|"
    head, *body = rows
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in body:
        yield f"| {' | '.join(each.replace('|', escaped_bar) for each in row)} |"
