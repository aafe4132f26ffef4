"""Host under test: what its database says of connections, and what is changed there by hand."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

EVERY_ORGANISATION = """
import json
from datetime import timedelta
from django.db import connection as database
from django.utils import timezone
from pat_tokens.models import Connection, Token
from pat_tokens.host.owners import organisations
from pat_tokens.rls import in_organisation
found = []
for org in organisations():
    with in_organisation(org.pk):
        {statement}
        for each in Connection.objects.redeemed().order_by("created_at"):
            found.append({{"id": str(each.pk), "name": each.client_name, "host": each.client_host,
                "refreshed": each.refresh_tokens.count() - 1, "status": each.status}})
print(json.dumps(found))
getattr(database, "close_pool", bool)()
"""
EXPIRE = (
    "Token.objects.filter(connection__isnull=False)"
    ".update(expires_at=timezone.now() - timedelta(seconds=1))"
)


@dataclass(frozen=True)
class Host:
    """`manage` is the command that runs its manage.py."""

    url: str
    manage: Sequence[str]
    env: Mapping[str, str]
    cwd: Path

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def authorize(self) -> str:
        return f"{self.origin}/oauth/authorize"

    def new_lead(self, token: str) -> str:
        data = {"title": "To delete", "last_name": "Lee"}
        return str(self._call(token, "crm_create", entity="leads", data=data)["id"])

    def has_lead(self, token: str, lead: str) -> bool:
        return "record" in self._call(token, "crm_get", entity="leads", id=lead)

    def _call(self, token: str, tool: str, **arguments: Any) -> dict[str, Any]:
        params = {"name": tool, "arguments": arguments}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        answer = httpx2.post(self.url, json=body, headers=headers, timeout=60).json()
        result: dict[str, Any] = json.loads(answer["result"]["content"][0]["text"])
        return result

    def connections(self) -> list[dict[str, Any]]:
        """Of all organisations, the oldest first."""
        return self._shell("pass")

    def expire(self) -> list[dict[str, Any]]:
        """Let the time of every access token of a connection be over."""
        return self._shell(EXPIRE)

    def _shell(self, statement: str) -> list[dict[str, Any]]:
        code = EVERY_ORGANISATION.format(statement=statement)
        said = subprocess.run(
            [*self.manage, "shell", "-v", "0", "-c", code],
            env={**self.env},
            cwd=self.cwd,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        found: list[dict[str, Any]] = json.loads(said.stdout.splitlines()[-1])
        return found
