"""Command mcp_budget: the sizes of the tools' answers beside their budgets."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bottlecrm_mcp.doctor.acceptance.size_budgets import measure
from bottlecrm_mcp.doctor.person import NoPerson, person
from bottlecrm_mcp.doctor.rollback import never_committed


class Command(BaseCommand):
    help = (
        "Prints how many characters the answers of the tools have for a person, beside how many "
        "they may have. Ends with 1 if one has more. Changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as", dest="email", required=True, help="e-mail address of a member")
        parser.add_argument("--org", required=True, help="name of the organisation")

    def handle(self, *args: Any, email: str, org: str, **options: Any) -> None:
        try:
            with never_committed():
                measured = list(measure(person(email, org).crm()))
        except NoPerson as problem:
            raise CommandError(str(problem)) from problem
        for each in measured:
            over = "" if each.fits else "  OVER"
            self.stdout.write(f"{each.what:34}{each.characters:7,} of {each.budget:6,}{over}")
        if not all(each.fits for each in measured):
            raise SystemExit(1)
