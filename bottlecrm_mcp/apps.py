"""App configuration: registers the system checks and installs the gateway's hooks."""

from django.apps import AppConfig


class BottleCrmMcpConfig(AppConfig):
    name = "bottlecrm_mcp"
    verbose_name = "BottleCRM MCP server"

    def ready(self) -> None:
        from bottlecrm_mcp import checks  # noqa: F401 (registers the system checks)
        from bottlecrm_mcp.gateway.in_process.hooks import (
            celery_on_commit,
            created_records,
            deletion_trial,
            queryset_capture,
        )
        from bottlecrm_mcp.hosted import audit

        queryset_capture.install()
        celery_on_commit.install()
        created_records.install()
        deletion_trial.install()
        audit.install()
