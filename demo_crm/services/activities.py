"""Activities: what was done to a case, as its detail answer tells it."""

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.forms.models import model_to_dict
from rest_framework.serializers import CharField, ModelSerializer, SerializerMethodField

from demo_crm.models import Activity, Case, Profile
from demo_crm.serializers import CommentAuthorSerializer, Constant, names

MOST_LISTED = 20
# Changes of these are told apart from those of all other fields.
NAMED = {"status": "STATUS_CHANGED", "priority": "PRIORITY_CHANGED"}
OTHERS = ("name", "case_type", "closed_on", "description", "is_active", "parent")


class ActivitySerializer(ModelSerializer[Activity]):
    user = SerializerMethodField()
    entity_type = Constant("Case")
    entity_id = CharField(source="object_id")
    entity_name = SerializerMethodField()
    # On purpose: what there is to say is in the metadata.
    description = Constant("")

    class Meta:
        model = Activity
        fields = names(
            "id action user entity_type entity_id entity_name description metadata", "created_at"
        )

    def get_user(self, activity: Activity) -> Any:
        profile = Profile.objects.filter(user=activity.created_by, org=activity.org).first()
        return CommentAuthorSerializer(profile).data if profile else None

    def get_entity_name(self, activity: Activity) -> str:
        return str(self.context["case"])


def rows(case: Case) -> Any:
    latest = Activity.objects.filter(object_id=case.pk).order_by("-created_at")[:MOST_LISTED]
    return ActivitySerializer(latest, many=True, context={"case": case}).data


def note(case: Case, profile: Profile, action: str, **metadata: Any) -> None:
    Activity.objects.create(
        content_type=ContentType.objects.get_for_model(Case),
        object_id=case.pk,
        org=case.org,
        created_by=profile.user,
        action=action,
        metadata=metadata,
    )


def state(case: Case) -> dict[str, str | None]:
    """What `note_changes` compares."""
    values = model_to_dict(case, (*NAMED, *OTHERS))
    return {name: None if value is None else str(value) for name, value in values.items()}


def note_changes(case: Case, profile: Profile, before: dict[str, str | None]) -> None:
    changes = {
        name: {"before": before[name], "after": value}
        for name, value in state(case).items()
        if value != before[name]
    }
    for name, action in NAMED.items():
        if name in changes:
            note(case, profile, action, **changes.pop(name))
    if changes:
        note(case, profile, "UPDATE", changes=changes)
