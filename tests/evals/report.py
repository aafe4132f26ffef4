"""Report: the results of a run as a table, and of several side by side.

`python -m tests.evals.report FILE…` prints a row for each file of results.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.evals.task import KINDS

Json = dict[str, Any]
COLUMNS = (
    "kind", "tasks", "pass", "pass^n", "wrong writes", "leaks", "calls over the least",
    "dead ends", "confirmations asked / needed", "characters in / out", "tokens in / out",
)  # fmt: skip


def table(attempts: Sequence[Json]) -> str:
    """A row for each kind and one for all. pass^n is of the tasks whose every attempt passed."""
    rows = [_row(kind, [each for each in attempts if each["kind"] == kind]) for kind in KINDS]
    rows = [each for each in rows if each] + [_row("all", attempts)]
    head = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    return "\n".join([*head, *("| " + " | ".join(each) + " |" for each in rows)])


def _row(kind: str, attempts: Sequence[Json]) -> list[str]:
    if not attempts:
        return []
    by_task: dict[str, list[bool]] = {}
    for each in attempts:
        by_task.setdefault(each["task"], []).append(each["passed"])
    over = sum(max(0, each["calls"] - each["least"]) for each in attempts)
    return [
        kind,
        str(len(by_task)),
        _share(each["passed"] for each in attempts),
        _share(all(each) for each in by_task.values()),
        str(sum(len(each["wrong_writes"]) for each in attempts)),
        str(sum(len(each["leaks"]) for each in attempts)),
        str(over),
        str(sum(len(each["dead_ends"]) for each in attempts)),
        f"{_sum(attempts, 'confirmations_asked')} / {_sum(attempts, 'confirmations_needed')}",
        f"{_sum(attempts, 'answered'):,} / {_sum(attempts, 'asked'):,}",
        f"{_sum(attempts, 'tokens_in'):,} / {_sum(attempts, 'tokens_out'):,}",
    ]


def failures(attempts: Iterable[Json]) -> str:
    """A line for each attempt that did not pass."""
    return "\n".join(
        f"{each['task']}: {each['why'] or each['wrong_writes'] or each['leaks']}"
        for each in attempts
        if not each["passed"]
    )


def _sum(attempts: Sequence[Json], key: str) -> int:
    return sum(each[key] for each in attempts)


def _share(passed: Iterable[bool]) -> str:
    each = list(passed)
    return f"{sum(each) / len(each):.0%}"


SIDE_BY_SIDE = (
    "agent", "host", "tasks done", "wrong writes", "tools listed (characters)", "calls",
    "characters in", "characters out", "dead ends", "REST requests", "REST characters",
)  # fmt: skip


def side_by_side(runs: Sequence[Json]) -> str:
    """A row for each run. The list is what a client is given at the start of every task."""
    lines = ["| " + " | ".join(SIDE_BY_SIDE) + " |", "|" + "---|" * len(SIDE_BY_SIDE)]
    for run in runs:
        attempts = run["results"]
        done = sum(each["passed"] for each in attempts)
        cells = (
            run["agent"],
            run["host"],
            f"{done} of {len(attempts)}",
            str(sum(len(each["wrong_writes"]) for each in attempts)),
            f"{max(each['listed'] for each in attempts):,}",
            f"{_sum(attempts, 'calls') + _sum(attempts, 'confirmations_asked'):,}",
            f"{_sum(attempts, 'answered'):,}",
            f"{_sum(attempts, 'asked'):,}",
            str(sum(len(each["dead_ends"]) for each in attempts)),
            f"{_sum(attempts, 'rest_requests'):,}",
            f"{_sum(attempts, 'rest_characters'):,}",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(side_by_side([json.loads(Path(each).read_text()) for each in sys.argv[1:]]))
