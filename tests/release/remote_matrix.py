"""The doctor's matrix through a `bcrm-mcp` that was launched, compared with the REST API.

Nothing can be rolled back at the other end of a connection: each cell that writes gets a record of
its own, and everything stays. Not for an organisation that anybody needs.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any
from unittest import mock

from anyio.from_thread import BlockingPortal, start_blocking_portal

from bottlecrm_mcp.catalogue.model import Catalogue, Entity, Field
from bottlecrm_mcp.doctor.acceptance import approvals, matrix
from bottlecrm_mcp.doctor.acceptance.actions import ActionCells
from bottlecrm_mcp.doctor.acceptance.agent import Agent
from bottlecrm_mcp.doctor.acceptance.ground_truth import GroundTruth
from bottlecrm_mcp.doctor.acceptance.runner import Runner
from bottlecrm_mcp.doctor.acceptance.samples import Samples
from bottlecrm_mcp.doctor.findings import Cell
from bottlecrm_mcp.gateway.base import RowQuery
from bottlecrm_mcp.gateway.rest.connection import Connection
from bottlecrm_mcp.gateway.rest.gateway import RestGateway
from bottlecrm_mcp.gateway.shared.rows import dig, row_of
from bottlecrm_mcp.local.identity import who_am_i
from bottlecrm_mcp.tools.confirmation.seal import Seal
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError
from tests.agent import text_of
from tests.bottlecrm_mcp.local.client import launched

# Cells that leave a record in another state than they found it.
SPOILS = ("action ", "update ", "crm_update", "create ")


class Remote:
    """A person as the doctor knows one, at the other end of a connection."""

    def __init__(self, url: str, secret: str, catalogue: Catalogue) -> None:
        self.secret = secret
        self.catalogue = catalogue
        self.connection = Connection(url, secret)
        self.caller = who_am_i(self.connection, catalogue)
        self.colleague: Remote | None = None
        self.stranger: Remote | None = None

    def gateway(self) -> RestGateway:
        return RestGateway(self.catalogue, self.caller, self.connection)

    def crm(self) -> Crm:
        return Crm(self.caller, self.catalogue, self.gateway(), Seal([b"k" * 32]))

    def first_ids(self, entity: Entity) -> list[str]:
        return [row["id"] for row in self.crm().page(entity, RowQuery((), limit=50)).rows]


class RemoteGroundTruth(GroundTruth):
    def __init__(self, person: Remote) -> None:
        super().__init__(person)
        self.entities = person.catalogue.entities

    def _stored(self, entity: Entity, record_id: str) -> dict[str, Any]:
        page = self.person.crm().page(entity, RowQuery((), limit=1))
        # Without what the API says about time that passed.
        record = row_of(entity.fields, self.shown(entity, record_id)) if record_id else {}
        return {f"the number of {entity.name}": page.total, "the record": record}

    def hidden_record(self, entity: Entity) -> str:
        others = self.person.colleague.first_ids(entity)
        return next((each for each in others if not self.shown(entity, each)), "")

    def foreign_record(self, entity: Entity) -> str:
        return next(iter(self.person.stranger.first_ids(entity)), "")

    def foreign_target(self, entity: Entity, field: Field) -> str:
        target, _ = self.person.catalogue.looked_up_in(field.to)
        return self.foreign_record(target) if target else ""


class LaunchedTool:
    def __init__(self, call: Callable[[str, Mapping[str, Any]], Any], name: str) -> None:
        self.call_tool = call
        self.name = name

    def call(self, crm: Crm, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        result = self.call_tool(self.name, arguments)
        if not result.is_error:
            return result.structured_content
        error = json.loads(text_of(result))["error"]
        raise ToolError(error.pop("code"), error.pop("message"), **error)


class RemoteAgent(Agent):
    def __init__(self, person: Remote, call: Callable[[str, Mapping[str, Any]], Any]) -> None:
        super().__init__(person)
        self.call = call

    def _tool(self, name: str) -> LaunchedTool:
        return LaunchedTool(self.call, name)


class RemoteRunner(Runner):
    def __init__(self, person: Remote, call: Callable[[str, Mapping[str, Any]], Any]) -> None:
        self.person = person
        self.catalogue = person.catalogue
        self.agent = RemoteAgent(person, call)
        self.truth = RemoteGroundTruth(person)
        self.samples = Samples(person)
        self.cells: list[Cell] = []
        self.renew: dict[str, Callable[[], None]] = {}

    def cell(self, entity: Entity, what: str, work: Callable[[], str | None]) -> None:
        if what.startswith(SPOILS) and entity.name in self.renew:
            self.renew[entity.name]()
        super().cell(entity, what, work)
        if entity.name == "cases":
            self._drop_rules()
        if "time" in what and "cases" in self.samples.records:
            self._stop_timer()

    def trial(self) -> AbstractContextManager[None]:
        return nullcontext()

    preparation = trial

    def _stop_timer(self) -> None:
        """There is one timer for a person; starting it says which one runs."""
        case = self.samples.records["cases"].id
        reply = self.person.connection.write("POST", f"/api/cases/{case}/time-entries/start/").reply
        running = reply.data.get("running_entry_id") or reply.data.get("id")
        self.person.connection.write("POST", f"/api/time-entries/{running}/stop/")

    def _drop_rules(self) -> None:
        admin = self.person if self.person.caller.is_admin else self.person.colleague
        reply = admin.connection.read(approvals.RULES)
        rules = reply.data if isinstance(reply.data, list) else dig(reply.data, "rules") or ()
        for rule in rules:
            if rule.get("name") == "mcp_doctor":
                admin.connection.write("DELETE", f"{approvals.RULES}{rule['id']}/")


class RemoteActionCells(ActionCells):
    """Acts on whatever record was renewed last."""

    @property
    def record_id(self) -> str:
        return self.writes.record_id

    @record_id.setter
    def record_id(self, value: str) -> None:
        pass


def try_everything(person: Remote, call: Callable[[str, Mapping[str, Any]], Any]) -> list[Cell]:
    made = RemoteRunner(person, call)
    matrix.try_reading(made)
    ready = matrix.made_ready(made)
    made.renew = {each.entity.name: each.keep for each in ready}
    with mock.patch.object(approvals, "colleague", lambda one: one.colleague):
        for writes in ready:
            writes.try_all()
            RemoteActionCells(writes).try_all()
    return matrix.in_order(made)


@contextmanager
def calling(url: str, secret: str, **variables: str) -> Iterator[Callable[..., Any]]:
    """Calls tools of a command that is launched for it, from this thread."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(launched(url, secret, **variables)) as agent,
    ):
        yield partial(_call, portal, agent)


def _call(portal: BlockingPortal, agent: Any, name: str, arguments: Mapping[str, Any]) -> Any:
    return portal.call(agent.client.call_tool, name, dict(arguments))
