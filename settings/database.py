"""Database settings: the DATABASES entry for a URL, and whether its role is bound by RLS."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg

UNSAFE_ROLE = (
    "The database role {role!r} bypasses row-level security (superuser or BYPASSRLS), so one "
    "organisation could read another's records. Use an ordinary role."
)


def database(url: str, *, max_connections: int = 20) -> dict[str, Any]:
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    pool = {"min_size": 1, "max_size": max_connections, "timeout": 10, "reset": forget_org}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": query.pop("port", str(parts.port or "")),
        "CONN_MAX_AGE": 0,
        "OPTIONS": {**query, "pool": pool},
    }


def forget_org(connection: psycopg.Connection[Any]) -> None:
    """No tenant outlives its request: a pooled connection goes back without one."""
    connection.execute("SELECT set_config('app.current_org', '', false)")
    connection.commit()


def unsafe_role(url: str) -> str | None:
    """The message to stop with when the role of this URL is not bound by row-level security."""
    with psycopg.connect(url) as connection:
        [(role, unsafe)] = connection.execute(
            "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        ).fetchall()
    return UNSAFE_ROLE.format(role=role) if unsafe else None
