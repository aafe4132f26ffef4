"""The ways in which a person's token loses what it may do."""

from collections.abc import Callable

from demo_crm.access.row_security import org_context
from demo_crm.models import Profile
from pat_tokens.models import Token
from pat_tokens.services.policy import change_policy
from pat_tokens.services.stop import stop_agents

Withdrawal = Callable[[Profile], None]


def revoke(person: Profile) -> None:
    with org_context(person.org):
        Token.objects.get().revoke()


def expire(person: Profile) -> None:
    with org_context(person.org):
        Token.objects.update(expires_at="2020-01-01T00:00Z")


def forbid_agents(person: Profile) -> None:
    change_policy(person, agents="off")


def stop(person: Profile) -> None:
    stop_agents(person, "Leak")


def forbid_writes(person: Profile) -> None:
    change_policy(person, agents="read_only")


def deactivate_member(person: Profile) -> None:
    Profile.objects.filter(pk=person.pk).update(is_active=False)


def deactivate_user(person: Profile) -> None:
    person.user.is_active = False
    person.user.save()


def deactivate_organisation(person: Profile) -> None:
    person.org.is_active = False
    person.org.save()


def demote(person: Profile) -> None:
    Profile.objects.filter(pk=person.pk).update(role=Profile.Role.USER)


def narrow(person: Profile) -> None:
    with org_context(person.org):
        Token.objects.update(scopes=["leads:read"])


def seal(person: Profile) -> None:
    change_policy(person, confirmation="sealed")
