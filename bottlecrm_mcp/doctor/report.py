"""Text report: the diagnosis as a table for people, and what is wrong in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from bottlecrm_mcp.doctor.findings import Cell, Comparison, Diagnosis, Level, Outcome

TOOLS = (
    "crm_search",
    "crm_get",
    "crm_summarize",
    "crm_describe",
    "list_actions",
    "crm_create",
    "crm_update",
    "crm_delete",
)
MARKS = {Level.OK: "ok     ", Level.WARNING: "WARNING", Level.FAILURE: "FAILURE"}


def lines(diagnosis: Diagnosis) -> Iterator[str]:
    for finding in diagnosis.findings:
        yield f"{MARKS[finding.level]}  {finding.part}: {finding.sentence}"
    if diagnosis.cells:
        yield ""
        yield from _aligned(matrix(diagnosis.cells, _short))
        yield ""
        for entity, outcomes in action_outcomes(diagnosis.cells).items():
            yield f"{entity}: {', '.join(f'{name}: {outcome}' for name, outcome in outcomes)}"
        yield ""
        yield from counts(diagnosis.cells)
        yield from _sentences("What the CRM offers instead", Outcome.INSTEAD, diagnosis.cells)
        yield from _sentences("Not tried", Outcome.UNTRIED, diagnosis.cells)
        yield from _sentences("Failures", Outcome.FAILED, diagnosis.cells)
    if diagnosis.comparisons:
        yield ""
        yield "Beside the REST API, in milliseconds and characters of JSON:"
        yield from _aligned([_compared(each) for each in diagnosis.comparisons])
    yield ""
    yield verdict(diagnosis)


def verdict(diagnosis: Diagnosis) -> str:
    """One sentence on the whole. Warnings are none of "everything is right"."""
    if not diagnosis.is_healthy:
        return "Something is wrong."
    warnings = sum(each.level is Level.WARNING for each in diagnosis.findings)
    untried = sum(each.outcome is Outcome.UNTRIED for each in diagnosis.cells)
    said = [f"{warnings} to look at (WARNING above)"] if warnings else []
    said += [f"{untried} not tried"] if untried else []
    return f"Nothing is wrong; {', '.join(said)}." if said else "Everything is right."


def matrix(cells: Sequence[Cell], show: Callable[[Cell | None], str]) -> list[list[str]]:
    """Entities by tools, with a row of heads: what became of each."""
    by_place = {(cell.entity, cell.what): cell for cell in cells}
    columns = [tool for tool in TOOLS if any(tool == cell.what for cell in cells)]
    entities = dict.fromkeys(cell.entity for cell in cells)
    rows = ([name, *(show(by_place.get((name, tool))) for tool in columns)] for name in entities)
    return [["", *columns], *rows]


def action_outcomes(cells: Iterable[Cell]) -> Mapping[str, list[tuple[str, Outcome]]]:
    """Actions and marked values, by entity."""
    named: dict[str, list[tuple[str, Outcome]]] = {}
    for cell in cells:
        kind, _, name = cell.what.partition(" ")
        if kind == "action" or "=" in name:
            shown = name if kind == "action" else cell.what
            named.setdefault(cell.entity, []).append((shown, cell.outcome))
    return named


def counts(cells: Iterable[Cell]) -> Iterator[str]:
    """The rest, such as filters and bad input, as numbers."""
    counted = Counter((cell.what.partition(" ")[0], cell.outcome) for cell in cells)
    for kind in dict.fromkeys(kind for kind, _ in counted if kind not in TOOLS):
        outcomes = (f"{counted[kind, each]} {each}" for each in Outcome if counted[kind, each])
        yield f"{kind}: {', '.join(outcomes)}"


def _short(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    if cell.outcome is Outcome.OK:
        return f"ok {cell.milliseconds} ms {cell.characters}"
    return cell.outcome.upper() if cell.outcome is Outcome.FAILED else str(cell.outcome)


def _compared(each: Comparison) -> list[str]:
    ours, rest = each.ours, each.rest
    time = f"{ours.milliseconds:.1f} to {rest.milliseconds:.1f} ms"
    return [each.entity, each.tool, time, f"{ours.characters} to {rest.characters}"]


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(each.ljust(width) for each, width in zip(row, widths, strict=True)).rstrip()


def _sentences(title: str, outcome: Outcome, cells: Iterable[Cell]) -> Iterator[str]:
    chosen = [cell for cell in cells if cell.outcome is outcome]
    if chosen:
        yield ""
        yield f"{title}:"
    for cell in chosen:
        yield f"  {cell.entity}, {cell.what}: {cell.sentence}"
