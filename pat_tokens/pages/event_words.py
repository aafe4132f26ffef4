"""Events in a person's words."""

import re
from dataclasses import dataclass

from pat_tokens.models import Event, Policy
from pat_tokens.pages.forms import PolicyForm

Kind = Event.Kind
SAID = {
    Kind.CREATED: "Token made",
    Kind.ADOPTED: "Token taken over from the CRM's own",
    Kind.NEW_ADDRESS: "Used from a new address",
    Kind.EDITED: "Token edited",
    Kind.PAUSED: "Token paused",
    Kind.RESUMED: "Token resumed",
    Kind.ROTATED: "Token given a new secret",
    Kind.EXPIRED: "Token has ended",
    Kind.REVOKED: "Token revoked",
    Kind.REFUSED: "Refused",
    Kind.POLICY: "Policy changed",
    Kind.PRUNED: "Old entries removed",
    Kind.CONNECTED: "Client connected",
    Kind.DISCONNECTED: "Client disconnected",
    Kind.REPLAYED: "Used a second time what is good once, and was disconnected",
}
# What a tool does to a record: as done, and as tried.
DOING = {
    "crm_create": ("added", "add"),
    "crm_update": ("changed", "change"),
    "crm_delete": ("deleted", "delete"),
    "crm_action": ("acted on", "act on"),
}
OUTCOMES = {
    "declined": "the person said no",
    "insufficient_scope": "the token may not",
    "forbidden": "the person may not",
    "not_found": "there is no such record",
    "invalid_arguments": "what was given is not valid",
    "validation_error": "the CRM does not take what was given",
    "conflict": "somebody else had changed it",
    "timeout": "it took too long, so it may have happened",
    "crm_error": "the CRM failed",
    "internal_error": "the server failed",
}
CHOICES: dict[str, dict[str, str]] = {
    "agents": dict(Policy.Agents.choices),
    "confirmation": dict(Policy.Confirmation.choices),
    "clients": dict(Policy.Clients.choices),
    "default_access": dict(Policy.Access.choices),
}
POLICY_CHANGE = re.compile(r"(\w+): (.*?) → (.*?)(?=, \w+: |$)")
BROWSER = re.compile(r"(Firefox|Edg|OPR|Chrome|Safari)/(\d+)")
CLIENT_LENGTH = 40


@dataclass(frozen=True)
class Said:
    text: str
    more: str
    client: str


def said_of(event: Event) -> Said:
    """What happened, what else is known of it, and with which program."""
    if event.kind == Kind.WRITE:
        text, more = _write(event), event.detail
    elif event.kind == Kind.POLICY:
        text, more = SAID[Kind.POLICY], _policy(event.detail)
    else:
        text, more = SAID.get(Kind(event.kind), event.get_kind_display()), event.detail
    if event.times > 1:
        text = f"{event.times} times {text[:1].lower()}{text[1:]}"
    return Said(text, more[:1].upper() + more[1:], _client(event.client))


def _write(event: Event) -> str:
    done, tried = DOING.get(event.tool, ("used", "use"))
    name, what = event.token_name or "A client", one(event.entity)
    if event.outcome == "done":
        return f"{name} {done} {what}"
    if event.outcome == "repeated":
        return f"{name} {done} {what} before; the same call again did nothing"
    why = OUTCOMES.get(event.outcome, event.outcome.replace("_", " "))
    return f"{name} tried to {tried} {what}: {why}"


def one(entity: str) -> str:
    """One record of this kind: "a lead", "an opportunity"."""
    if not entity:
        return "a record"
    name = entity.replace("_", " ").replace("-", " ")
    name = f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")
    return f"an {name}" if name[:1] in "aeio" else f"a {name}"


def _policy(detail: str) -> str:
    changes = [
        f"{_label(name)} {_value(name, before)} → {_value(name, after)}"
        for name, before, after in POLICY_CHANGE.findall(detail)
    ]
    return "; ".join(changes) or detail


def _label(name: str) -> str:
    label = PolicyForm.Meta.labels.get(name, "Hosts whose clients may connect")
    return label if label.endswith("?") else f"{label}:"


def _value(name: str, value: str) -> str:
    choices = CHOICES.get(name, {})
    return "no limit" if value == "None" else choices.get(value, value)


def _client(agent: str) -> str:
    """The program that a User-Agent names; of a browser its name alone."""
    if agent.startswith("Mozilla/"):
        found = BROWSER.search(agent)
        return f"{found[1].replace('Edg', 'Edge')} {found[2]}" if found else "A browser"
    return agent if len(agent) <= CLIENT_LENGTH else f"{agent[:CLIENT_LENGTH]}…"
