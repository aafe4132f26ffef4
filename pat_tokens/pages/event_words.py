"""Events in a person's words."""

import re
from dataclasses import dataclass

from pat_tokens.mcp_endpoint import record_address
from pat_tokens.models import Event, Policy
from pat_tokens.scopes import SCOPE
from pat_tokens.services import presets

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
    Kind.STOPPED: "All tokens and clients stopped",
    Kind.STARTED: "Tokens and clients allowed again",
    Kind.REPLAYED: "Used a second time what is good once, and was disconnected",
    Kind.WRITE: "Records changed, or tried to be",
}
# What a tool does to a record: as done, and as tried.
DOING = {
    "crm_create": ("added", "add"),
    "crm_update": ("changed", "change"),
    "crm_delete": ("deleted", "delete"),
    "crm_action": ("acted on", "act on"),
    "download": ("downloaded a file of", "download a file of"),
    "upload": ("added a file to", "add a file to"),
}
OUTCOMES = {
    "declined": "the person said no",
    "insufficient_scope": "the token may not",
    "forbidden": "the person may not",
    "policy": "the organisation lets no token do that now",
    "limit_reached": "its limit of the day is reached",
    "not_found": "there is no such record",
    "ambiguous": "more than one record was meant",
    "hidden": "the record is hidden",
    "invalid_value": "what was given is not valid",
    "invalid_filter": "what was looked for is not valid",
    "unknown_field": "there is no such field",
    "unknown_action": "there is no such action",
    "not_supported": "the CRM does not offer that",
    "rejected": "the CRM does not take what was given",
    "unauthorized": "the token no longer worked",
    "rate_limited": "it had called too often",
    "busy": "the server was busy",
    "invalid_arguments": "what was given is not valid",
    "conflict": "the state of the record did not allow it",
    "nothing_to_do": "it was so already",
    "used_up": "the link had been used before",
    "timeout": "it took too long, so it may have happened",
    "crm_error": "the CRM failed",
    "internal_error": "the server failed",
}
# Fields whose names read badly in a sentence.
FIELDS = {"assigned_to": "assignees", "is_active": "activity"}
MOST_FIELDS = 3
POLICY_FIELDS = {
    "agents": "What tokens may do",
    "max_lifetime_days": "Longest life of a token",
    "confirmation": "Before what can't be taken back",
    "max_writes": "Writes of one token in a day",
    "max_deletes": "Deletes of one token in a day",
    "max_mails": "E-mails of one token to people outside in a day",
    "clients": "Who may connect by signing a person in",
    "client_hosts": "Hosts whose clients may connect",
    "max_connection_days": "Longest connection",
    "default_access": "Chosen beforehand when a client connects",
}
CHOICES: dict[str, dict[str, str]] = {
    "agents": dict(Policy.Agents.choices),
    "confirmation": dict(Policy.Confirmation.choices),
    "clients": dict(Policy.Clients.choices) | {Policy.Clients.LISTED: "Clients of listed hosts"},
    "default_access": dict(Policy.Access.choices),
}
POLICY_CHANGE = re.compile(r"(\w+): (.*?) → (.*?)(?=, \w+: |$)")
LISTED = re.compile(r"'([^']*)'")
CONNECTED = re.compile(r"(?P<host>\S+): (?P<scopes>.+)")
LACKING = re.compile(r"This token lacks the scope (?P<resource>[^:]*):(?P<action>read|write)\.")
UNREACHED = "A token with scopes reaches nothing outside /api/."
BROWSER = re.compile(r"(Firefox|Edg|OPR|Chrome|Safari)/(\d+)")
CLIENT_LENGTH = 40


@dataclass(frozen=True)
class Said:
    text: str
    more: str
    record: str
    record_url: str
    client: str


def said_of(event: Event) -> Said:
    """What happened, what else is known of it, to which record, and with which program."""
    if event.kind == Kind.WRITE:
        text, more = _write(event)
    else:
        text, more = SAID.get(Kind(event.kind), event.get_kind_display()), _more(event)
    if event.times > 1:
        text = f"{event.times} times {text[:1].lower()}{text[1:]}"
    return Said(text, _sentence(more), *_record(event), _client(event.client))


