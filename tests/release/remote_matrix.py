"""The doctor's matrix through a `bcrm-mcp` that was launched.

Its writes are committed at the other end of a connection, and stay.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal

from bottlecrm_mcp.doctor.acceptance.agent import Agent
from bottlecrm_mcp.doctor.acceptance.matrix import planned
from bottlecrm_mcp.doctor.acceptance.runner import Runner
from bottlecrm_mcp.doctor.acceptance.samples import Samples
from bottlecrm_mcp.doctor.findings import Cell
from bottlecrm_mcp.doctor.locks import Locks
from bottlecrm_mcp.doctor.person import Person, in_organisation
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError
from demo_crm.models import ApprovalRule, TimeEntry
from tests.agent import text_of
from tests.bottlecrm_mcp.local.client import launched

CallTool = Callable[[str, Mapping[str, Any]], Any]


class RemoteTool:
    def __init__(self, call: CallTool, name: str) -> None:
        self.call_tool = call
        self.name = name

    def call(self, crm: Crm, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        result = self.call_tool(self.name, arguments)
        if not result.is_error:
            return result.structured_content
        error = json.loads(text_of(result))["error"]
        raise ToolError(error.pop("code"), error.pop("message"), **error)


class RemoteAgent(Agent):
    def __init__(self, person: Person, call: CallTool) -> None:
        super().__init__(person)
        self.call_tool = call

    def _tool(self, name: str) -> RemoteTool:
        return RemoteTool(self.call_tool, name)


class RemoteRunner(Runner):
    def __init__(self, person: Person, call: CallTool) -> None:
        super().__init__(person)
        self.agent = RemoteAgent(person, call)
        self.samples = Samples(person, self.agent)

    @contextmanager
    def transaction(self) -> Iterator[Locks]:
        """Take back only what would be in the way of the next trial."""
        try:
            yield Locks()
        finally:
            with in_organisation(self.person.caller.org_id):
                ApprovalRule.objects.update(is_active=False)
                TimeEntry.objects.filter(ended_at=None).delete()


def try_everything(person: Person, call: CallTool) -> list[Cell]:
    runner = RemoteRunner(person, call)
    runner.run(list(planned(runner, write=True)))
    return runner.cells


@contextmanager
def calling(url: str, secret: str, mode: str) -> Iterator[CallTool]:
    """Calls tools of a command that is launched for it, from this thread."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(launched(url, secret, BCRM_MODE=mode)) as agent,
    ):
        yield partial(_call, portal, agent)


def _call(portal: BlockingPortal, agent: Any, name: str, arguments: Mapping[str, Any]) -> Any:
    return portal.call(agent.client.call_tool, name, dict(arguments))
