"""Forms of the pages. What a token may be is decided by the REST serializers alone."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast
from uuid import UUID, uuid4

from django import forms
from django.core import signing
from django.utils.formats import date_format
from django.utils.timezone import localtime, now

from pat_tokens.api.serializers import NewTokenSerializer
from pat_tokens.http.plain_values import WholeNumberFormField
from pat_tokens.http.shown_text import validate_name, validate_note, validate_reason
from pat_tokens.models import Policy
from pat_tokens.models.policy import MAX_DAILY, MAX_DAYS
from pat_tokens.models.token import NOTE_LENGTH
from pat_tokens.services import presets
from pat_tokens.services.client_policy import host_names
from pat_tokens.services.daily_limits import KINDS, ceiling_fault, limits_under

# A radio button, what it means, and what choosing it would change now.
Choice = tuple[forms.boundfield.BoundWidget, str, str]
READS_ONLY = "Reads only for now: your organisation allows no more."
DAYS = (30, 90, 365)
ON_DATE, NEVER = "date", "never"
TICKET_SALT = "pat_tokens.new_token"
TICKET_LIFETIME = 86_400
CHOOSE_DATE = "Choose a date."
NOT_OFFERED = {
    "required": "Choose one of these.",
    "invalid_choice": "That is not one of the choices. Choose one of these.",
}
DAYS_OF_POLICY = f"Give a whole number of days from 1 to {MAX_DAYS}, or leave it empty."
NUMBER_OF_POLICY = f"Give a whole number from 0 to {MAX_DAILY}, or leave it empty."
TOO_LONG = "%(limit_value)d characters at most; these are %(show_value)d."
TYPED = "revoke all"
NOT_TYPED = f"Type “{TYPED}” to go on."
TYPED_STOP = "stop all"
NOT_TYPED_STOP = f"Type “{TYPED_STOP}” to go on."
# Where the serializer's complaints are shown.
FIELD_OF = {
    "name": "name",
    "access": "access",
    "entities": "access",
    "expires_at": "expires",
    "expires_in_days": "expires",
}


def new_ticket(owner: Any) -> str:
    """The id of a token to be; sent twice (a reload), it can't make two."""
    return signing.dumps([str(owner.pk), str(uuid4())], salt=TICKET_SALT)


def name_field() -> forms.CharField:
    return forms.CharField(
        max_length=255,
        label="Name",
        help_text="What is it for? “Claude on my laptop”.",
        error_messages={
            "required": "Give it a name that says what it is for.",
            "max_length": TOO_LONG,
        },
    )


def note_field() -> forms.CharField:
    return forms.CharField(
        required=False,
        max_length=NOTE_LENGTH,
        validators=[validate_note],
        label="Note",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="For you: where it is stored, who asked for it.",
        error_messages={"max_length": TOO_LONG},
    )


class EditForm(forms.Form):
    """What may change of a token that exists."""

    name = name_field()
    note = note_field()

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        validate_name(name)
        return name


class RotateForm(forms.Form):
    OVERLAPS = (
        ("0", "At once"),
        ("1", "In an hour"),
        ("24", "In 24 hours"),
        ("168", "In a week"),
    )
    overlap = forms.ChoiceField(
        label="The old secret ends", choices=OVERLAPS, initial="24", error_messages=NOT_OFFERED
    )


class RevokeAllForm(forms.Form):
    """Typed, because nothing brings the tokens of a whole organisation back."""

    typed = forms.CharField(
        label="Type “revoke all”",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": NOT_TYPED},
    )

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if typed.strip().lower() != TYPED:
            raise forms.ValidationError(NOT_TYPED)
        return typed


class StopForm(forms.Form):
    reason = forms.CharField(
        max_length=255,
        label="Reason",
        help_text="It is shown to everybody who is stopped, and to their assistants.",
        error_messages={"required": "Say why: people will ask.", "max_length": TOO_LONG},
    )
    typed = forms.CharField(
        label=f"Type “{TYPED_STOP}”",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": NOT_TYPED_STOP},
    )

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"]
        validate_reason(reason)
        return reason

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if typed.strip().lower() != TYPED_STOP:
            raise forms.ValidationError(NOT_TYPED_STOP)
        return typed


