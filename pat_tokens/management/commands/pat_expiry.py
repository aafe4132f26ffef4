"""Command pat_expiry: tells owners of tokens that expire soon."""

import logging
from functools import partial
from typing import Any

from django.core.management import BaseCommand, CommandError

from pat_tokens.models import Token
from pat_tokens.oauth import expiry
from pat_tokens.oauth.clients import forget_unused
from pat_tokens.owners import organisations
from pat_tokens.rls import in_organisation
from pat_tokens.services.expiry import due_notice, give_notice, soon_over

logger = logging.getLogger("pat_tokens")


class Command(BaseCommand):
    help = (
        "Mail owners 7 days and 1 day before a token or connection ends, log what has ended, and "
        "remove what is left of it. Run it daily, for example from cron; running it again does "
        "nothing twice."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        notices = failures = 0
        for org in organisations():
            try:
                due = _due(org.pk)
            except Exception:
                # One organisation must not keep the others from being told.
                logger.exception("Organisation %s: what is due could not be read", org.pk)
                failures += 1
                continue
            for give in due:
                try:
                    notices += give()
                except Exception:
                    # Nor must one bad address.
                    logger.exception("%s: no notice could be given", give.args[0])
                    failures += 1
            expiry.remove_leftovers(org.pk)
        forget_unused()
        self.stdout.write(f"{notices} notices given.")
        if failures:
            raise CommandError(f"{failures} notices failed and will be tried again; see the log.")


def _due(org_id: Any) -> list[partial[bool]]:
    return [
        *(partial(_notice, token) for token in soon_over(org_id)),
        *(partial(expiry.give_notice, *due) for due in expiry.due_connections(org_id)),
    ]


def _notice(token: Token) -> bool:
    stage = due_notice(token)
    if stage is None:
        return False
    with in_organisation(token.org_id):
        return give_notice(token, stage)
