"""The settings of this app, checked when they are read."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class TokenSettings:
    @property
    def owner_model(self) -> str:
        """The model that tokens act as: one person in one organisation."""
        label = getattr(settings, "PAT_TOKENS_OWNER_MODEL", None)
        if not isinstance(label, str) or label.count(".") != 1:
            raise ImproperlyConfigured(
                "Set PAT_TOKENS_OWNER_MODEL to the model that owns tokens, as "
                f'"app_label.Model", for example "common.Profile"; it is {label!r}.'
            )
        return label


token_settings = TokenSettings()
