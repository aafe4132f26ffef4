"""The summary of a soak, printed and kept as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.soak.phases import Result

HEAD = (
    "phase", "s", "calls", "writes acknowledged", "repeated", "foreign rows", "context left",
    "well after s", "p50 ms", "p95 ms", "slower", "failed calls", "problems",
)  # fmt: skip
RESULTS = Path(__file__).parent / "RESULTS.md"


def table(results: Iterable[Result]) -> str:
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    return "\n".join([*lines, *map(row, results)])


def row(result: Result) -> str:
    return "| " + " | ".join(_cells(result)) + " |"


def _cells(result: Result) -> list[str]:
    tally = result.tally
    failed = ", ".join(f"{code} {count}" for code, count in tally.failures.most_common())
    return [
        result.name,
        f"{result.seconds:.0f}",
        str(tally.calls),
        str(tally.writes),
        str(result.repeated),
        str(tally.foreign),
        str(result.leaks),
        f"{result.well_after:.1f}",
        f"{tally.quantile(0.5):.0f}",
        f"{tally.quantile(0.95):.0f}",
        f"{result.slower:.1f}" if result.slower else "",
        failed or "none",
        str(len(tally.problems)),
    ]
