"""Serializers of tokens, the policy and events."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from rest_framework import serializers
from rest_framework.settings import api_settings

from pat_tokens import scopes
from pat_tokens.host.owners import member_id, name_of
from pat_tokens.host.tokens import status_of
from pat_tokens.http.plain_values import FlagField, WholeNumberField
from pat_tokens.http.shown_text import validate_name, validate_note, validate_reason
from pat_tokens.lists.moments import as_moment, end_of, zone_of
from pat_tokens.models import Call, Event, Policy, Token
from pat_tokens.models.expiry import validate_expiry
from pat_tokens.models.policy import MAX_DAYS
from pat_tokens.models.token import NOTE_LENGTH
from pat_tokens.services import presets
from pat_tokens.services.calls import COLUMNS
from pat_tokens.services.client_policy import host_names
from pat_tokens.services.daily_limits import KINDS, ceiling_fault
from pat_tokens.services.policy import default_lifetime
from pat_tokens.services.refusals import last_refusal

MAX_SCOPES = 32


class TokenSerializer(serializers.ModelSerializer[Token]):
    token_prefix = serializers.CharField(source="prefix")
    status = serializers.CharField()
    status_reason = serializers.CharField()
    ends_at = serializers.DateTimeField()
    access = serializers.SerializerMethodField()
    last_refused_at = serializers.SerializerMethodField()
    last_refusal = serializers.SerializerMethodField()

    class Meta:
        model = Token
        fields = (
            "id",
            "name",
            "note",
            "token_prefix",
            "scopes",
            "access",
            "status",
            "status_reason",
            "expires_at",
            "ends_at",
            "created_at",
            "rotated_at",
            "previous_expires_at",
            "revoked_at",
            "last_used_at",
            "last_used_address",
            "last_used_client",
            "first_mcp_at",
            "last_refused_at",
            "last_refusal",
        )
        read_only_fields = fields

    def get_access(self, token: Token) -> str:
        return presets.summary(token.scopes)

    def get_last_refused_at(self, token: Token) -> datetime | None:
        refusal = last_refusal(token)
        return refusal[0] if refusal else None

    def get_last_refusal(self, token: Token) -> str:
        refusal = last_refusal(token)
        return refusal[1] if refusal else ""


def host_row(row: Any) -> dict[str, Any]:
    """A token of the host's own, in the same shape; it knows less."""
    return {
        "id": str(row.pk),
        "name": row.name,
        "token_prefix": row.token_prefix,
        "scopes": row.scopes,
        "access": presets.summary(row.scopes),
        "status": status_of(row),
        "expires_at": row.expiry,
        "created_at": row.created_at,
        "revoked_at": row.revoked_at,
        "last_used_at": row.last_used_at,
        "of_host": True,
    }


def with_owner(row: dict[str, Any], owner: Any) -> dict[str, Any]:
    about = {
        "id": str(owner.pk),
        "name": name_of(owner),
        "role": getattr(owner, "role", None),
        "is_active": owner.is_active,
    }
    # A note is its owner's own.
    told = {name: value for name, value in row.items() if name != "note"}
    return {**told, "owner": about, "is_live": row["status"] == "active"}


class KnownFieldsOnly(serializers.Serializer[Any]):
    """Refuses other fields.

    A misspelt `scopes` would make a token that may do more than was meant, a misspelt `owner` end
    the tokens of others.
    """

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        if unknown:
            said = f"Unknown fields: {', '.join(unknown)[:300]}."
            raise serializers.ValidationError({api_settings.NON_FIELD_ERRORS_KEY: [said]})
        return super().to_internal_value(data)


