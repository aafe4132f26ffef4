"""Approvals: what they take is a rule, which no tool makes, and two people."""

from __future__ import annotations

from bottlecrm_mcp.doctor.acceptance.agent import Agent, Instead
from bottlecrm_mcp.doctor.person import NoPerson, Person, colleague
from bottlecrm_mcp.tools.errors import complaint

RULES = "/api/cases/approval-rules/"


class Approvals:
    def __init__(self, person: Person) -> None:
        self.person = person

    def make_rule(self) -> Person:
        """Every case wants an approval now. Gives the other approver."""
        try:
            other = colleague(self.person)
        except NoPerson as nobody:
            raise Instead(str(nobody)) from nobody
        admin = self.person if self.person.caller.is_admin else other
        approvers = [each.caller.profile_id for each in (self.person, other)]
        rule = {"name": "mcp_doctor", "approver_ids": approvers}
        reply = admin.gateway().write("POST", RULES, rule)
        if not reply.ok:
            raise Instead(f"No approval rule could be made: {complaint(reply.data)[0]}")
        return other

    def request(self, agent: Agent, case_id: str) -> str:
        """Ask for the approval of this case as this person; gives the request's id."""
        arguments = {"entity": "cases", "id": case_id, "action": "request_approval"}
        requested = agent.do("crm_action", **arguments)
        return str(requested["result"]["id"])

    def request_of_colleague(self, agent: Agent, case_id: str) -> str:
        """Nobody approves their own request."""
        other = self.make_rule()
        data = {"assigned_to": [self.person.caller.profile_id, other.caller.profile_id]}
        agent.do("crm_update", entity="cases", id=case_id, data=data)
        return self.request(Agent(other), case_id)
