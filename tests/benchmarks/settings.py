"""The demo without limits on how often one token calls."""

from settings.demo import *  # noqa: F403
from settings.demo import BOTTLECRM_MCP

BOTTLECRM_MCP = {**BOTTLECRM_MCP, "CALLS_PER_MINUTE": None, "CONCURRENT_CALLS": None}
# What is measured is the answer, not the printing of lines.
LOGGING = {"version": 1, "disable_existing_loggers": True}
# Of one token on a day, which the writes that are measured go beyond.
PAT_TOKENS_DAILY_LIMITS = {"writes": 10_000_000, "deletes": 10_000_000, "mails": 10_000_000}
