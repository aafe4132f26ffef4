"""Command pat_create: makes a token for a person, from the server's own shell."""

from datetime import timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rest_framework.exceptions import APIException

from pat_tokens.host.owners import active_members
from pat_tokens.rls import in_organisation
from pat_tokens.services.issue import create_token
from pat_tokens.services.policy import default_lifetime, policy_of
from pat_tokens.services.presets import scopes_for

WARNING = (
    "This is the only time that the token is shown. Whoever has it can {verb} in {org} what "
    "{email} may {verb}, until {ends:%Y-%m-%d}. The organisation's event log says that it was made "
    "here."
)


class Command(BaseCommand):
    help = (
        "Make a personal access token for a member of an organisation, and print it once. For the "
        "first token, before people can reach the pages where they make their own."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as", dest="email", required=True, help="e-mail address of a member")
        parser.add_argument("--org", required=True, help="name or id of the organisation")
        parser.add_argument("--name", default="Made on the server", help="what lists call it")
        parser.add_argument("--read-only", action="store_true", help="reads, but changes nothing")
        parser.add_argument("--days", type=int, help="default 90, or what the policy allows")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = _member(options["email"], options["org"])
        ends = timezone.now() + _lifetime(owner, options["days"])
        scopes = scopes_for("read_only" if options["read_only"] else "read_write", {})
        try:
            _, secret = create_token(
                owner,
                name=options["name"],
                scopes=scopes,
                expires_at=ends,
                detail="with pat_create, on the server",
            )
        except APIException as refusal:
            raise CommandError(str(refusal.detail)) from refusal
        verb = "look up" if options["read_only"] else "do"
        said = WARNING.format(verb=verb, org=owner.org, email=options["email"], ends=ends)
        self.stderr.write(said)
        self.stdout.write(secret)


def _member(email: str, org: str) -> Any:
    found = active_members(email, org)
    if not found:
        raise CommandError(f"No {email} is an active member of an active organisation {org!r}.")
    if len(found) > 1:
        ids = ", ".join(str(each.org_id) for each in found)
        raise CommandError(f"Several organisations are called {org!r}. Give --org an id: {ids}")
    return found[0]


def _lifetime(owner: Any, days: int | None) -> timedelta:
    with in_organisation(owner.org_id):
        policy = policy_of(owner.org_id)
    if days is None:
        return default_lifetime(policy)
    most = policy.max_lifetime_days or 3650
    if not 1 <= days <= most:
        raise CommandError(f"--days must be from 1 to {most} here.")
    return timedelta(days=days)
