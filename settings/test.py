"""Test settings."""

import os

from settings.base import *  # noqa: F403
from settings.base import BOTTLECRM_MCP, DATABASES, INSTALLED_APPS

SECRET_KEY = "only-for-tests-and-type-checks-0123456789abcdef"
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Two runs in one checkout do not drop each other's database.
DATABASES["default"]["TEST"] = {"NAME": f"test_crm_{os.getpid()}"}
# A host with a table of tokens of its own and with all kinds of record, as BottleCRM has them.
INSTALLED_APPS = [*INSTALLED_APPS, "tests.host_tokens", "tests.whole_crm"]
PAT_TOKENS_LOCAL_PACKAGE = "bcrm-mcp"
PAT_TOKENS_HOST_MODEL = "host_tokens.HostToken"
ROOT_URLCONF = "tests.whole_crm.urls"
BOTTLECRM_MCP = {**BOTTLECRM_MCP, "CATALOGUE": "tests.whole_crm.catalogue.CATALOGUE"}
