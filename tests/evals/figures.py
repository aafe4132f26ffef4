"""Figures that are kept: what each scripted agent needed, which no change may make worse unseen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.evals.meter import Figures

FILE = Path(__file__).with_name("figures.json")
# Dates and amounts differ in length from day to day.
MARGIN = 1.05
Kept = dict[str, dict[str, dict[str, int]]]


def kept() -> Kept:
    """By task and agent: calls, dead ends, and characters asked and answered."""
    found: Kept = json.loads(FILE.read_text()) if FILE.exists() else {}
    return found


def of(figures: Figures) -> dict[str, int]:
    return {
        "calls": figures.calls,
        "dead_ends": len(figures.dead_ends),
        "asked": figures.asked,
        "answered": figures.answered,
    }


def worse(task: str, agent: str, figures: Figures) -> dict[str, Any]:
    """What is beyond the kept figures, with these; nothing where none are kept yet."""
    before = kept().get(task, {}).get(agent)
    now = of(figures)
    if before is None:
        return {}
    most = {key: value * (1 if key in ("calls", "dead_ends") else MARGIN) for key, value in
            before.items()}  # fmt: skip
    return {key: (before[key], now[key]) for key in now if now[key] > most[key]}


def record(agent: str, figures: dict[str, dict[str, int]]) -> None:
    """Keep these figures of an agent, by task."""
    every = kept()
    for task, each in figures.items():
        every.setdefault(task, {})[agent] = each
    lines = [
        f" {json.dumps(task)}: {json.dumps(dict(sorted(every[task].items())))}"
        for task in sorted(every)
    ]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
