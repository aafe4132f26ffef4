"""Drop-down data that BottleCRM's answers bring along for its forms."""

from typing import Any

from demo_crm.entities.rows import AccountSerializer, ContactSerializer
from demo_crm.models import Account, Contact, Profile, Tag, Team
from demo_crm.serializers import ProfileSerializer, TagSerializer, TeamSerializer


def members(viewer: Profile) -> list[dict[str, Any]]:
    return list(_active(viewer).values("id", "user__email"))


def full_members(viewer: Profile) -> Any:
    """For anyone but an administrator, only the administrators."""
    shown = _active(viewer) if viewer.is_admin else _active(viewer).filter(role=Profile.Role.ADMIN)
    return ProfileSerializer(shown, many=True).data


def teams() -> Any:
    return TeamSerializer(Team.objects.prefetch_related("users__user"), many=True).data


def tags() -> Any:
    return TagSerializer(Tag.objects.filter(is_active=True), many=True).data


def whole_org(request: Any) -> dict[str, Any]:
    """On purpose: all accounts and contacts, also to those who may not see them."""
    if request.query_params.get("slim") == "true":
        return {}
    return {
        "accounts_list": AccountSerializer.listed(Account.objects.all()),
        "contacts_list": ContactSerializer.listed(Contact.objects.all()),
    }


def assigned(record: Any, key: str = "name") -> list[dict[str, Any]]:
    return [{"id": each.id, key: each.user.email} for each in record.assigned_to.all()]


def mentionable(viewer: Profile, record: Any) -> list[dict[str, str]]:
    if viewer.is_admin:
        return list(_active(viewer).values("user__email"))
    return [{"user__email": record.created_by.email}] if record.created_by else []


def _active(viewer: Profile) -> Any:
    return (
        Profile.objects.filter(org=viewer.org, is_active=True)
        .select_related("user")
        .order_by("user__email")
    )