def why(code: str) -> str:
    """What the code of an error means."""
    return OUTCOMES.get(code, code.replace("_", " "))


def plainly(reason: str) -> str:
    """Why a token was refused, without the names of scopes."""
    if found := LACKING.fullmatch(reason):
        doing = "look at" if found["action"] == "read" else "change"
        return f"This token may not {doing} {presets.label_of(found['resource']).lower()}."
    if reason == UNREACHED:
        return "This token may look at and change records, and nothing else."
    return reason


def _write(event: Event) -> tuple[str, str]:
    """The sentence, and the fields that would make it too long."""
    done, tried = _doing(event)
    name, what = event.token_name or "A client", one(event.entity)
    if event.outcome == "done":
        fields = [_field(each) for each in event.detail.split(", ") if each]
        if event.tool == "crm_action":
            return f"{name} {done} {what}", ""
        if event.tool != "crm_update":
            return f"{name} {done} {what}", ", ".join(fields)
        if not fields:
            return f"{name} changed nothing of {what}", ""
        if len(fields) <= MOST_FIELDS:
            return f"{name} changed the {_together(fields)} of {what}", ""
        return f"{name} changed {len(fields)} fields of {what}", ", ".join(fields)
    if event.outcome == "repeated":
        return f"{name} {done} {what} before; the same call again did nothing", ""
    return f"{name} tried to {tried} {what}: {why(event.outcome)}", ""


def _doing(event: Event) -> tuple[str, str]:
    if event.tool == "crm_action" and event.detail:
        action = f"“{event.detail.replace('_', ' ')}” on"
        return f"did {action}", f"do {action}"
    return DOING.get(event.tool, ("used", "use"))


def _more(event: Event) -> str:
    if event.kind == Kind.POLICY:
        return _policy(event.detail)
    if event.kind == Kind.REFUSED:
        return plainly(event.detail)
    if event.kind == Kind.CONNECTED and (found := CONNECTED.fullmatch(event.detail)):
        host = found["host"]
        vouched = "Its name is unverified" if host == "unverified" else f"Vouched for by {host}"
        # The last one may have been cut off.
        scopes = [each for each in found["scopes"].split() if SCOPE.fullmatch(each)]
        return f"{vouched}. It may do: {presets.summary(scopes)}"
    return event.detail


def _record(event: Event) -> tuple[str, str]:
    """A short name of the record, as the log has no values, and its address."""
    if not event.record_id:
        return "", ""
    name = f"{one(event.entity).partition(' ')[2]} {event.record_id[:8]}"
    is_gone = event.tool == "crm_delete" and event.outcome == "done"
    return _sentence(name), "" if is_gone else record_address(event.entity, event.record_id)


def _field(name: str) -> str:
    return FIELDS.get(name, name.removeprefix("custom_fields.").replace("_", " "))


def _together(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def one(entity: str) -> str:
    """One record of this kind: "a lead", "an opportunity"."""
    if not entity:
        return "a record"
    name = entity.replace("_", " ").replace("-", " ")
    name = f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")
    return f"an {name}" if name[:1] in "aeio" else f"a {name}"


def _policy(detail: str) -> str:
    changes = [
        f"{POLICY_FIELDS.get(name, _field(name))}: {_value(name, before)} → {_value(name, after)}"
        for name, before, after in POLICY_CHANGE.findall(detail)
    ]
    return "; ".join(changes) or detail


def _value(name: str, value: str) -> str:
    if name == "client_hosts":
        return ", ".join(LISTED.findall(value)) or "none"
    if name.startswith("max_") and not name.endswith("_days"):
        return "the server's default" if value == "None" else value
    if name.endswith("_days"):
        return "no limit" if value == "None" else f"{value} day{'' if value == '1' else 's'}"
    return CHOICES.get(name, {}).get(value, value)


def _client(agent: str) -> str:
    """The program that a User-Agent names; of a browser its name alone."""
    if agent.startswith("Mozilla/"):
        found = BROWSER.search(agent)
        return f"{found[1].replace('Edg', 'Edge')} {found[2]}" if found else "A browser"
    return agent if len(agent) <= CLIENT_LENGTH else f"{agent[:CLIENT_LENGTH]}…"
