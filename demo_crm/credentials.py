"""Credentials of the demo: its people and their tokens, in a file that only its owner can read."""

import fcntl
import json
import os
from datetime import timedelta
from functools import partial
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
        self._first, second = _paths(folder, base_url)
        self.path, self._file = self._first, _opened(self._first)
        if not _hold(self._file):
            self._file.close()
            self.path, self._file = second, _opened(second)
            _hold(self._file)

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


def is_running(folder: Path, base_url: str) -> bool:
    """Whether a demo of this folder serves this address now."""
    return any(map(partial(_is_held_for, base_url), _paths(folder, base_url)))


def _is_held_for(base_url: str, path: Path) -> bool:
    if not path.exists():
        return False
    with path.open("r+") as file:
        return not _hold(file) and f'"{base_url}"' in file.read()


def _paths(folder: Path, base_url: str) -> tuple[Path, Path]:
    """Of the first demo of a folder, and of another one at this address."""
    return folder / NAME, folder / f"credentials-{base_url.rpartition(':')[2]}.json"


def _hold(file: Any) -> bool:
    """Hold the file until it is closed; False where another demo does."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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
