"""Owners of tokens: what the host's people and organisations are called."""

from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Model

from pat_tokens.conf import token_settings


def name_of(owner: Any) -> str:
    """The person's name; their login name where the host knows no other."""
    user = owner.user
    return str(getattr(user, "name", "") or user.get_username())


def email_of(owner: Any) -> str:
    """The person's e-mail address; their login name where the host knows none."""
    return str(getattr(owner.user, "email", "") or owner.user.get_username())


def owner_model() -> type[Model]:
    return apps.get_model(token_settings.owner_model)


def member_id(value: str) -> Any:
    """As the owner model has its keys; None for what can't be one."""
    try:
        return owner_model()._meta.pk.to_python(value)
    except ValidationError:
        return None


def member_by_email(org_id: Any, address: str) -> Any:
    """The id of the member who has this e-mail address; None if nobody has."""
    field = get_user_model().get_email_field_name()
    members: Any = owner_model()._base_manager.filter(org_id=org_id)
    found = members.filter(**{f"user__{field}__iexact": address})
    return found.values_list("pk", flat=True).first()


def members_called(org_id: Any, words: str) -> list[Any]:
    """The members, with the user, who have these words in their name or e-mail address; the one who
    is called just so, where there is one."""
    members: Any = owner_model()._base_manager.filter(org_id=org_id).select_related("user")
    wanted = words.strip().casefold()
    named = {each: (name_of(each), email_of(each), str(each.user)) for each in members}
    found = [each for each, names in named.items() if wanted in " ".join(names).casefold()]
    exact = [each for each in found if wanted in map(str.casefold, named[each])]
    return exact if len(exact) == 1 else found


def member_of(org_id: Any, pk: Any) -> Any:
    """The member with this id, with the user; None if the organisation has none."""
    members: Any = owner_model()._base_manager.select_related("user")
    return members.filter(org_id=org_id, pk=pk).first()


def lock_member(owner: Any) -> None:
    """What is counted of this member after it can't change until the transaction ends."""
    rows: Any = owner_model()._base_manager.filter(pk=owner.pk)
    rows.select_for_update(no_key=True).values_list("pk").first()


def lock_members(org_id: Any, pk: Any = None) -> None:
    """The same for all members of the organisation, or for the one with this id."""
    whose = {} if pk is None else {"pk": pk}
    rows: Any = owner_model()._base_manager.filter(org_id=org_id, **whose).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk"))


def memberships_of(user_pk: Any) -> list[Any]:
    """Where this user is a member now: active ones, by the organisation's name; of None nowhere."""
    members: Any = owner_model()._base_manager.select_related("user", "org")
    active = {"is_active": True, "user__is_active": True, "org__is_active": True}
    found = members.filter(user_id=user_pk, **active) if user_pk is not None else ()
    return sorted(found, key=lambda each: (str(each.org), str(each.pk)))


def active_members(address: str, org: str) -> list[Any]:
    """Who has this e-mail address in the organisations of this name or id."""
    field = get_user_model().get_email_field_name()
    members: Any = owner_model()._base_manager.select_related("user", "org")
    active = {"is_active": True, "user__is_active": True, "org__is_active": True}
    found = members.filter(**{f"user__{field}__iexact": address}, **active).order_by("pk")
    return [each for each in found if org in (str(each.org_id), str(each.org.name))]


def organisations() -> list[Any]:
    """All of them; what commands walk, setting the context of each."""
    model: Any = owner_model()._meta.get_field("org").related_model
    return list(model._base_manager.order_by("pk"))
