"""The consent form of this app's own page."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms

from pat_tokens.models import AuthorizationRequest, Policy
from pat_tokens.oauth.connections import earlier_connection
from pat_tokens.oauth.consent import Switched
from pat_tokens.oauth.offer import offer
from pat_tokens.services import presets


class ConsentForm(forms.Form):
    """`owner` is for whom the page was made: another tab may have switched the organisation."""

    access = forms.ChoiceField(widget=forms.RadioSelect, label="Access")
    days = forms.TypedChoiceField(coerce=int, label="For how long")
    replaces = forms.BooleanField(required=False)
    owner = forms.CharField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, owner: Any, request: AuthorizationRequest, policy: Policy, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.person = owner
        offered = offer(request, policy, earlier_connection(owner, request.client_id))
        self.may_already = offered.may_already
        self.can_replace = offered.default_replaces is not None
        self.fields["replaces"].initial = bool(offered.default_replaces)
        self._offer("access", offered.access, offered.default_access)
        self._offer("days", offered.days, offered.default_days)
        self.fields["owner"].initial = str(owner.pk)
        self.entities = offered.entities
        for name, label in self.entities.items():
            self.fields[f"entity-{name}"] = forms.ChoiceField(
                choices=list(offered.entity_access.items()),
                initial=offered.default_entities.get(name),
                required=False,
                label=label,
            )

    def _offer(self, name: str, choices: Mapping[Any, str], default: Any) -> None:
        field = cast(forms.ChoiceField, self.fields[name])
        field.choices, field.initial = list(choices.items()), default

    @property
    def entity_fields(self) -> list[forms.BoundField]:
        return [self[f"entity-{name}"] for name in self.entities]

    def clean_owner(self) -> str:
        given: str = self.cleaned_data["owner"]
        if given != str(self.person.pk):
            # The page shows again what is true now, for another decision.
            self.data = {**self.data.dict(), "owner": str(self.person.pk)}  # type: ignore[attr-defined]
            raise forms.ValidationError(str(Switched()))
        return given

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "access" in given:
            chosen = {name: given.get(f"entity-{name}") or "none" for name in self.entities}
            try:
                given["scopes"] = presets.scopes_for(given["access"], chosen)
            except ValueError as error:
                self.add_error("access", str(error))
        return given
