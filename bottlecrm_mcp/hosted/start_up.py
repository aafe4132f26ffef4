"""Start-up of a server process, before it takes its first request."""

from __future__ import annotations

import gc
import logging
from functools import cache

from django.urls import get_resolver

from bottlecrm_mcp.gateway.in_process.gateway import dispatcher

logger = logging.getLogger("bottlecrm_mcp")


@cache
def load() -> None:
    """Load the CRM's middleware and URLs, which the first call would do, and freeze them.

    They are most of what a process has, and stay as long as it does. Looking through them, a full
    garbage collection halts all calls and the health check for 150 ms, every few seconds under
    load; without them, for a tenth of that.
    """
    try:
        dispatcher()
        _ = get_resolver().url_patterns
    except Exception:
        # As without this, it is the requests that need it which fail.
        logger.exception("The CRM's middleware or URLs can't be loaded")
    gc.collect()
    gc.freeze()
