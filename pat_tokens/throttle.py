"""Rates of what anybody may ask for without a token: counted in Django's cache."""

import logging

from django.core.cache import cache

logger = logging.getLogger("pat_tokens")


def is_over(key: str, most: int, seconds: int) -> bool:
    """Count once more under this key; whether it is more than `most` in so many seconds.

    A cache that fails must not stop the CRM: then nothing is limited, and the log says so.
    """
    key = f"pat_tokens:{key}"
    try:
        cache.add(key, 0, seconds)
        return cache.incr(key) > most
    except ValueError:
        # It expired in between.
        return False
    except Exception as problem:
        logger.warning("Nothing is throttled: the cache fails (%s)", type(problem).__name__)
        return False
