"""Findings on the host, cells of the matrix of tools and entities, costs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


class Outcome(StrEnum):
    """`INSTEAD`: not possible by the CRM's own rules, and the answer says so.

    `UNTRIED`: it was given up, since its locks would have been held too long.
    """

    OK = "ok"
    INSTEAD = "instead"
    UNTRIED = "not tried"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One part of the host, and one sentence on it."""

    part: str
    level: Level
    sentence: str


@dataclass(frozen=True)
class Cell:
    """One thing tried on one entity; time and size are those of its last tool call."""

    entity: str
    what: str
    outcome: Outcome
    sentence: str = ""
    milliseconds: int = 0
    characters: int = 0


@dataclass(frozen=True)
class Cost:
    """Milliseconds, and characters of JSON."""

    milliseconds: float
    characters: int


@dataclass(frozen=True)
class Comparison:
    """One tool on one entity; medians of rounds in which tool and REST view took turns."""

    entity: str
    tool: str
    ours: Cost
    rest: Cost


@dataclass(frozen=True)
class Diagnosis:
    findings: tuple[Finding, ...]
    cells: tuple[Cell, ...] = ()
    comparisons: tuple[Comparison, ...] = ()

    @property
    def is_healthy(self) -> bool:
        sick = any(each.level is Level.FAILURE for each in self.findings)
        return not sick and all(each.outcome is not Outcome.FAILED for each in self.cells)

    def as_dict(self) -> dict[str, Any]:
        return {
            "ok": self.is_healthy,
            "host": [asdict(each) for each in self.findings],
            "cells": [asdict(each) for each in self.cells],
            "beside_rest": [asdict(each) for each in self.comparisons],
        }


def ok(part: str, sentence: str) -> Finding:
    return Finding(part, Level.OK, sentence)


def warning(part: str, sentence: str) -> Finding:
    return Finding(part, Level.WARNING, sentence)


def failure(part: str, sentence: str) -> Finding:
    return Finding(part, Level.FAILURE, sentence)
