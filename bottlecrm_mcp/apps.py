"""App configuration: registers the system checks and installs the gateway's hooks."""

from django.apps import AppConfig, apps

SKILLS_NOTE = "Eight ways of working with this CRM, for a client that takes skills as folders."


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
            unread_totals,
        )
        from bottlecrm_mcp.hosted import audit

        queryset_capture.install()
        celery_on_commit.install()
        created_records.install()
        deletion_trial.install()
        unread_totals.install()
        audit.install()
        if apps.is_installed("pat_tokens"):
            from bottlecrm_mcp.protocol.metadata import SKILLS_PATH
            from pat_tokens.mcp_endpoint import offer_download

            offer_download(SKILLS_PATH, "Skills (ZIP)", SKILLS_NOTE)
