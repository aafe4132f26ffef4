"""App configuration: registers the system check."""

from django.apps import AppConfig


class DemoCrmConfig(AppConfig):
    name = "demo_crm"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from demo_crm import checks  # noqa: F401  (registers them)
