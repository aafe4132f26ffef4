"""What an organisation's policy says of connections."""

import re
from collections.abc import Sequence

from pat_tokens.models import Policy

MAX_HOSTS = 100
HOST = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
NO_CLIENTS = "Your organisation does not allow clients to connect."


def client_denial(clients: str | None, hosts: Sequence[str] | None, host: str) -> str | None:
    """Why the policy forbids a client that this host vouches for, or None.

    `host` is empty for a client that registered itself.
    """
    if clients == Policy.Clients.NONE:
        return NO_CLIENTS
    if clients == Policy.Clients.LISTED and host not in (hosts or ()):
        named = ", ".join(hosts or ()) or "none yet"
        return f"Your organisation allows clients of listed hosts only: {named}."
    return None


def host_names(names: Sequence[str]) -> list[str]:
    """Host names as they are compared. Raises ValueError."""
    if wrong := next((each for each in names if not HOST.fullmatch(each.lower())), None):
        raise ValueError(f'"{wrong[:80]}" is not the name of a host, as claude.ai is.')
    if len(names) > MAX_HOSTS:
        raise ValueError(f"{MAX_HOSTS} hosts at most.")
    return list(dict.fromkeys(each.lower() for each in names))