class ExpiryField(serializers.DateTimeField):
    """Also a date, which lasts until its end in the time zone of the `org` in the context."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            return as_moment(value, zone_of(self.context["org"]), at_end=True)
        except (TypeError, ValueError):
            self.fail("invalid", format="YYYY-MM-DD[Thh:mm[:ss][+HH:MM|-HH:MM|Z]]")


def name_field(**options: Any) -> serializers.CharField:
    return serializers.CharField(max_length=255, validators=[validate_name], **options)


def note_field() -> serializers.CharField:
    return serializers.CharField(
        max_length=NOTE_LENGTH, validators=[validate_note], allow_blank=True, required=False
    )


class NewTokenSerializer(KnownFieldsOnly, serializers.Serializer[Any]):
    """Access is `scopes`, or one of the presets; `org` and `policy` are in the context."""

    name = name_field()
    note = note_field()
    scopes = serializers.ListField(
        child=serializers.CharField(), max_length=MAX_SCOPES, required=False
    )
    access = serializers.ChoiceField(choices=list(presets.ACCESS), required=False)
    entities = serializers.DictField(child=serializers.CharField(), required=False)
    expires_at = ExpiryField(required=False, allow_null=True, validators=[validate_expiry])
    expires_in_days = WholeNumberField(required=False, min_value=1, max_value=MAX_DAYS)

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
        if "expires_at" in attrs and "expires_in_days" in attrs:
            raise serializers.ValidationError("Give expires_at or expires_in_days, not both.")
        return {
            "name": attrs["name"],
            "scopes": self._scopes(attrs),
            "expires_at": self._expires_at(attrs),
        }

    def _scopes(self, attrs: dict[str, Any]) -> list[str]:
        if "access" not in attrs:
            if "entities" in attrs:
                raise serializers.ValidationError({"entities": "Needs access: entities."})
            given: list[str] = attrs.get("scopes", [])
            return given
        if "scopes" in attrs:
            raise serializers.ValidationError("Give scopes or access, not both.")
        try:
            return presets.scopes_for(attrs["access"], attrs.get("entities", {}))
        except ValueError as error:
            raise serializers.ValidationError({"entities": str(error)}) from error

    def _expires_at(self, attrs: dict[str, Any]) -> datetime | None:
        policy: Policy = self.context["policy"]
        expires_at = _asked_for(attrs, policy)
        limit = policy.max_lifetime
        if limit and (expires_at is None or expires_at > self._latest(limit)):
            field = "expires_in_days" if "expires_in_days" in attrs else "expires_at"
            message = f"Your organisation allows tokens {policy.max_lifetime_days} days at most."
            raise serializers.ValidationError({field: message})
        return expires_at

    def _latest(self, limit: timedelta) -> datetime:
        """The end of the last day: the policy itself ends the token within it."""
        zone = zone_of(self.context["org"])
        # A minute's grace, for the clock goes on while the form is sent.
        last = timezone.now() + limit + timedelta(minutes=1)
        return end_of(last.astimezone(zone).date(), zone)


def _asked_for(attrs: dict[str, Any], policy: Policy) -> datetime | None:
    if "expires_at" in attrs:
        expires_at: datetime | None = attrs["expires_at"]
        return expires_at
    if "expires_in_days" in attrs:
        return timezone.now() + timedelta(days=attrs["expires_in_days"])
    return timezone.now() + default_lifetime(policy)


class EditSerializer(KnownFieldsOnly, serializers.Serializer[Any]):
    """What is left out stays as it is."""

    name = name_field(required=False)
    note = note_field()


class NothingSerializer(KnownFieldsOnly, serializers.Serializer[Any]):
    """For a request whose path says all."""


class RotateSerializer(KnownFieldsOnly, serializers.Serializer[Any]):
    overlap_hours = WholeNumberField(default=24, min_value=0, max_value=168)


class RevokeSerializer(KnownFieldsOnly, serializers.Serializer[Any]):
    """One person's tokens, or, said explicitly, all of them."""

    owner = serializers.CharField(required=False)
    all = FlagField(required=False)

    def validate_owner(self, value: str) -> Any:
        if (owner_id := member_id(value)) is None:
            raise serializers.ValidationError("This is not the id of a member.")
        return owner_id

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("owner")) == bool(attrs.get("all")):
            raise serializers.ValidationError("Give owner (an id), or all: true.")
        return attrs


class StopSerializer(KnownFieldsOnly, serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=255, validators=[validate_reason])


class PolicySerializer(KnownFieldsOnly, serializers.ModelSerializer[Policy]):
    client_hosts = serializers.ListField(child=serializers.CharField(), required=False)
    serializer_field_mapping: ClassVar[Any] = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.PositiveIntegerField: WholeNumberField,
    }

    class Meta:
        model = Policy
        fields = (
            "agents",
            "max_lifetime_days",
            "confirmation",
            "max_writes",
            "max_deletes",
            "max_mails",
            "clients",
            "client_hosts",
            "max_connection_days",
            "default_access",
            "updated_at",
            "updated_by",
        )
        read_only_fields = ("updated_at", "updated_by")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        faults = {f"max_{kind}": ceiling_fault(kind, attrs.get(f"max_{kind}")) for kind in KINDS}
        if wrong := {name: fault for name, fault in faults.items() if fault}:
            raise serializers.ValidationError(wrong)
        return attrs

    def validate_client_hosts(self, value: list[str]) -> list[str]:
        try:
            return host_names(value)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


class EventSerializer(serializers.ModelSerializer[Event]):
    what = serializers.CharField(source="get_kind_display")
    times = serializers.IntegerField()

    class Meta:
        model = Event
        fields = (
            "id",
            "created_at",
            "kind",
            "what",
            "times",
            "actor_id",
            "actor",
            "token_id",
            "token_name",
            "token_prefix",
            "address",
            "client",
            "tool",
            "entity",
            "record_id",
            "outcome",
            "detail",
        )
        read_only_fields = fields


class CallSerializer(serializers.ModelSerializer[Call]):
    # Of one record, its id is in `record_id` too.
    record_ids = serializers.ListField(source="about")

    class Meta:
        model = Call
        fields = (*COLUMNS, "record_id")
        read_only_fields = fields


class ConnectSerializer(serializers.Serializer[Any]):
    mcp_url = serializers.URLField()
    placeholder = serializers.CharField()
    clients = serializers.ListField(child=serializers.DictField())
