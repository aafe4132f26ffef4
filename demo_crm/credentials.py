"""Credentials of the demo: its people and their tokens, in a file that only its owner can read."""

import fcntl
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from demo_crm.access.row_security import org_context
from demo_crm.models import Profile
from pat_tokens.models import Token
from pat_tokens.resolver import TokenRejected, resolve_token

NAME = "credentials.json"


class Credentials:
    """The file of one running demo, which holds it until it ends.

    A second demo in the same folder shares the people and their tokens, and writes a file of its
    own: the first one's tells of another address.
    """

    def __init__(self, folder: Path, base_url: str) -> None:
        self.base_url = base_url
        self._first = folder / NAME
        self.path, self._file = self._first, _opened(self._first)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.path = folder / f"credentials-{base_url.rpartition(':')[2]}.json"
            self._file.close()
            self._file = _opened(self.path)

    def write(self, profiles: list[Profile]) -> dict[str, Any]:
        known = self._known_tokens()
        credentials = {
            "base_url": self.base_url,
            "mcp_url": f"{self.base_url}/mcp",
            "people": [self._person(profile, known) for profile in profiles],
        }
        self._file.seek(0)
        self._file.truncate()
        self._file.write(json.dumps(credentials, indent=2))
        self._file.flush()
        return credentials

    def close(self) -> None:
        self._file.close()

    def _known_tokens(self) -> dict[str, str]:
        text = self._first.read_text()
        people = json.loads(text)["people"] if text else []
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


def _opened(path: Path) -> Any:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "r+")
