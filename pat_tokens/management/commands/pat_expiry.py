import logging
from typing import Any

from django.core.management import BaseCommand, CommandError

from pat_tokens.expiry import due_notice, give_notice, soon_over
from pat_tokens.local_setting import in_organisation
from pat_tokens.models import Token
from pat_tokens.people import organisations

logger = logging.getLogger("pat_tokens")


class Command(BaseCommand):
    help = (
        "Mail owners 7 days and 1 day before a token expires, and log what has expired. Run it "
        "daily, for example from cron; running it again does nothing twice."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        notices = failures = 0
        for org in organisations():
            try:
                tokens = soon_over(org.pk)
            except Exception:
                # One organisation must not keep the others from being told.
                logger.exception("Organisation %s: its tokens could not be read", org.pk)
                failures += 1
                continue
            for token in tokens:
                try:
                    notices += _notice(token)
                except Exception:
                    # Nor must one bad address.
                    logger.exception("Token %s: no notice could be given", token.prefix)
                    failures += 1
        self.stdout.write(f"{notices} notices given.")
        if failures:
            raise CommandError(f"{failures} notices failed and will be tried again; see the log.")


def _notice(token: Token) -> bool:
    stage = due_notice(token)
    if stage is None:
        return False
    with in_organisation(token.org_id):
        return give_notice(token, stage)
