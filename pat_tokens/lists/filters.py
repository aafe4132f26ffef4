"""The parameters of the lists, of the REST endpoints and of the pages alike."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError

from pat_tokens.host.owners import email_of, member_by_email, member_id, members_called
from pat_tokens.http.plain_values import WholeNumberFormField
from pat_tokens.lists.listing import ids_called, names_of_id
from pat_tokens.lists.moments import as_moment, zone_of
from pat_tokens.lists.paging import PAGE_SIZE
from pat_tokens.models import Event
from pat_tokens.rls import in_organisation

MOST_TOKENS = 100
NO_TOKEN = "No token and no client has this in its name."
TOO_MANY_TOKENS = (
    f"More than {MOST_TOKENS} tokens and clients have this in their name: write more of it."
)
NOBODY = "Nobody here is called so: write a part of a member's name or e-mail address, or an id."
MOST_NAMED = 5
LOOKUPS = {
    "person": "actor_id",
    "token": "token_id__in",
    "kind": "kind",
    "entity": "entity",
    "from": "created_at__gte",
    "to": "created_at__lte",
}


def choice(label: str, choices: Sequence[tuple[str, str]]) -> forms.ChoiceField:
    """A field that may be left out; `choices` are pairs of value and label."""
    names = ", ".join(name for name, _ in choices if name)
    return forms.ChoiceField(
        required=False,
        label=label,
        choices=choices,
        error_messages={"invalid_choice": f"One of {names}."},
    )


class PageForm(forms.Form):
    """`cursor` is what the page before gave as `next`; `limit` the number of rows."""

    cursor = forms.CharField(required=False, max_length=120, widget=forms.HiddenInput)
    limit = WholeNumberFormField(
        required=False, min_value=1, max_value=PAGE_SIZE, widget=forms.HiddenInput
    )

    @property
    def position(self) -> dict[str, Any]:
        """Where the page begins and how long it is."""
        given = self.cleaned_data
        return {"cursor": given["cursor"], "limit": given["limit"] or PAGE_SIZE}


class FilterForm(PageForm):
    person = forms.CharField(
        required=False,
        max_length=255,
        label="Person",
        help_text="A part of the name or e-mail address.",
    )

    def __init__(self, *args: Any, org: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.org = org

    def clean_person(self) -> Any:
        """The id of the member, who may have left."""
        person = self.cleaned_data["person"]
        if not person:
            return None
        known = member_by_email(self.org.pk, person) if "@" in person else member_id(person)
        if known is not None:
            return known
        found = members_called(self.org.pk, person)
        if not found:
            raise forms.ValidationError(NOBODY)
        if len(found) > 1:
            several = ", ".join(map(email_of, found[:MOST_NAMED]))
            raise forms.ValidationError(f"{len(found)} members are called so: {several}.")
        return found[0].pk


class TokenFilter(FilterForm):
    """`state` is one that the organisation's totals count, or `dead`."""

    STATES = (
        ("", "Any"),
        ("live", "Live"),
        ("orphaned", "Live, owner inactive"),
        ("unused_90d", "Live, unused for 90 days"),
        ("paused", "Paused"),
        ("dead", "Revoked or expired"),
    )
    state = choice("State", STATES)
    search = forms.CharField(required=False, max_length=255, label="Name")

    @property
    def wanted(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("person", "state", "search")}


class OwnFilter(PageForm):
    """The same of a person's own tokens."""

    STATES = (
        ("", "Any"),
        ("live", "Live"),
        ("unused_90d", "Live, unused for 90 days"),
        ("paused", "Paused"),
        ("dead", "Revoked or expired"),
    )
    search = forms.CharField(required=False, max_length=255, label="Name")
    # `state` is what an authorization server sends back, and this page may be where it sends to.
    status = choice("State", STATES)

    @property
    def wanted(self) -> dict[str, Any]:
        return {"state": self.cleaned_data["status"], "search": self.cleaned_data["search"]}


class MomentField(forms.Field):
    """A date or a time in ISO form."""

    widget = forms.DateInput(attrs={"type": "date"})

    def __init__(self, *, zone: tzinfo, at_end: bool, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.zone, self.at_end = zone, at_end

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            return as_moment(value, self.zone, at_end=self.at_end)
        except ValueError:
            raise ValidationError("A date such as 2026-12-31, or a time in ISO form.") from None


class EventFilter(FilterForm):
    """`person` is who did it; `from` and `to` are dates of the organisation, both included."""

    token = forms.CharField(
        required=False, max_length=255, label="Token", help_text="A part of its name."
    )
    kind = choice("What", (("", "Any"), *Event.Kind.choices))
    entity = forms.CharField(
        required=False, max_length=50, label="Kind of record", help_text="For example leads."
    )

    def __init__(self, *args: Any, org: Any, **kwargs: Any) -> None:
        super().__init__(*args, org=org, **kwargs)
        zone = zone_of(org)
        # "from" can't be the name of an attribute.
        self.fields["from"] = MomentField(zone=zone, at_end=False, label="From")
        self.fields["to"] = MomentField(zone=zone, at_end=True, label="To")

    def clean_token(self) -> list[UUID] | None:
        """The ids of those that are meant: by an id, a part of the name, or the beginning."""
        token = self.cleaned_data["token"].strip()
        if not token:
            return None
        try:
            return [UUID(token)]
        except ValueError:
            found = self._called(token, MOST_TOKENS + 1)
        if not found:
            raise forms.ValidationError(NO_TOKEN)
        if len(found) > MOST_TOKENS:
            raise forms.ValidationError(TOO_MANY_TOKENS)
        return found

    def name_token(self) -> None:
        """Show what the token is called, where its name means no other, in the place of its id."""
        ids = self.cleaned_data["token"]
        if not ids or self.data["token"].strip() != str(ids[0]):
            return
        with in_organisation(self.org.pk):
            names = names_of_id(self.org.pk, ids[0])
        if name := next((each for each in names if self._called(each, 2) == ids), None):
            self.data = {key: self.data.get(key) for key in self.data} | {"token": name}

    def _called(self, name: str, most: int) -> list[UUID]:
        with in_organisation(self.org.pk):
            return ids_called(self.org.pk, name, most)

    @property
    def wanted(self) -> dict[str, Any]:
        """The conditions on `Event`."""
        given = ((lookup, self.cleaned_data.get(name)) for name, lookup in LOOKUPS.items())
        return {lookup: value for lookup, value in given if value not in (None, "")}
