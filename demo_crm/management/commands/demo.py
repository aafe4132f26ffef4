"""Command demo: serves the CRM with sample data, and writes tokens for its people."""

import json
import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import uvicorn
from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from django.db import connection
from django.utils import timezone

from demo_crm.access.row_security import org_context
from demo_crm.models import Profile
from demo_crm.seed import seed
from pat_tokens.models import Token
from pat_tokens.resolver import TokenRejected, resolve_token
from settings.database import unsafe_role
from settings.postgres import private_file

HOST = "127.0.0.1"


class Command(BaseCommand):
    help = "Serve a CRM with sample data and its /mcp endpoint on this machine."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--dir", default=".demo", help="where data and tokens are kept")

    def handle(self, *args: Any, port: int, dir: str, **options: Any) -> None:
        if message := unsafe_role(os.environ["DATABASE_URL"]):
            raise CommandError(message)
        # Leaving by an exception lets the database stop as well.
        for name in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, leave)
        call_command("migrate", verbosity=0)
        profiles = seed(private_file(Path(dir) / "password"))
        # Known only here: the port is an argument.
        settings.PAT_TOKENS_ISSUER = f"http://{HOST}:{port}"
        credentials = Credentials(Path(dir) / "credentials.json", f"http://{HOST}:{port}")
        self.introduce(credentials.write(profiles))
        page = f"http://{HOST}:{port}/settings/api-tokens/"
        self.stdout.write(f"They sign in at {page} with the password in {dir}/password\n\n")
        try:
            uvicorn.run("settings.asgi:application", host=HOST, port=port, log_level="info")
        finally:
            # Else its threads go on looking for a database that has stopped.
            connection.close_pool()  # type: ignore[attr-defined]

    def introduce(self, credentials: dict[str, Any]) -> None:
        people, mcp_url = credentials["people"], credentials["mcp_url"]
        self.stdout.write(f"\nMCP endpoint: {mcp_url}\n")
        self.stdout.write(
            "A client that signs people in needs no more than that; others a token:\n\n"
        )
        for person in people:
            who = f"{person['name']} <{person['email']}>, {person['role']} of {person['org']}"
            self.stdout.write(f"{who}\n  {person['token']}")
        self.stdout.write("\nConfiguration for an MCP client:\n")
        self.stdout.write(json.dumps(client_configuration(mcp_url, people[0]["token"]), indent=2))
        self.stdout.write("")


def leave(*_: Any) -> NoReturn:
    raise SystemExit(0)


def client_configuration(mcp_url: str, token: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    return {"mcpServers": {"bottlecrm": {"type": "http", "url": mcp_url, "headers": headers}}}


class Credentials:
    """The people of the demo and their tokens, in a file that only its owner can read."""

    def __init__(self, path: Path, base_url: str) -> None:
        self.path, self.base_url = path, base_url

    def write(self, profiles: list[Profile]) -> dict[str, Any]:
        known = self._known_tokens()
        credentials = {
            "base_url": self.base_url,
            "mcp_url": f"{self.base_url}/mcp",
            "people": [self._person(profile, known) for profile in profiles],
        }
        self._store(json.dumps(credentials, indent=2))
        return credentials

    def _store(self, text: str) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            os.fchmod(descriptor, 0o600)
            file.write(text)

    def _known_tokens(self) -> dict[str, str]:
        if not self.path.exists():
            return {}
        people = json.loads(self.path.read_text())["people"]
        return {person["email"]: person["token"] for person in people}

    def _person(self, profile: Profile, known: dict[str, str]) -> dict[str, str]:
        secret = known.get(profile.user.email)
        return {
            "org": profile.org.name,
            "role": profile.role,
            "name": profile.user.name,
            "email": profile.user.email,
            "token": secret if secret and opens(secret, profile) else new_token(profile),
        }


def opens(secret: str, profile: Profile) -> bool:
    try:
        return bool(resolve_token(secret).owner_id == profile.pk)
    except TokenRejected:
        return False


def new_token(profile: Profile) -> str:
    expires = timezone.now() + timedelta(days=90)
    with org_context(profile.org):
        _, secret = Token.create(owner=profile, name="Demo", expires_at=expires)
    return secret
