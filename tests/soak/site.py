"""What a soak runs against: the server, its database, and the people who call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Person:
    """A caller. An administrator sees what the whole tenant made, a user their own records."""

    tenant: int
    role: str
    token: str

    @property
    def mark(self) -> str:
        """What every name of a record by this person begins with."""
        return f"mk{self.tenant:03d}{self.role[0].lower()}"

    def may_see(self, mark: str) -> bool:
        tenant = self.mark[:-1]
        return mark.startswith(tenant if self.role == "ADMIN" else self.mark)


@dataclass(frozen=True)
class Database:
    """The cluster behind the server, and how it is stopped and started.

    `url` is a superuser's, `role` the one the server uses, `locked` a table that every search for
    leads reads.
    """

    url: str
    role: str
    locked: str
    stop: tuple[str, ...]
    start: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """`command` starts the server in `folder`; `environment` is added to this process's own."""

    name: str
    url: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    logs: tuple[Path, ...]
    connections: int
    database: Database
    people: tuple[Person, ...]

    @classmethod
    def load(cls, path: Path) -> Site:
        """The site that a JSON file with these names describes."""
        given: dict[str, Any] = json.loads(path.read_text())
        base = given.pop("database")
        database = Database(**{**base, "stop": tuple(base["stop"]), "start": tuple(base["start"])})
        return cls(
            name=given["name"],
            url=given["url"],
            command=tuple(given["command"]),
            environment=given["environment"],
            folder=Path(given["folder"]),
            logs=tuple(Path(each) for each in given["logs"]),
            connections=given["connections"],
            database=database,
            people=tuple(Person(**each) for each in given["people"]),
        )
