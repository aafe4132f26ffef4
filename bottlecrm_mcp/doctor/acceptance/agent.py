"""Agent that works as one person: it calls tools and looks hard at every answer."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.signals import got_request_exception

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.doctor.acceptance import answer_rules
from bottlecrm_mcp.doctor.person import Person
from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.registry import Registry
from bottlecrm_mcp.tools.truncation import compact, size

FORGED = "9999999999.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
# Codes that blame the server or the CRM: never the right answer to a bad argument.
FAULTS = ("crm_error", "internal_error", "not_saved", "unavailable", "misconfigured")


class Wrong(Exception):
    """Something is not as it should be; the message says what."""


class Instead(Exception):
    """The CRM does not offer this; the message is what the tool said."""


@dataclass(frozen=True)
class ToolAnswer:
    """What a tool said. `code` is that of an error, `sentence` its message."""

    data: Mapping[str, Any]
    milliseconds: int = 0
    characters: int = 0
    code: str = ""
    sentence: str = ""

    @property
    def is_preview(self) -> bool:
        return bool(self.data.get("confirmation_required"))


class Agent:
    def __init__(self, person: Person) -> None:
        self.person = person
        self.registry = Registry(mcp_settings().catalogue)
        self.last = ToolAnswer({})

    def ask(self, tool: str, **arguments: Any) -> ToolAnswer:
        """The answer, whatever it is. Raises `Wrong` for one that no tool should give."""
        started = time.perf_counter()
        code = sentence = ""
        try:
            with exceptions() as raised:
                data: Mapping[str, Any] = self._tool(tool).call(self.person.crm(), arguments)
        except (ToolError, GatewayError) as error:
            error = error if isinstance(error, ToolError) else ToolError(error.code, str(error))
            code, data = error.code, error.as_dict()
            sentence = " ".join((_sentence(error), *raised))
        took = round((time.perf_counter() - started) * 1000)
        self.last = ToolAnswer(data, took, size(data), code, sentence)
        wrong = list(answer_rules.objections(tool, data))
        if answer_rules.too_long(tool, arguments, self.last.characters):
            wrong.append(f"{self.last.characters} characters for {arguments['limit']} rows")
        if wrong:
            raise Wrong(f"{tool}: {'; '.join(dict.fromkeys(wrong))}.")
        return self.last

    def _tool(self, name: str) -> Any:
        return self.registry.get(name)

    def do(self, tool: str, **arguments: Any) -> Mapping[str, Any]:
        """The result of a call that has to succeed."""
        answer = self.ask(tool, **arguments)
        if answer.code:
            raise Wrong(f"{tool}: {answer.code}: {answer.sentence}")
        if answer.is_preview:
            raise Wrong(f"{tool} wants a confirmation for something that has no marked effect.")
        return answer.data

    def agree(self, tool: str, **arguments: Any) -> Mapping[str, Any]:
        """The result of a call that has to succeed, confirmed if it has a marked effect."""
        answer = self.ask(tool, **arguments)
        if not answer.is_preview:
            return self.do(tool, **arguments) if answer.code else answer.data
        confirmation = answer.data["confirmation"]
        return self.do(tool, **arguments, confirm=True, confirmation=confirmation)

    def fail(self, tool: str, *codes: str, **arguments: Any) -> ToolAnswer:
        """The error of a call that has to fail, as the fault of who called."""
        answer = self.ask(tool, **arguments)
        if not answer.code:
            raise Wrong(f"{tool} took {_short(arguments)}.")
        if answer.code in FAULTS or (codes and answer.code not in codes):
            raise Wrong(f"{tool} answered {answer.code} to {_short(arguments)}: {answer.sentence}")
        if not answer.sentence:
            raise Wrong(f"{tool} answered {answer.code} without a sentence.")
        return answer

    def newest(self, entity: str) -> str:
        """The id of the newest record that the person finds, empty if there is none."""
        records = self.do("crm_search", entity=entity, limit=1)["records"]
        return str(records[0]["id"]) if records else ""

    def preview(self, tool: str, **arguments: Any) -> str:
        """Ask for something that has a marked effect; gives the confirmation string."""
        answer = self.ask(tool, **arguments)
        if answer.code:
            raise Wrong(f"{tool}: {answer.code}: {answer.sentence}")
        if not answer.is_preview:
            raise Wrong(f"{tool} did it without a confirmation.")
        if not answer.data.get("preview", {}).get("this_will"):
            raise Wrong(f"{tool}: the preview does not say what will happen.")
        return str(answer.data["confirmation"])

    def confirm(self, tool: str, **arguments: Any) -> Mapping[str, Any]:
        """Do what has a marked effect, after its preview. A forged confirmation does nothing."""
        confirmation = self.preview(tool, **arguments)
        forged = self.ask(tool, **arguments, confirm=True, confirmation=FORGED)
        if not forged.is_preview:
            raise Wrong(f"{tool} took a forged confirmation.")
        return self.do(tool, **arguments, confirm=True, confirmation=confirmation)


@contextmanager
def exceptions() -> Iterator[list[str]]:
    """What the CRM raises within: its answer is a page that says nothing."""
    raised: list[str] = []

    def note(**kwargs: Any) -> None:
        raised.append(f"It raised {sys.exc_info()[1]!r}.")

    got_request_exception.connect(note)
    try:
        yield raised
    finally:
        got_request_exception.disconnect(note)


def _sentence(error: ToolError) -> str:
    fields = "; ".join(f"{name}: {text}" for name, text in error.fields.items())
    return " ".join(filter(None, (error.message, fields and f"({fields})")))


def _short(arguments: Mapping[str, Any]) -> str:
    return compact(arguments)[:160]
