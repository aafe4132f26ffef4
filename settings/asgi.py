"""ASGI application of the demo, with /mcp in front."""

import os

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.demo")
# A demo has no web server in front of it that would serve the style sheets.
django_application = ASGIStaticFilesHandler(get_asgi_application())

from bottlecrm_mcp.asgi import with_mcp  # noqa: E402  (needs the apps to be loaded)

application = with_mcp(django_application)
