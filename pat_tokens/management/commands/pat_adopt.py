"""Command pat_adopt: takes the host's own tokens over."""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from pat_tokens.conf import token_settings
from pat_tokens.host import tokens as host_tokens
from pat_tokens.host.owners import email_of, organisations
from pat_tokens.services.adopt import adopt, adoptable


class Command(BaseCommand):
    help = (
        "Take over the host's own live tokens: their secrets go on working, under this app's "
        "rules, and the host's rows are revoked. Without --apply it only lists them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--apply", action="store_true", help="do it")
        parser.add_argument("--org", help="the id of one organisation; default all")

    def handle(self, *args: Any, apply: bool, org: str | None, **options: Any) -> None:
        if not host_tokens.is_installed():
            raise CommandError(
                f"There is no model {token_settings.host_model} here; set PAT_TOKENS_HOST_MODEL."
            )
        orgs = [each for each in organisations() if org in (None, str(each.pk))]
        if org and not orgs:
            raise CommandError(f"There is no organisation {org}.")
        total = sum(self._adopt(each) if apply else self._list(each) for each in orgs)
        self.stdout.write(
            f"{total} tokens adopted." if apply else f"{total} tokens; --apply takes them over."
        )

    def _adopt(self, org: Any) -> int:
        return adopt(org.pk)

    def _list(self, org: Any) -> int:
        rows = adoptable(org.pk)
        for row in rows:
            self.stdout.write(f"{org}: {row.token_prefix}… {row.name} ({email_of(row.profile)})")
        return len(rows)
