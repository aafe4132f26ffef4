from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from pat_tokens import scopes
from pat_tokens.models import Token

DEFAULT_LIFETIME = timedelta(days=90)
MAX_DAYS = 3650


class TokenSerializer(serializers.ModelSerializer[Token]):
    token_prefix = serializers.CharField(source="prefix")
    status = serializers.CharField()

    class Meta:
        model = Token
        fields = (
            "id",
            "name",
            "token_prefix",
            "scopes",
            "status",
            "expires_at",
            "last_used_at",
            "created_at",
            "revoked_at",
        )
        read_only_fields = fields


class NewTokenSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=255)
    scopes = serializers.ListField(child=serializers.CharField(), max_length=32, default=list)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    expires_in_days = serializers.IntegerField(required=False, min_value=1, max_value=MAX_DAYS)

    def validate_scopes(self, value: list[str]) -> list[str]:
        try:
            return list(dict.fromkeys(scopes.normalize(scope) for scope in value))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("This time is past.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        # A misspelt `scopes` or `expires_at` would make a token that may do more than was meant.
        if unknown := sorted(set(self.initial_data) - set(self.fields)):
            raise serializers.ValidationError(f"Unknown fields: {', '.join(unknown)}.")
        if "expires_at" in attrs and "expires_in_days" in attrs:
            raise serializers.ValidationError("Give expires_at or expires_in_days, not both.")
        return {
            "name": attrs["name"],
            "scopes": attrs["scopes"],
            "expires_at": self._expires_at(attrs),
        }

    def _expires_at(self, attrs: dict[str, Any]) -> datetime | None:
        if "expires_at" in attrs:
            expires_at: datetime | None = attrs["expires_at"]
            return expires_at
        if "expires_in_days" in attrs:
            return timezone.now() + timedelta(days=attrs["expires_in_days"])
        return timezone.now() + DEFAULT_LIFETIME
