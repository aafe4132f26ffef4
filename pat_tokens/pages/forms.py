"""Forms of the pages. What a token may be is decided by the REST serializers alone."""

from typing import Any, cast
from uuid import UUID, uuid4

from django import forms
from django.core import signing

from pat_tokens.api.serializers import NewTokenSerializer
from pat_tokens.http.plain_values import WholeNumberFormField
from pat_tokens.models import Policy
from pat_tokens.services import presets
from pat_tokens.services.client_policy import host_names

DAYS = (30, 90, 365)
ON_DATE, NEVER = "date", "never"
TICKET_SALT = "pat_tokens.new_token"
TICKET_LIFETIME = 86_400
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


class TokenForm(forms.Form):
    name = forms.CharField(
        max_length=255, label="Name", help_text="What is it for? “Claude on my laptop”."
    )
    access = forms.ChoiceField(
        choices=list(presets.ACCESS.items()), initial="read_only", widget=forms.RadioSelect
    )
    expires = forms.ChoiceField(label="Expires")
    expires_on = forms.DateField(
        required=False, label="Date", widget=forms.DateInput(attrs={"type": "date"})
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
        if self.errors:
            return given
        context = {"org": self.owner.org, "policy": self.policy}
        serializer = NewTokenSerializer(data=self._request(given), context=context)
        if serializer.is_valid():
            return {**serializer.validated_data, "id": given["ticket"]}
        for field, messages in serializer.errors.items():
            self.add_error(FIELD_OF.get(field), [str(message) for message in messages])
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
            # The serializer says what is wrong with an empty one.
            day = given["expires_on"]
            return {**request, "expires_at": day.isoformat() if day else ""}
        return {**request, "expires_in_days": given["expires"]}


def _expiry_choices(policy: Policy) -> list[tuple[str, str]]:
    limit = policy.max_lifetime_days
    days = [each for each in DAYS if limit is None or each <= limit]
    if limit and limit not in days:
        days.append(limit)
    choices = [(str(each), f"in {each} days" if each > 1 else "in a day") for each in days]
    choices.append((ON_DATE, "on a date"))
    return choices if limit else [*choices, (NEVER, "never")]


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
        help_text="One a line, for example claude.ai. For “Clients of the hosts below”.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seen"].initial = self._version

    @property
    def _version(self) -> str:
        return self.instance.updated_at.isoformat() if self.instance.updated_at else "none"

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
            "clients",
            "client_hosts",
            "max_connection_days",
            "default_access",
        )
        field_classes = {
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
            "agents": "What may agents do?",
            "max_lifetime_days": "Longest life of a token, in days",
            "confirmation": "How is a risky action confirmed?",
            "clients": "Which clients may connect by signing in?",
            "max_connection_days": "Longest connection, in days",
            "default_access": "Which access is chosen beforehand?",
        }
        help_texts = {
            "max_lifetime_days": "Empty for no limit. It reaches the tokens that exist already.",
            "max_connection_days": "Empty for as long as a token. It reaches the connections that "
            "exist already.",
            "confirmation": "A sealed confirmation shows that the agent has seen the preview.",
        }
