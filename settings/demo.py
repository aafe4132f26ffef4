"""Demo settings: a secret key of its own, a page to start with, and mail that is printed."""

import os
from pathlib import Path

from settings.base import *  # noqa: F403
from settings.postgres import private_file

DEMO_DIR = Path(os.environ.get("DEMO_DIR", ".demo"))
SECRET_KEY = private_file(DEMO_DIR / "secret-key")
ROOT_URLCONF = "settings.demo_urls"
PAT_TOKENS_HOME_URL = "/"
# Nobody is mailed by a demo: messages are printed where it runs.
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
