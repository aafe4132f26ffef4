"""What must not be in any log."""

from __future__ import annotations

import hashlib

from tests.soak.site import Site

# A log line may name a token by its first few characters.
SHOWN = 13


def token_material(site: Site) -> int:
    """How many tokens show in a log by more than their prefix, or in the server's by their digest.

    PostgreSQL logs the statement of a connection that is ended, and with it the digest that was
    looked for. A digest opens nothing.
    """
    texts = [each.read_text(errors="replace") for each in site.logs]
    return sum(
        any(person.token[SHOWN:] in text or person.token[: SHOWN + 3] in text for text in texts)
        or hashlib.sha256(person.token.encode()).hexdigest() in texts[0]
        for person in site.people
    )
