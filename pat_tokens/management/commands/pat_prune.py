import logging
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from pat_tokens.conf import token_settings
from pat_tokens.host.owners import organisations
from pat_tokens.services.retention import prune

logger = logging.getLogger("pat_tokens")


class Command(BaseCommand):
    help = (
        "Remove the entries of the event log that are older than PAT_TOKENS_EVENT_RETENTION_DAYS "
        "(365). Run it daily, for example from cron, as the role that the application uses."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        before = timezone.now() - token_settings.event_retention
        removed = failures = 0
        for org in organisations():
            try:
                removed += prune(org.pk, before)
            except Exception:
                logger.exception("Organisation %s: its log could not be pruned", org.pk)
                failures += 1
        self.stdout.write(f"{removed} entries removed.")
        if failures:
            raise CommandError(f"{failures} organisations failed; see the log.")
