"""Offer: what a person may choose of what a client asks for."""

from collections.abc import Mapping
from dataclasses import dataclass

from pat_tokens.models import AuthorizationRequest, Policy
from pat_tokens.oauth.consent import USUAL_DAYS, days_offered
from pat_tokens.services import presets


@dataclass(frozen=True)
class Offer:
    """Values and their labels; the defaults are what is chosen beforehand."""

    access: Mapping[str, str]
    default_access: str
    entities: Mapping[str, str]
    entity_access: Mapping[str, str]
    days: Mapping[int, str]
    default_days: int


def offer(request: AuthorizationRequest, policy: Policy) -> Offer:
    """What the client asks for, within the organisation's policy."""
    hidden = () if _may_write(request, policy) else ("read_write", "write")
    access: Mapping[str, str] = {
        name: label for name, label in presets.ACCESS.items() if name not in hidden
    }
    of_entity = {name: each for name, each in presets.ENTITY_ACCESS.items() if name not in hidden}
    days = {each: f"{each} days" if each > 1 else "A day" for each in days_offered(policy)}
    return Offer(
        access=access,
        default_access=policy.default_access if policy.default_access in access else "read_only",
        entities=presets.entities(),
        entity_access=of_entity,
        days=days,
        default_days=USUAL_DAYS if USUAL_DAYS in days else max(days),
    )


def _may_write(request: AuthorizationRequest, policy: Policy) -> bool:
    asks = any(each.endswith(":write") for each in request.scopes)
    return asks and policy.agents == Policy.Agents.ON
