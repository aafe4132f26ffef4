"""System check: the database role must be one that row-level security binds."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from settings.database import UNSAFE_ROLE


@register(Tags.database)
def role_is_bound_by_row_level_security(
    *, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    errors: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles"
                " WHERE rolname = current_user"
            )
            role, unsafe = cursor.fetchone()
        if unsafe:
            errors.append(Error(UNSAFE_ROLE.format(role=role), id="demo_crm.E001"))
    return errors
