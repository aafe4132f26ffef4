"""The consent form: what a person may choose of what a client asks for."""

from typing import Any, cast

from django import forms

from pat_tokens.models import AuthorizationRequest, Policy
from pat_tokens.oauth.consent import USUAL_DAYS, days_offered
from pat_tokens.services import presets

SWITCHED = "You are signed in as somebody else now. Look again at who connects to what."


class ConsentForm(forms.Form):
    """`owner` is for whom the page was made: another tab may have switched the organisation."""

    access = forms.ChoiceField(widget=forms.RadioSelect, label="Access")
    days = forms.TypedChoiceField(coerce=int, label="For how long")
    owner = forms.CharField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, owner: Any, request: AuthorizationRequest, policy: Policy, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.person = owner
        access = cast(forms.ChoiceField, self.fields["access"])
        access.choices = _access_choices(request, policy)
        offered = [name for name, _ in access.choices]
        access.initial = policy.default_access if policy.default_access in offered else offered[0]
        days = cast(forms.ChoiceField, self.fields["days"])
        lengths = days_offered(policy)
        days.choices = [(each, f"{each} days" if each > 1 else "A day") for each in lengths]
        days.initial = USUAL_DAYS if USUAL_DAYS in lengths else lengths[-1]
        self.fields["owner"].initial = str(owner.pk)
        self.entities = presets.entities()
        for name, label in self.entities.items():
            self.fields[f"entity-{name}"] = forms.ChoiceField(
                choices=_entity_choices(request, policy), required=False, label=label
            )

    @property
    def entity_fields(self) -> list[forms.BoundField]:
        return [self[f"entity-{name}"] for name in self.entities]

    def clean_owner(self) -> str:
        given: str = self.cleaned_data["owner"]
        if given != str(self.person.pk):
            # The page shows again what is true now, for another decision.
            self.data = {**self.data.dict(), "owner": str(self.person.pk)}  # type: ignore[attr-defined]
            raise forms.ValidationError(SWITCHED)
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


def may_write(request: AuthorizationRequest, policy: Policy) -> bool:
    asks = any(each.endswith(":write") for each in request.scopes)
    return asks and policy.agents == Policy.Agents.ON


def _access_choices(request: AuthorizationRequest, policy: Policy) -> list[tuple[str, str]]:
    hidden = () if may_write(request, policy) else ("read_write",)
    return [(name, label) for name, label in presets.ACCESS.items() if name not in hidden]


def _entity_choices(request: AuthorizationRequest, policy: Policy) -> list[tuple[str, str]]:
    hidden = () if may_write(request, policy) else ("write",)
    return [(name, label) for name, label in presets.ENTITY_ACCESS.items() if name not in hidden]
