"""App configuration: registers the system checks."""

from django.apps import AppConfig


class PatTokensConfig(AppConfig):
    name = "pat_tokens"
    verbose_name = "Personal access tokens"

    def ready(self) -> None:
        from pat_tokens import checks  # noqa: F401  (registers them)
