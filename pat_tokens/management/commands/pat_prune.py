import logging
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from pat_tokens.conf import token_settings
from pat_tokens.host.owners import organisations
from pat_tokens.services.daily_limits import prune_counts
from pat_tokens.services.retention import prune, prune_calls

logger = logging.getLogger("pat_tokens")


class Command(BaseCommand):
    help = (
        "Remove the entries of the event log that are older than PAT_TOKENS_EVENT_RETENTION_DAYS "
        "(365), and the calls of tools that are older than PAT_TOKENS_READ_RETENTION_DAYS (90) or, "
        "of tools that write, PAT_TOKENS_WRITE_RETENTION_DAYS (400). Run it daily, for example "
        "from cron, as the role that the application uses."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        before = now - token_settings.event_retention
        calls_before = {
            "reads_before": now - token_settings.read_retention,
            "writes_before": now - token_settings.write_retention,
        }
        removed = calls = failures = 0
        for org in organisations():
            try:
                removed += prune(org.pk, before)
                calls += prune_calls(org.pk, **calls_before)
                prune_counts(org.pk)
            except Exception:
                logger.exception("Organisation %s: its logs could not be pruned", org.pk)
                failures += 1
        self.stdout.write(f"{removed} entries and {calls} calls removed.")
        if failures:
            raise CommandError(f"{failures} organisations failed; see the log.")
