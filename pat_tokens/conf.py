"""Settings of this app, checked when they are read."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

# BottleCRM's own table of tokens.
HOST_MODEL = "common.PersonalAccessToken"
# By BottleCRM's endpoints.
SIGN_IN = "pat_tokens.sign_in.email_code.EmailCode"
ENTITIES = {
    "leads": "Leads",
    "contacts": "Contacts",
    "accounts": "Accounts",
    "opportunities": "Opportunities",
    "tasks": "Tasks",
    "cases": "Cases and solutions",
    "invoices": "Invoices",
}

# Of one token in a day; `mails` are those to people outside the organisation.
DAILY_LIMITS = {"writes": 500, "deletes": 50, "mails": 50}

# Besides https and http to the same computer: apps of the desktop that are called by a scheme.
REDIRECT_SCHEMES = ("cursor", "vscode", "vscode-insiders", "windsurf", "zed")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class TokenSettings:
    @property
    def owner_model(self) -> str:
        """The model that tokens act as: one person in one organisation."""
        label = getattr(settings, "PAT_TOKENS_OWNER_MODEL", None)
        if not isinstance(label, str) or label.count(".") != 1:
            raise ImproperlyConfigured(
                "Set PAT_TOKENS_OWNER_MODEL to the model that owns tokens, as "
                f'"app_label.Model", for example "common.Profile"; it is {label!r}.'
            )
        return label

    @property
    def host_model(self) -> str:
        """The host's own table of tokens; ignored where no such model is installed."""
        return str(getattr(settings, "PAT_TOKENS_HOST_MODEL", HOST_MODEL))

    @property
    def is_admin(self) -> Callable[[Any], bool]:
        """Whether an owner administers its organisation; by default, whether its role is ADMIN."""
        path = getattr(settings, "PAT_TOKENS_IS_ADMIN", None)
        return cast(Callable[[Any], bool], import_string(path)) if path else has_admin_role

    @property
    def sign_in(self) -> Callable[[], Any]:
        """How people sign in to the pages: a subclass of `sign_in.base.SignIn`."""
        path = getattr(settings, "PAT_TOKENS_SIGN_IN", SIGN_IN)
        return cast(Callable[[], Any], import_string(path))

    @property
    def entities(self) -> dict[str, str]:
        """What the preset "chosen records" offers: API root and its name."""
        return dict(getattr(settings, "PAT_TOKENS_ENTITIES", ENTITIES))

    @property
    def mcp_url(self) -> str | None:
        """Where /mcp is, when it is not on the host that serves the page."""
        return getattr(settings, "PAT_TOKENS_MCP_URL", None)

    @property
    def home_url(self) -> str:
        """Where "CRM" at the top of the pages leads to; by default BottleCRM's web application."""
        default = getattr(settings, "FRONTEND_URL", "")
        return str(getattr(settings, "PAT_TOKENS_HOME_URL", default) or "")

    @property
    def issuer(self) -> str:
        """The public origin of this host, by which clients know it; empty: no OAuth."""
        issuer = str(getattr(settings, "PAT_TOKENS_ISSUER", "") or "")
        parts = urlsplit(issuer)
        if issuer and (not _is_secure(parts) or issuer != f"{parts.scheme}://{parts.netloc}"):
            raise ImproperlyConfigured(
                "PAT_TOKENS_ISSUER must be an https origin without a path or a slash at the end, "
                f'for example "https://crm.example.com"; it is {issuer!r}.'
            )
        return issuer

    @property
    def resource(self) -> str:
        """What access tokens of connections are good for."""
        return f"{self.issuer}/mcp"

    @property
    def consent_url(self) -> str | None:
        """The consent page of a front end of its own; by default this app's page is used."""
        url = str(getattr(settings, "PAT_TOKENS_CONSENT_URL", "") or "")
        parts = urlsplit(url)
        if url and (not _is_secure(parts) or parts.query or parts.fragment):
            raise ImproperlyConfigured(
                "PAT_TOKENS_CONSENT_URL must be an https address without a query, "
                f'for example "https://app.example.com/connect"; it is {url!r}.'
            )
        return url or None

    @property
    def oauth_clients(self) -> Mapping[str, Mapping[str, Any]]:
        """Clients that the operator registered: by id, their `name` and `redirect_uris`."""
        return cast(Mapping[str, Any], getattr(settings, "PAT_TOKENS_OAUTH_CLIENTS", {}))

    @property
    def redirect_schemes(self) -> tuple[str, ...]:
        """The schemes of apps that a client may be redirected to."""
        return tuple(getattr(settings, "PAT_TOKENS_REDIRECT_SCHEMES", REDIRECT_SCHEMES))

    @property
    def server_name(self) -> str:
        """What clients call this CRM in their configuration."""
        return str(getattr(settings, "PAT_TOKENS_SERVER_NAME", "bottlecrm"))

    @property
    def local_package(self) -> str:
        """Where `uvx --from` gets `bcrm-mcp`: a requirement, a URL, a path; empty: not offered."""
        return str(getattr(settings, "PAT_TOKENS_LOCAL_PACKAGE", "") or "")

    @property
    def max_live(self) -> int:
        """How many live tokens a person may have, and how many live connections."""
        return _whole_number("PAT_TOKENS_MAX_LIVE", default=100, least=1, most=100_000)

    @property
    def event_retention(self) -> timedelta:
        """How long entries of the event log are kept where `pat_prune` is run."""
        return _days("PAT_TOKENS_EVENT_RETENTION_DAYS", 365)

    @property
    def daily_limits(self) -> dict[str, int]:
        """What one token may do in a day where its organisation has chosen nothing else."""
        return DAILY_LIMITS | _limits("PAT_TOKENS_DAILY_LIMITS")

    @property
    def daily_ceilings(self) -> dict[str, int]:
        """What no organisation can choose more than."""
        return _limits("PAT_TOKENS_DAILY_CEILINGS")

    @property
    def read_retention(self) -> timedelta:
        """How long calls of tools that only read are kept where `pat_prune` is run."""
        return _days("PAT_TOKENS_READ_RETENTION_DAYS", 90)

    @property
    def write_retention(self) -> timedelta:
        """How long calls of tools that can write are kept where `pat_prune` is run."""
        return _days("PAT_TOKENS_WRITE_RETENTION_DAYS", 400)


def _is_secure(parts: SplitResult) -> bool:
    if parts.scheme == "http":
        return parts.hostname in LOOPBACK
    return parts.scheme == "https" and bool(parts.hostname)


def _limits(name: str) -> dict[str, int]:
    limits = getattr(settings, name, {})
    is_fine = isinstance(limits, Mapping) and all(
        kind in DAILY_LIMITS and type(limit) is int and limit >= 0 for kind, limit in limits.items()
    )
    if not is_fine:
        raise ImproperlyConfigured(
            f"{name} must map {', '.join(DAILY_LIMITS)} to numbers from 0 on; it is {limits!r}."
        )
    return dict(limits)


def _days(name: str, default: int) -> timedelta:
    # The database removes nothing within its first 30 days.
    return timedelta(days=_whole_number(name, default=default, least=30, most=36_500))


def _whole_number(name: str, *, default: int, least: int, most: int) -> int:
    value = getattr(settings, name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ImproperlyConfigured(
            f"{name} must be an integer from {least} to {most}; it is {value!r}."
        )
    return value


def has_admin_role(owner: Any) -> bool:
    return getattr(owner, "role", None) == "ADMIN"


token_settings = TokenSettings()
