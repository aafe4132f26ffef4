import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.demo")
django_application = get_asgi_application()

from bottlecrm_mcp.asgi import with_mcp  # noqa: E402  (needs the apps to be loaded)

application = with_mcp(django_application)
