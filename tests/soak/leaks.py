"""A pool's reset that tells of an organisation left on a connection."""

import logging
from typing import Any

import psycopg

LEAK = "An organisation was left on a pooled connection"

logger = logging.getLogger("soak")


def report_and_forget(connection: psycopg.Connection[Any]) -> None:
    row = connection.execute(
        "SELECT current_setting('app.current_org', true), set_config('app.current_org', '', false)"
    ).fetchone()
    connection.commit()
    if row and row[0]:
        logger.error(LEAK)
