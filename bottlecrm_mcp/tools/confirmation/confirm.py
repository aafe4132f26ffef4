"""Confirmation by effect: what can't be undone, deletes or mails waits for a person."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bottlecrm_mcp.catalogue.model import Effect, Entity
from bottlecrm_mcp.gateway.base import Watched
from bottlecrm_mcp.one_line import OwnWords
from bottlecrm_mcp.tools.confirmation.left_today import require_left
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.truncation import LONGEST_IN_PREVIEW, marked_cuts

NO_WAY_BACK = "there is none"


class ConfirmationRequired(Exception):
    """The change was not made; `preview` says what it would do, `confirmation` seals that.

    `names` are those of all the records of a change of several, by their ids.
    """

    def __init__(
        self, preview: Mapping[str, Any], confirmation: str, names: Mapping[str, str]
    ) -> None:
        super().__init__("confirmation required")
        self.preview = dict(preview)
        self.confirmation = confirmation
        self.names = names

    def as_dict(self, entity: Entity) -> dict[str, Any]:
        return {
            "entity": entity.name,
            "confirmation_required": True,
            "preview": marked_cuts(self.preview, LONGEST_IN_PREVIEW),
            "confirmation": self.confirmation,
            "next": "Nothing was changed. Show the preview to the person. If they agree, make the "
            "same call again with confirm=true and this confirmation.",
        }


class Declined(Exception):
    """The person declined in the client's form; nothing was changed."""

    told = "The person declined. Nothing was changed."


class Cancelled(Declined):
    """The form came back without an answer, perhaps without anybody having seen it."""

    told = (
        "The form was closed without an answer, perhaps by the client itself. Nothing was changed. "
        "Ask the person; if they agree, make the same call again, and the form comes again. A "
        "client that closes each form shows none: it has to allow forms (elicitation), or not to "
        "declare them, and then takes a preview instead."
    )


@dataclass(frozen=True)
class Confirmation:
    """What the agent said about confirmation: the arguments `confirm` and `confirmation`."""

    confirm: bool = False
    confirmation: str = ""


@dataclass(frozen=True)
class Change:
    """A change that has effects: which tool makes it, with which arguments, to which record.

    `record` is all that is known of what is changed or goes with it, `sent` what the CRM is told:
    the ids of the records that the arguments name. `untrusted` are the keys of the preview whose
    text people outside the organisation may have written. Where it is of `several` records it is
    confirmed whatever its effects, and with the preview's seal, which says what they are; `names`
    are theirs by their ids, or by their places where they are made.
    """

    tool: str
    arguments: Mapping[str, Any]
    effects: tuple[Effect, ...]
    consequences: tuple[str, ...]
    record: Mapping[str, Any]
    sent: Mapping[str, Any] = field(default_factory=dict)
    untrusted: Sequence[str] = ()
    several: bool = False
    names: Mapping[str, str] = field(default_factory=dict)

    def preview(self, details: Mapping[str, Any]) -> dict[str, Any]:
        # One preview of several may have refused none.
        untrusted = [each for each in self.untrusted if not self.several or each in details]
        return {
            "this_will": "; ".join(self.consequences),
            "effects": [str(effect) for effect in self.effects],
            **details,
            **({"untrusted": untrusted} if untrusted else {}),
        }

    def subject(self, crm: Crm) -> dict[str, Any]:
        """What a confirmation is bound to."""
        return {
            "caller": crm.caller.profile_id,
            "org": crm.caller.org_id,
            "tool": self.tool,
            "arguments": self.arguments,
            "record": fingerprint(self.record),
            "sent": fingerprint(self.sent),
        }


def require_confirmation(
    crm: Crm,
    change: Change,
    given: Confirmation,
    details: Mapping[str, Any],
    only_shown: Callable[[], Mapping[str, Any]] = dict,
) -> None:
    """Return if the change is confirmed; raise `ConfirmationRequired` otherwise.

    What `only_shown` raises comes before that: nobody is asked for what can't be done. What it
    returns is a part of the preview that nothing depends on.

    A confirmation that is given must fit: one for another change, an older state of the record or
    an earlier hour gets a new preview, and so does one that was used or declined before. Where the
    client has a form, the form's answer counts and the arguments don't.
    """
    if not change.effects and not change.several:
        return
    subject = change.subject(crm)
    if not _is_confirmed(crm, given, subject, needs_seal=change.several):
        if not change.several:
            require_left(crm.caller, [change.effects])
        shown = {**details, **only_shown()}
        preview = change.preview(shown)
        raise ConfirmationRequired(preview, crm.seal.issue(subject), change.names)


def require_not_declined(crm: Crm) -> None:
    """Raises `Declined` if the person declined in the form, which then can't be agreed to again,
    and `Cancelled` if nobody answered it.

    Raises `GatewayError` if that can't be remembered.
    """
    if crm.form is not None and crm.form.declined:
        crm.seal.spend(crm.form.confirmation)
        raise Cancelled if crm.form.cancelled else Declined


def _is_confirmed(
    crm: Crm, given: Confirmation, subject: Mapping[str, Any], *, needs_seal: bool
) -> bool:
    if crm.form is None:
        confirmed, confirmation = given.confirm, given.confirmation
        needs_seal = needs_seal or crm.sealed or bool(confirmation)
    else:
        confirmed, confirmation, needs_seal = crm.form.accepted, crm.form.confirmation, True
    if not confirmed or not needs_seal:
        return confirmed
    return crm.seal.holds(confirmation, subject) and crm.seal.spend(confirmation)


def way_back_shown(way_back: str) -> dict[str, Any]:
    """`way_back` of a preview: the given one, or that there is none."""
    return {"way_back": OwnWords(way_back or NO_WAY_BACK)}


def digest_of(watched: Watched | None) -> str:
    """What a confirmation binds of what goes with a record; empty where that is not watched."""
    return watched.dependents.digest if watched and watched.dependents else ""


def fingerprint(record: Mapping[str, Any]) -> str:
    """16 hex digits that differ where the record does."""
    text = json.dumps(record, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
