"""Tasks: the folders of `tasks/`, each with what is asked, the records, the way and the check."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.agent import Agent
    from tests.evals.outcome import Outcome
    from tests.evals.seeding import World

FOLDER = Path(__file__).parent / "tasks"
KINDS = ("question", "change", "day", "safety")
KEYS = {"kind", "area", "who", "scopes", "calls", "confirmations", "limits"}


@dataclass(frozen=True)
class Task:
    """`words` is what the person says; the front matter of task.md has the rest.

    `calls` is the least number of calls, `confirmations` how often the person has to be asked.
    """

    name: str
    kind: str
    area: str
    who: str
    scopes: tuple[str, ...]
    calls: int
    confirmations: int
    limits: tuple[tuple[str, int], ...]
    words: str

    @cached_property
    def seed(self) -> Callable[[World], None]:
        return import_module(f"tests.evals.tasks.{self.name}.seed").seed

    @cached_property
    def verify(self) -> Callable[[Outcome], None]:
        return import_module(f"tests.evals.tasks.{self.name}.verify").verify

    @cached_property
    def perfect(self) -> Callable[[Agent], Awaitable[str | None]]:
        return import_module(f"tests.evals.tasks.{self.name}.perfect").perfect

    @property
    def world(self) -> dict[str, Any]:
        """What `make_worlds` is asked for."""
        return {"who": self.who, "scopes": list(self.scopes), "limits": dict(self.limits)}


def load(name: str) -> Task:
    """Raises `ValueError` for a task.md that is not as README.md says."""
    text = (FOLDER / name / "task.md").read_text()
    _, head, words = text.split("---\n", 2)
    pairs = [line.split(":", 1) for line in head.splitlines() if line.strip()]
    about = {key.strip(): value.strip() for key, value in pairs}
    if unknown := set(about) - KEYS:
        raise ValueError(f"{name}/task.md has {', '.join(sorted(unknown))}, which no task has.")
    if about["kind"] not in KINDS:
        raise ValueError(f"{name}/task.md is of none of the kinds {', '.join(KINDS)}.")
    limits = [each.split("=") for each in about.get("limits", "").split()]
    return Task(
        name=name,
        kind=about["kind"],
        area=about["area"],
        who=about["who"],
        scopes=tuple(about.get("scopes", "").split()),
        calls=int(about["calls"]),
        confirmations=int(about.get("confirmations", 0)),
        limits=tuple((key, int(value)) for key, value in limits),
        words=words.strip(),
    )


def tasks() -> list[Task]:
    """All of them, by name."""
    return [load(each.parent.name) for each in sorted(FOLDER.glob("*/task.md"))]
