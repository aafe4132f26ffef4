"""Policy in an administrator's words."""

from typing import Any

from pat_tokens.models import Policy
from pat_tokens.pages.forms import Choice, PolicyForm, explained
from pat_tokens.services.policy_effects import effects_of

MEANINGS: dict[str, dict[str, str]] = {
    "agents": {
        Policy.Agents.ON: "A token does what it was made for, and never more than its owner may.",
        Policy.Agents.READ_ONLY: "Nobody's token adds, changes or deletes anything.",
        Policy.Agents.OFF: "No assistant or script reaches the CRM with a token.",
    },
    "confirmation": {
        Policy.Confirmation.EXPLICIT: "The assistant sees what would happen, and says a second "
        "time that it is wanted. Clients that can show a form ask the person.",
        Policy.Confirmation.SEALED: "The same, and the second call must bring back a seal that "
        "only the preview of exactly this change has.",
    },
    "clients": {
        Policy.Clients.ANY: "Each person decides, on the page that asks.",
        Policy.Clients.LISTED: "Programs whose own web site is listed vouch for their name.",
        Policy.Clients.NONE: "People make tokens and copy them.",
    },
    "default_access": {
        Policy.Access.READ_ONLY: "A person can choose more.",
        Policy.Access.READ_WRITE: "A person can choose less.",
    },
}


def choices_of(form: PolicyForm, policy: Policy) -> dict[str, Any]:
    """For each field of choices its radio buttons in words; of `max_lifetime_days` a sentence.

    `policy` is the one in force, from which the effects are counted.
    """
    effects = effects_of(policy)
    shown: dict[str, Any] = {"max_lifetime_days": f"Now: {effects['max_lifetime_days']}"}
    for name, meanings in MEANINGS.items():
        now = {
            value: f"Now: {text}"
            for value, text in effects.get(name, {}).items()
            if value != getattr(policy, name)
        }
        choices: list[Choice] = explained(form[name], meanings, now)
        shown[name] = choices
    return shown
