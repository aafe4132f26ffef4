"""Offer: what a person may choose of what a client asks for."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils import timezone

from pat_tokens.models import AuthorizationRequest, Connection, Policy
from pat_tokens.oauth import redirects
from pat_tokens.oauth.connections import LATELY
from pat_tokens.oauth.consent import USUAL_DAYS, days_offered
from pat_tokens.services import presets


@dataclass(frozen=True)
class Offer:
    """Values and their labels; the defaults are what is chosen beforehand."""

    access: Mapping[str, str]
    default_access: str
    entities: Mapping[str, str]
    entity_access: Mapping[str, str]
    default_entities: Mapping[str, str]
    days: Mapping[int, str]
    default_days: int
    # Of the earlier connection of the same client: what it may do; empty where there is none.
    may_already: str
    # None where nothing is left to be ended.
    default_replaces: bool | None


def offer(request: AuthorizationRequest, policy: Policy, earlier: Connection | None) -> Offer:
    """What the client asks for, within the organisation's policy.

    Where the person has an `earlier` connection of it, what that has and what is asked for now is
    chosen beforehand.
    """
    hidden = () if _may_write(request, policy) else ("read_write", "write")
    access: Mapping[str, str] = {
        name: label for name, label in presets.ACCESS.items() if name not in hidden
    }
    of_entity = {name: each for name, each in presets.ENTITY_ACCESS.items() if name not in hidden}
    days = {each: f"{each} days" if each > 1 else "A day" for each in days_offered(policy)}
    default_access = policy.default_access if policy.default_access in access else "read_only"
    default_entities: Mapping[str, str] = {}
    if earlier is not None:
        default_access, default_entities = _with_more(earlier, writes="read_write" in access)
    return Offer(
        access=access,
        default_access=default_access,
        entities=presets.entities(),
        entity_access=of_entity,
        default_entities=default_entities,
        days=days,
        default_days=USUAL_DAYS if USUAL_DAYS in days else max(days),
        may_already=_may_already(earlier) if earlier else "",
        default_replaces=_is_same_installation(request, earlier)
        if earlier and earlier.ended_at is None
        else None,
    )


def _may_already(earlier: Connection) -> str:
    said = presets.summary(earlier.scopes)
    return said if earlier.ended_at is None else f"{said}, until it signed out just now"


def _with_more(earlier: Connection, *, writes: bool) -> tuple[str, Mapping[str, str]]:
    """What it has, and writing too where that `writes`: asked for and allowed."""
    access, chosen = presets.preset_of(earlier.scopes)
    if access == "entities":
        return access, dict.fromkeys(chosen, "write") if writes else dict.fromkeys(chosen, "read")
    return "read_write" if writes else "read_only", {}


def _is_same_installation(request: AuthorizationRequest, earlier: Connection) -> bool:
    """Whether it asks again, rather than on another computer.

    One that registered itself has an id of its own, and a service is at one place. A program with
    a published id asks for more right after a call was refused.
    """
    is_program = redirects.is_loopback(request.redirect_uri)
    used = earlier.last_used_at
    lately = used is not None and used > timezone.now() - LATELY
    return not request.client_host or not is_program or lately


def _may_write(request: AuthorizationRequest, policy: Policy) -> bool:
    asks = any(each.endswith(":write") for each in request.scopes)
    return asks and policy.agents == Policy.Agents.ON
