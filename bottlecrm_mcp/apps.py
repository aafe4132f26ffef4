from django.apps import AppConfig


class BottleCrmMcpConfig(AppConfig):
    name = "bottlecrm_mcp"
    verbose_name = "BottleCRM MCP server"

    def ready(self) -> None:
        from bottlecrm_mcp import checks  # noqa: F401 (registers the system checks)
        from bottlecrm_mcp.gateway import authorised, background, created

        authorised.install()
        background.install()
        created.install()
