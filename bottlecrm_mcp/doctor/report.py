"""The diagnosis as text: a table for people, and what is wrong in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from bottlecrm_mcp.doctor.findings import Cell, Diagnosis, Level, Outcome

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
        yield from _table(diagnosis.cells)
        yield ""
        yield from _effects(diagnosis.cells)
        yield ""
        yield from _counts(diagnosis.cells)
        yield from _sentences("What the CRM offers instead", Outcome.INSTEAD, diagnosis.cells)
        yield from _sentences("Failures", Outcome.FAILED, diagnosis.cells)
    yield ""
    yield "Everything is right." if diagnosis.is_healthy else "Something is wrong."


def _table(cells: Sequence[Cell]) -> Iterator[str]:
    """Entities by tools: what became of each, in milliseconds and characters where it worked."""
    by_place = {(cell.entity, cell.what): cell for cell in cells}
    columns = [tool for tool in TOOLS if any(tool == cell.what for cell in cells)]
    rows = [["", *columns]]
    for entity in dict.fromkeys(cell.entity for cell in cells):
        rows.append([entity, *(_short(by_place.get((entity, tool))) for tool in columns)])
    yield from _aligned(rows)


def _short(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    if cell.outcome is Outcome.OK:
        return f"ok {cell.milliseconds} ms {cell.characters}"
    return cell.outcome.upper() if cell.outcome is Outcome.FAILED else str(cell.outcome)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(each.ljust(width) for each, width in zip(row, widths, strict=True)).rstrip()


def _effects(cells: Iterable[Cell]) -> Iterator[str]:
    """Actions and marked values, by entity."""
    named: dict[str, list[str]] = {}
    for cell in cells:
        kind, _, name = cell.what.partition(" ")
        if kind == "action" or "=" in name:
            shown = name if kind == "action" else cell.what
            named.setdefault(cell.entity, []).append(f"{shown}: {cell.outcome}")
    for entity, outcomes in named.items():
        yield f"{entity}: {', '.join(outcomes)}"


def _counts(cells: Iterable[Cell]) -> Iterator[str]:
    """The rest, such as filters and bad input, as numbers."""
    counts = Counter((cell.what.partition(" ")[0], cell.outcome) for cell in cells)
    for kind in dict.fromkeys(kind for kind, _ in counts if kind not in TOOLS):
        outcomes = (f"{counts[kind, each]} {each}" for each in Outcome if counts[kind, each])
        yield f"{kind}: {', '.join(outcomes)}"


def _sentences(title: str, outcome: Outcome, cells: Iterable[Cell]) -> Iterator[str]:
    chosen = [cell for cell in cells if cell.outcome is outcome]
    if chosen:
        yield ""
        yield f"{title}:"
    for cell in chosen:
        yield f"  {cell.entity}, {cell.what}: {cell.sentence}"
