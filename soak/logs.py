"""What must not be in any log."""

from __future__ import annotations

import hashlib

from soak.site import Site

# A log line may name a token by its first few characters.
SHOWN = 13


def token_material(site: Site) -> int:
    """How many tokens show in a log by more than their prefix, or by their digest."""
    text = "\n".join(each.read_text(errors="replace") for each in site.logs)
    return sum(
        person.token[SHOWN:] in text
        or person.token[: SHOWN + 3] in text
        or hashlib.sha256(person.token.encode()).hexdigest() in text
        for person in site.people
    )
