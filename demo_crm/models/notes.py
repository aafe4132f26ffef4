"""Models of what is kept with a record: comments, files, activities, custom fields."""

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models

from demo_crm import choices
from demo_crm.models.base import OrgOwned
from demo_crm.models.people import Profile


class Attached(OrgOwned):
    """Something kept with a record of any kind."""

    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_id = models.UUIDField()
    content_object = GenericForeignKey()

    class Meta:
        abstract = True
        indexes = (models.Index(fields=["content_type", "object_id"]),)


class Comment(Attached):
    comment = models.CharField(max_length=255)
    commented_on = models.DateTimeField(auto_now_add=True)
    commented_by = models.ForeignKey(
        Profile, null=True, on_delete=models.SET_NULL, related_name="comments"
    )
    is_internal = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.comment[:50]


class Attachment(Attached):
    file_name = models.CharField(max_length=255)
    attachment = models.FileField(max_length=1001, upload_to="attachments/%Y/%m/", blank=True)

    def __str__(self) -> str:
        return self.file_name


class Activity(Attached):
    """Something that was done to a record."""

    action = models.CharField(max_length=32)
    metadata = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.action.replace("_", " ").lower()


class CustomFieldDefinition(OrgOwned):
    target_model = models.CharField(max_length=50)
    key = models.CharField(max_length=64)
    label = models.CharField(max_length=255)
    field_type = models.CharField(max_length=20, choices=choices.FIELD_TYPE)
    options = models.JSONField(default=list, blank=True)
    is_required = models.BooleanField(default=False)
    is_filterable = models.BooleanField(default=False)
    display_order = models.PositiveIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["org", "target_model", "key"], name="one_field_per_key"
            ),
        )

    def __str__(self) -> str:
        return f"{self.target_model}.{self.key}"
