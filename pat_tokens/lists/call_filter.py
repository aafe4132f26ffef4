"""The parameters of the call log, of the REST endpoints and of the pages alike."""

from typing import Any

from django import forms

from pat_tokens.lists.filters import EventFilter, choice
from pat_tokens.models import Call

LOOKUPS = {"client": "client", "tool": "tool", "record": "record_id", "outcome": "outcome"}


class CallFilter(EventFilter):
    """`client` and `tool` are whole names, `record` is the id of a record."""

    kind = None  # type: ignore[assignment]  # Django's way to leave a field out
    client = forms.CharField(
        required=False, max_length=100, label="Client", help_text="Its name, without a version."
    )
    tool = forms.CharField(
        required=False, max_length=50, label="Tool", help_text="For example crm_update."
    )
    record = forms.CharField(required=False, max_length=64, label="Record's id")
    outcome = choice("Outcome", (("", "Any"), *Call.Outcome.choices))

    field_order = (
        "person",
        "token",
        "client",
        "tool",
        "entity",
        "record",
        "outcome",
        "from",
        "to",
    )

    @property
    def wanted(self) -> dict[str, Any]:
        """The conditions on `Call`."""
        given = {lookup: self.cleaned_data[name] for name, lookup in LOOKUPS.items()}
        return {**super().wanted, **{lookup: value for lookup, value in given.items() if value}}


class OwnCallFilter(CallFilter):
    """The same of a person's own calls."""

    person = None  # type: ignore[assignment]

    def __init__(self, *args: Any, owner: Any, **kwargs: Any) -> None:
        super().__init__(*args, org=owner.org, **kwargs)
        self.owner = owner

    @property
    def wanted(self) -> dict[str, Any]:
        return {**super().wanted, "actor_id": str(self.owner.pk)}
