"""Command mcp_doctor: checks of the host, and acceptance tests of the tools."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bottlecrm_mcp.doctor.diagnosis import examine, examine_host
from bottlecrm_mcp.doctor.markdown import markdown
from bottlecrm_mcp.doctor.report import lines


class Command(BaseCommand):
    help = (
        "Says whether each part of this host is right for /mcp. With --as and --org, tries every "
        "tool on every entity as that person, for some minutes. Each thing that is tried is "
        "rolled back at once, none holds locks for more than two seconds, and nobody is mailed."
    )
    # Settings that are wrong are to be reported, not to stop the command.
    requires_system_checks: Any = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as", dest="email", help="e-mail address of a member")
        parser.add_argument("--org", help="name of the organisation")
        parser.add_argument("--write", action="store_true", help="try the tools that write, too")
        parser.add_argument(
            "--beside-rest", action="store_true", help="measure it beside the REST API, too"
        )
        shape = parser.add_mutually_exclusive_group()
        shape.add_argument("--json", action="store_true", help="print JSON")
        shape.add_argument("--markdown", action="store_true", help="print Markdown tables")

    def handle(self, *args: Any, **options: Any) -> None:
        email, org = options["email"], options["org"]
        write, beside_rest = options["write"], options["beside_rest"]
        if bool(email) != bool(org) or ((write or beside_rest) and not email):
            raise CommandError(
                "Give --as EMAIL and --org NAME together; --write and --beside-rest need both."
            )
        if email:
            diagnosis = examine(email, org, self.tell, write=write, beside_rest=beside_rest)
        else:
            diagnosis = examine_host(self.tell)
        if options["json"]:
            self.stdout.write(json.dumps(diagnosis.as_dict(), indent=1))
        else:
            show = markdown if options["markdown"] else lines
            self.stdout.write("\n".join(show(diagnosis)))
        if not diagnosis.is_healthy:
            raise SystemExit(1)

    def tell(self, line: str) -> None:
        """Beside the report, which may be JSON."""
        self.stderr.write(line)
        self.stderr.flush()
