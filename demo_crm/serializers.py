"""Serializers of people, teams, tags and notes in other answers, and the base of all writes."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import serializers

from demo_crm.models import (
    Attachment,
    Comment,
    CustomFieldDefinition,
    Org,
    Profile,
    Tag,
    Team,
    User,
)


def names(*parts: str | Iterable[str]) -> tuple[str, ...]:
    """Names of fields: a text has several of them, between spaces."""
    return tuple(
        name for part in parts for name in (part.split() if isinstance(part, str) else part)
    )


class RowSerializer(serializers.ModelSerializer[Any]):
    """A record in an answer, with what a list of such reads of related records."""

    prefetch: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def listed(cls, records: QuerySet[Any]) -> Any:
        return cls(records.prefetch_related(*cls.prefetch), many=True).data


class Constant(serializers.Field):  # type: ignore[type-arg]
    """A field that BottleCRM's answers have and the demo does not model."""

    def __init__(self, value: Any = None) -> None:
        super().__init__(read_only=True, source="*")
        self.value = value

    def to_representation(self, instance: Any) -> Any:
        return self.value


class Brief(serializers.Field):  # type: ignore[type-arg]
    """A related record, or several, as the few fields that name it."""

    def __init__(self, *names: str, many: bool = False, **options: Any) -> None:
        super().__init__(read_only=True, **options)
        self.names, self.many = ("id", *names), many

    def to_representation(self, value: Any) -> Any:
        if self.many:
            return [self.brief(record) for record in value.all()]
        return self.brief(value)

    def brief(self, record: Any) -> dict[str, Any]:
        return {name: _plain(getattr(record, name)) for name in self.names}


def _plain(value: Any) -> Any:
    return value if value is None else str(value)


class UserSerializer(serializers.ModelSerializer[User]):
    profile_pic = Constant()

    class Meta:
        model = User
        fields = ("id", "email", "name", "profile_pic")


class UserDetailsSerializer(serializers.ModelSerializer[User]):
    profile_pic = Constant()

    class Meta:
        model = User
        fields = ("email", "id", "name", "is_active", "profile_pic", "last_login")


class ProfileSerializer(serializers.ModelSerializer[Profile]):
    user_details = UserDetailsSerializer(source="user", read_only=True)
    address = Constant()
    has_marketing_access = Constant(False)
    has_sales_access = Constant(False)
    date_of_joining = Constant()

    class Meta:
        model = Profile
        fields = names(
            "id user_details role address has_marketing_access has_sales_access phone",
            "date_of_joining is_active created_at",
        )


class OrgSerializer(serializers.ModelSerializer[Org]):
    class Meta:
        model = Org
        fields = ("id", "name")


class TeamSerializer(serializers.ModelSerializer[Team]):
    users = ProfileSerializer(many=True, read_only=True)
    created_by = UserSerializer(read_only=True)

    class Meta:
        model = Team
        fields = ("id", "name", "description", "users", "created_at", "created_by")


class TagSerializer(serializers.ModelSerializer[Tag]):
    class Meta:
        model = Tag
        fields = ("id", "name", "slug", "color", "description", "is_active", "created_at")
        read_only_fields = ("slug",)


class CommentAuthorSerializer(serializers.ModelSerializer[Profile]):
    user_details = serializers.SerializerMethodField()

    class Meta:
        model = Profile
        fields = ("id", "user_details")

    def get_user_details(self, profile: Profile) -> dict[str, Any]:
        return {"email": profile.user.email, "profile_pic": None}


class LeadCommentSerializer(serializers.ModelSerializer[Comment]):
    commented_by = CommentAuthorSerializer(read_only=True)

    class Meta:
        model = Comment
        fields: tuple[str, ...] = ("id", "comment", "commented_on", "commented_by")


class CommentSerializer(LeadCommentSerializer):
    content_type = serializers.SlugRelatedField[Any](slug_field="model", read_only=True)

    class Meta(LeadCommentSerializer.Meta):
        fields = names(LeadCommentSerializer.Meta.fields, "content_type object_id org is_internal")
        read_only_fields = ("object_id", "org")


class AttachmentSerializer(serializers.ModelSerializer[Attachment]):
    content_type = serializers.SlugRelatedField[Any](slug_field="model", read_only=True)
    file_path = Constant()

    class Meta:
        model = Attachment
        fields = names("id created_by file_name created_at file_path content_type object_id org")


class CustomFieldSerializer(serializers.ModelSerializer[CustomFieldDefinition]):
    class Meta:
        model = CustomFieldDefinition
        fields = names(
            "id target_model key label field_type options is_required is_filterable",
            "display_order is_active created_at updated_at",
        )


class WriteSerializer(serializers.ModelSerializer[Any]):
    """Takes the request as BottleCRM's write serializers do, by the name `request_obj`."""

    def __init__(self, *args: Any, request_obj: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.org: Org | None = request_obj.org if request_obj is not None else None

    def require_unique(self, field: str, value: str | None, message: str) -> str | None:
        if value and self._others().filter(**{f"{field}__iexact": value}).exists():
            raise serializers.ValidationError(message)
        return value

    def resulting(self, attributes: dict[str, Any], field: str) -> Any:
        """The value this field will have after the write, sent or stored."""
        return attributes.get(field, getattr(self.instance, field, None))

    def _others(self) -> QuerySet[Any]:
        records: QuerySet[Any] = self.Meta.model.objects.filter(org=self.org)  # type: ignore[attr-defined]
        return records.exclude(pk=self.instance.pk) if self.instance else records
