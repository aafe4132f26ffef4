"""Rates of what anybody may ask for without a token: counted in Django's cache.

A cache that fails must not stop the CRM: then nothing is limited, and the log says so.
"""

import logging
from ipaddress import IPv6Network

from django.core.cache import cache

logger = logging.getLogger("pat_tokens")


def is_over(key: str, most: int, seconds: int) -> bool:
    """Count once more under this key; whether it is more than `most` in so many seconds."""
    try:
        cache.add(_named(key), 0, seconds)
        return cache.incr(_named(key)) > most
    except ValueError:
        # It expired in between.
        return False
    except Exception as problem:
        return _unlimited(problem)


def network_of(address: str | None) -> str:
    """What is counted as one caller: an address, of IPv6 a customer's network (RFC 6177)."""
    if address is None or ":" not in address:
        return str(address)
    return str(IPv6Network((address, 64), strict=False))


def _named(key: str) -> str:
    return f"pat_tokens:{key}"


def _unlimited(problem: Exception) -> bool:
    logger.warning("Nothing is throttled: the cache fails (%s)", type(problem).__name__)
    return False