class TokenForm(forms.Form):
    name = name_field()
    note = note_field()
    access = forms.ChoiceField(
        label="Access",
        choices=list(presets.ACCESS.items()),
        initial="read_only",
        widget=forms.RadioSelect,
        error_messages=NOT_OFFERED,
    )
    expires = forms.ChoiceField(label="Expires", error_messages=NOT_OFFERED)
    expires_on = forms.DateField(
        required=False,
        label="Date",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": CHOOSE_DATE},
    )
    ticket = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, owner: Any, policy: Policy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner, self.policy = owner, policy
        expires = cast(forms.ChoiceField, self.fields["expires"])
        expires.choices = _expiry_choices(policy)
        expires.initial = str(min(90, policy.max_lifetime_days or 90))
        self.fields["ticket"].initial = new_ticket(owner)
        self.entities = presets.entities()
        for name, label in self.entities.items():
            self.fields[f"entity-{name}"] = forms.ChoiceField(
                choices=list(presets.ENTITY_ACCESS.items()), required=False, label=label
            )

    @property
    def entity_fields(self) -> list[forms.BoundField]:
        return [self[f"entity-{name}"] for name in self.entities]

    @property
    def access_choices(self) -> list[Choice]:
        cut = {"read_write": READS_ONLY, "entities": READS_ONLY}
        is_cut = self.policy.agents == Policy.Agents.READ_ONLY
        return explained(self["access"], presets.EXPLAINED, cut if is_cut else {})

    def clean_ticket(self) -> UUID:
        ticket = self.cleaned_data["ticket"]
        try:
            owner, token = signing.loads(ticket, salt=TICKET_SALT, max_age=TICKET_LIFETIME)
        except signing.BadSignature:
            owner, token = None, ""
        if owner != str(self.owner.pk):
            raise forms.ValidationError("This form has expired. Reload the page and try again.")
        return UUID(token)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        is_dated = given.get("expires") == ON_DATE and "expires_on" not in self.errors
        if is_dated and not given.get("expires_on"):
            self.add_error("expires_on", CHOOSE_DATE)
        if self.errors:
            return given
        context = {"org": self.owner.org, "policy": self.policy}
        serializer = NewTokenSerializer(data=self._request(given), context=context)
        if serializer.is_valid():
            return {**serializer.validated_data, "id": given["ticket"], "note": given["note"]}
        fields = {**FIELD_OF, "expires_at": "expires_on" if given["expires_on"] else "expires"}
        for field, messages in serializer.errors.items():
            self.add_error(fields.get(field), [str(message) for message in messages])
        return given

    def _request(self, given: dict[str, Any]) -> dict[str, Any]:
        """What the REST endpoint would have been asked."""
        request = {"name": given["name"], "access": given["access"]}
        if given["access"] == "entities":
            chosen = {name: given[f"entity-{name}"] or "none" for name in self.entities}
            request["entities"] = chosen
        if given["expires"] == NEVER:
            return {**request, "expires_at": None}
        if given["expires"] == ON_DATE:
            return {**request, "expires_at": given["expires_on"].isoformat()}
        return {**request, "expires_in_days": given["expires"]}


def _expiry_choices(policy: Policy) -> list[tuple[str, str]]:
    limit = policy.max_lifetime_days
    days = [each for each in DAYS if limit is None or each <= limit]
    if limit and limit not in days:
        days.append(limit)
    choices = [(str(each), _in_days(each)) for each in days]
    choices.append((ON_DATE, "on a date"))
    return choices if limit else [*choices, (NEVER, "never")]


def _in_days(days: int) -> str:
    """With the day that it comes to, in the time zone of the page."""
    day = localtime(now() + timedelta(days=days))
    return f"in {days} days ({date_format(day, 'j M Y')})" if days > 1 else "in a day"


def explained(
    field: forms.BoundField, meanings: Mapping[str, str], effects: Mapping[str, str]
) -> list[Choice]:
    """Each radio button of the field, what it means, and what choosing it would change now."""
    values = [str(radio.data["value"]) for radio in field.subwidgets]
    return [
        (radio, meanings.get(value, ""), effects.get(value, ""))
        for radio, value in zip(field.subwidgets, values, strict=True)
    ]


CHANGED_MEANWHILE = "The policy was changed meanwhile. Open this page anew, and look again."


class HostsField(forms.CharField):
    """Host names, one a line, as the list that is stored."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        try:
            return host_names(super().clean(value).split())
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class PolicyForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    # Of when the page was made: a form that was open for long would take back what others changed.
    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    client_hosts = HostsField(
        required=False,
        label="Hosts whose clients may connect",
        help_text="One a line, for example claude.ai. Used with “Clients of the hosts below”.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seen"].initial = self._version
        for name in self.Meta.field_classes:
            said = DAYS_OF_POLICY if name.endswith("_days") else NUMBER_OF_POLICY
            self.fields[name].error_messages |= dict.fromkeys(
                ("invalid", "min_value", "max_value"), said
            )
        for kind, limit in limits_under({}).items():
            self.fields[f"max_{kind}"].help_text = f"Empty for {limit}."
        for name in self.Meta.widgets:
            self.fields[name].error_messages |= NOT_OFFERED

    @property
    def _version(self) -> str:
        return self.instance.updated_at.isoformat() if self.instance.updated_at else "none"

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for kind in KINDS:
            if fault := ceiling_fault(kind, given.get(f"max_{kind}")):
                self.add_error(f"max_{kind}", fault)
        return given

    def clean_seen(self) -> str:
        seen: str = self.cleaned_data["seen"]
        if seen and seen != self._version:
            raise forms.ValidationError(CHANGED_MEANWHILE)
        return seen

    @property
    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

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
        )
        field_classes = {
            "max_writes": WholeNumberFormField,
            "max_deletes": WholeNumberFormField,
            "max_mails": WholeNumberFormField,
            "max_lifetime_days": WholeNumberFormField,
            "max_connection_days": WholeNumberFormField,
        }
        widgets = {
            "agents": forms.RadioSelect,
            "confirmation": forms.RadioSelect,
            "clients": forms.RadioSelect,
            "default_access": forms.RadioSelect,
        }
        labels = {
            "agents": "What may tokens do?",
            "max_lifetime_days": "Longest life of a token, in days",
            "confirmation": "What is asked before something that can't be taken back?",
            "max_writes": "Writes",
            "max_deletes": "Deletes",
            "max_mails": "E-mails to people outside",
            "clients": "Which clients may connect by signing a person in?",
            "max_connection_days": "Longest connection, in days",
            "default_access": "What is chosen beforehand when a client connects?",
        }
        help_texts = {
            "max_lifetime_days": "Empty for no limit. Tokens already older than this end at once.",
            "max_connection_days": "Empty for as long as a token. Connections that are older "
            "already end at once.",
        }
