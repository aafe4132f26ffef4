"""Approvals: what they take is a rule, which no tool makes, and two people."""

from __future__ import annotations

from bottlecrm_mcp.catalogue.model import Action, ApprovalRules, Entity
from bottlecrm_mcp.doctor.acceptance.agent import Agent, Instead
from bottlecrm_mcp.doctor.person import NoPerson, Person, colleague
from bottlecrm_mcp.tools.errors import complaint


class Approvals:
    """Approvals of records of this entity, asked for by this person."""

    def __init__(self, person: Person, entity: Entity) -> None:
        self.person = person
        self.entity = entity

    def make_rule(self, rules: ApprovalRules) -> Person:
        """Every record wants an approval now. Gives the other approver."""
        try:
            other = colleague(self.person)
        except NoPerson as nobody:
            raise Instead(str(nobody)) from nobody
        admin = self.person if self.person.caller.is_admin else other
        approvers = [each.caller.profile_id for each in (self.person, other)]
        rule = {"name": "mcp_doctor", rules.approvers: approvers}
        reply = admin.gateway().write("POST", rules.path, rule)
        if not reply.ok:
            raise Instead(f"No approval rule could be made: {complaint(reply.data)[0]}")
        return other

    def request(self, agent: Agent, action: Action, record_id: str) -> str:
        """Ask for the approval of this record as the agent's person; gives the request's id."""
        arguments = {"entity": self.entity.name, "id": record_id, "action": action.name}
        requested = agent.do("crm_action", **arguments)
        return str(requested["result"]["id"])

    def request_of_colleague(
        self, agent: Agent, action: Action, record_id: str, other: Person
    ) -> str:
        """Nobody approves their own request."""
        data = {"assigned_to": [self.person.caller.profile_id, other.caller.profile_id]}
        agent.do("crm_update", entity=self.entity.name, id=record_id, data=data)
        return self.request(Agent(other), action, record_id)
