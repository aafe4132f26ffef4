"""Organisations for tasks, with people and tokens, made inside a host's Django.

It knows no host by name, only what the token app knows of each: owners, their users and their
organisations. The runner also sends this file to another host's shell, so it imports nothing of
the tests.
"""

import os
import uuid
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connection

from bottlecrm_mcp.conf import mcp_settings
from pat_tokens.host.owners import owner_model
from pat_tokens.models import Token
from pat_tokens.rls import in_organisation
from pat_tokens.services.policy import change_policy

PEOPLE = {
    "avery": ("Avery Stone", "ADMIN"),
    "sam": ("Sam Ortiz", "USER"),
    "kim": ("Kim Larsen", "USER"),
    "lee": ("Lee Novak", "USER"),
}
# What people write on records is no entity of its own.
NOTES = {"comments": "Comment"}


def make_worlds(wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each wanted `{"who", "scopes"}` an organisation and another one with the same names.

    `token` is that of `who` with the scopes; `people` have tokens that may do everything.
    `"limits"` are those of the organisation for each token and day, such as `{"deletes": 2}`.
    """
    return [_world(**each) for each in wanted]


def _world(who: str, scopes: list[str], limits: dict[str, int]) -> dict[str, Any]:
    mark = uuid.uuid4().hex[:8]
    ours = _organisation(f"Bluebird {mark}", f"{mark}.bluebird.example")
    other = _organisation(f"Redstart {mark}", f"{mark}.redstart.example")
    profiles = ours.pop("profiles")
    owner = profiles[who]
    if limits:
        change_policy(profiles["avery"], **{f"max_{kind}": most for kind, most in limits.items()})
    other.pop("profiles")
    return {**ours, "who": who, "token": _token(owner, scopes), "other": other}


def _organisation(name: str, domain: str) -> dict[str, Any]:
    org_model: Any = owner_model()._meta.get_field("org").related_model
    org = org_model._base_manager.create(name=name)
    people, profiles = {}, {}
    for key, (full_name, role) in PEOPLE.items():
        user = get_user_model()(email=f"{key}@{domain}", name=full_name)
        user.set_unusable_password()
        user.save()
        profile: Any = owner_model()._base_manager.create(user=user, org=org, role=role)
        profiles[key] = profile
        people[key] = {
            "profile": str(profile.pk),
            "name": full_name,
            "email": user.email,
            "token": _token(profile, []),
        }
    return {"org": str(org.pk), "domain": domain, "people": people, "profiles": profiles}


def _token(owner: Any, scopes: list[str]) -> str:
    with in_organisation(owner.org_id):
        _, secret = Token.create(owner=owner, name="evals", scopes=scopes)
    return secret


def tables() -> dict[str, str]:
    """The table of each entity, of its comments, and of the people."""
    catalogue = mcp_settings().catalogue
    found = {entity.name: apps.get_model(entity.model) for entity in catalogue.entities}
    home = found["tags"]._meta.app_label
    found |= {name: apps.get_model(home, model) for name, model in NOTES.items()}
    return {name: model._meta.db_table for name, model in found.items()}


def database() -> str:
    """How to reach the host's database, in libpq's words."""
    given = connection.settings_dict
    named = {
        "dbname": given["NAME"],
        "user": given["USER"],
        "password": given["PASSWORD"],
        "host": given["HOST"],
        "port": given["PORT"],
    }
    return " ".join(f"{key}='{value}'" for key, value in named.items() if value)


def described(wanted: list[dict[str, Any]]) -> dict[str, Any]:
    """All that a runner outside of this process needs."""
    made = {"worlds": make_worlds(wanted), "tables": tables(), "database": database()}
    getattr(connection, "close_pool", bool)()
    return made | {"pid": os.getpid()}
