"""Command pat_expiry: tells owners of tokens that expire soon."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.core.management import BaseCommand, CommandError

from pat_tokens.host.owners import organisations
from pat_tokens.models import Token
from pat_tokens.oauth import expiry
from pat_tokens.oauth.clients import forget_unused
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
        self.failures = notices = 0
        for org in organisations():
            due: list[partial[bool]] = []
            with self._going_on("Organisation %s: what is due could not be read", org.pk):
                due = _due(org.pk)
            for give in due:
                with self._going_on("%s: no notice could be given", give.args[0]):
                    notices += give()
            with self._going_on("Organisation %s: what is over could not be removed", org.pk):
                expiry.remove_leftovers(org.pk)
        with self._going_on("Unused clients could not be removed"):
            forget_unused()
        self.stdout.write(f"{notices} notices given.")
        if self.failures:
            steps = "step" if self.failures == 1 else "steps"
            raise CommandError(f"{self.failures} {steps} failed; see the log, and run it again.")

    @contextmanager
    def _going_on(self, failure: str, *about: Any) -> Iterator[None]:
        """One organisation must not keep the others from being told, nor one bad address."""
        try:
            yield
        except Exception:
            logger.exception(failure, *about)
            self.failures += 1


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
