"""Seeding: a task's records, made by the people of its organisation through the CRM's REST API."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

Json = dict[str, Any]
# Method, path, token and body to the status and the answer.
Rest = Callable[[str, str, str, Json | None], tuple[int, Any]]

PATHS = {
    "accounts": "/api/accounts/",
    "contacts": "/api/contacts/",
    "leads": "/api/leads/",
    "opportunities": "/api/opportunities/",
    "tasks": "/api/tasks/",
    "cases": "/api/cases/",
    "invoices": "/api/invoices/",
    "solutions": "/api/cases/solutions/",
    "tags": "/api/tags/",
    "teams": "/api/teams/",
    "fields": "/api/custom-fields/",
}
# Whose second record of the same name is made in the other organisation.
MIRRORED = ("accounts", "contacts", "leads", "opportunities", "cases", "tasks")


def today() -> date:
    """The day in the organisations of the tasks, whose time zone is UTC."""
    return datetime.now(UTC).date()


def day(offset: int) -> str:
    """The day so many days from today, in ISO form."""
    return (today() + timedelta(days=offset)).isoformat()


class World:
    """An organisation that a task plays in; `by` is who makes a record, `who` asks."""

    def __init__(self, rest: Rest, about: Json, find: Callable[[str, str, str], str]) -> None:
        self.rest = rest
        self.org: str = about["org"]
        self.domain: str = about["domain"]
        self.people: dict[str, Json] = about["people"]
        self.who: str = about.get("who", "avery")
        self.token: str = about.get("token", "")
        self.leavers: list[str] = []
        self._find = find
        self._first: dict[str, tuple[Json, str]] = {}
        self.other = World(rest, about["other"], find) if "other" in about else self

    def account(self, name: str, **fields: Any) -> str:
        return self._made("accounts", {"name": name, **fields})

    def contact(self, name: str, **fields: Any) -> str:
        return self._made("contacts", {**_person(name), **fields})

    def lead(self, name: str, **fields: Any) -> None:
        # BottleCRM answers without an id.
        self._made("leads", {**_person(name), "status": "assigned", **fields})

    def deal(self, name: str, account: str | None = None, **fields: Any) -> str:
        given = {"name": name, "account": account, "stage": "PROSPECTING", "currency": "USD"}
        return self._made("opportunities", {**given, **fields})

    def task(self, title: str, **fields: Any) -> None:
        self._made("tasks", {"title": title, "status": "New", "priority": "Medium", **fields})

    def case(self, name: str, **fields: Any) -> str:
        return self._made("cases", {"name": name, "status": "New", "priority": "Normal", **fields})

    def invoice(
        self, title: str, account: str, contact: str, *, total: float, **fields: Any
    ) -> str:
        """An invoice of one line; a draft until it is sent or paid."""
        given = {
            "invoice_title": title,
            "account_id": account,
            "contact_id": contact,
            "currency": "USD",
            "client_name": title,
            "client_email": "books@customer.example",
            "line_items": [{"name": title, "quantity": 1, "unit_price": str(total)}],
        }
        return self._made("invoices", {**given, **fields})

    def sent(self, invoice: str) -> str:
        self.call("POST", f"/api/invoices/{invoice}/send/", {})
        return invoice

    def paid(self, invoice: str, amount: float | None = None) -> str:
        part = {} if amount is None else {"amount": str(amount)}
        body = {"payment_method": "BANK_TRANSFER", **part}
        self.call("POST", f"/api/invoices/{invoice}/mark-paid/", body)
        return invoice

    def solution(self, title: str, description: str = "As described.", **fields: Any) -> str:
        given = {"title": title, "description": description, "status": "draft"}
        return self._made("solutions", {**given, **fields})

    def tag(self, name: str) -> str:
        self._made("tags", {"name": name}, by="avery")
        return self.id_of("tags", name)

    def team(self, name: str, *members: str) -> str:
        ids = [self.people[each]["profile"] for each in members]
        body = {"name": name, "description": name, "users": ids, "assign_users": ids}
        self._made("teams", body, by="avery")
        return self.id_of("teams", name)

    def field(self, target: str, key: str, *options: str) -> None:
        """A custom field: a drop-down of the options, or a number."""
        kind = {"field_type": "dropdown" if options else "number", "options": [
            {"value": each, "label": each.title()} for each in options
        ]}  # fmt: skip
        about = {"target_model": target, "key": key, "label": key.title(), "is_filterable": True}
        self._made("fields", {**about, **kind}, by="avery")

    def comment(self, entity: str, name: str, text: str, by: str = "") -> None:
        """What somebody notes on a record; on a case what its customer is shown, too."""
        path = f"{PATHS[entity]}{self.id_of(entity, name)}/"
        path += "comments/" if entity == "invoices" else ""
        self.call("POST", path, {"comment": text}, by)

    def leaves(self, person: str) -> None:
        """Deactivated once everything is there."""
        self.leavers.append(person)

    def id_of(self, entity: str, name: str) -> str:
        return self._find(self.org, entity, name)

    def call(self, method: str, path: str, body: Json | None = None, by: str = "") -> Any:
        token = self.people[by or self.who]["token"]
        status, answer = self.rest(method, path, token, body)
        if status >= 400:
            raise RuntimeError(f"{method} {path} {body}: {status} {answer}")
        return answer

    def mirror(self) -> None:
        """The same names in the other organisation, which must stay out of every answer."""
        made: dict[str, str] = {}
        for entity, (body, mine) in self._first.items():
            links = {"account": made.get(body.get("account", ""))} if body.get("account") else {}
            drop = ("assigned_to", "tags", "teams", "contacts", "parent", "custom_fields")
            keep = {key: value for key, value in body.items() if key not in drop} | links
            keep |= dict.fromkeys(body.keys() & {"opportunity", "case", "lead"})
            keep = {key: value for key, value in keep.items() if value is not None}
            made[mine] = self.other._made(entity, keep)

    def _made(self, entity: str, fields: Json, by: str = "") -> str:
        maker = fields.pop("by", by)
        body = {key: value for key, value in fields.items() if value is not None}
        if people := body.get("assigned_to"):
            body["assigned_to"] = self.profiles(people)
        answer = self.call("POST", PATHS[entity], body, maker)
        pk = _id_in(answer)
        if entity in MIRRORED and entity not in self._first:
            self._first[entity] = (body, pk)
        return pk

    def profiles(self, people: Iterable[str]) -> list[str]:
        return [self.people[each]["profile"] for each in people]


def _person(name: str) -> Json:
    first, _, last = name.rpartition(" ")
    return {"first_name": first, "last_name": last}


def _id_in(answer: Any) -> str:
    if not isinstance(answer, dict):
        return ""
    found = answer.get("id") or (answer.get("invoice") or {}).get("id") or ""
    return str(found)
