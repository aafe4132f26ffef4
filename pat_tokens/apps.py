from django.apps import AppConfig
from django.core.checks import register


class PatTokensConfig(AppConfig):
    name = "pat_tokens"
    verbose_name = "Personal access tokens"

    def ready(self) -> None:
        from pat_tokens import checks

        register(checks.check_owner_model)
        register(checks.check_middleware)
