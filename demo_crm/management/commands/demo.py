"""Command demo: serves the CRM with sample data, and writes tokens for its people."""

import errno
import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import uvicorn
from django.apps import apps
from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from django.db import connection

from demo_crm.credentials import Credentials, is_running
from demo_crm.seed import seed
from demo_crm.start_page import QUESTIONS
from pat_tokens.services.client_configs import configurations
from settings.database import unsafe_role
from settings.postgres import private_file

HOST = "127.0.0.1"


class Command(BaseCommand):
    help = "Serve a CRM with sample data and its /mcp endpoint on this machine."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--dir", default=".demo", help="where data and tokens are kept")

    def handle(self, *args: Any, port: int, dir: str, **options: Any) -> None:
        if message := unsafe_role(os.environ["DATABASE_URL"]):
            raise CommandError(message)
        # Leaving by an exception lets the database stop as well.
        for name in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, leave)
        # A first look: what waits for the port shall find the credentials written.
        folder = Path(dir)
        listening(port, folder).close()
        self.serve(port, folder)

    def serve(self, port: int, folder: Path) -> None:
        base_url = f"http://{HOST}:{port}"
        # Passwords and tokens are in there, in whichever folder of a checkout.
        (folder / ".gitignore").write_text("*\n")
        call_command("migrate", verbosity=0)
        require_current_tables(folder)
        profiles = seed(private_file(folder / "password"))
        credentials = Credentials(folder, base_url)
        people = credentials.write(profiles)["people"]
        # Known only here: the port is an argument.
        settings.PAT_TOKENS_ISSUER = base_url
        settings.DEMO_PEOPLE = people
        config = uvicorn.Config("settings.asgi:application", log_level="warning")
        try:
            with listening(port, folder) as listener, suppress(KeyboardInterrupt):
                self.introduce(base_url, people[0]["token"], credentials.path)
                uvicorn.Server(config).run(sockets=[listener])
        finally:
            credentials.close()
            # Else its threads go on looking for a database that has stopped.
            connection.close_pool()  # type: ignore[attr-defined]

    def introduce(self, base_url: str, token: str, path: Path) -> None:
        """The three things to know: where to look, how to connect, what to ask."""
        (command,) = (
            each.text
            for each in configurations(f"{base_url}/mcp", token)
            if (each.client, each.way) == ("claude-code", "hosted")
        )
        self.stdout.write(
            f"\n1. Open {base_url}/ to sign in as somebody and try the tools in the browser.\n"
            f"2. Or connect Claude Code (other clients: on the page):\n\n   {command}\n\n"
            f"3. Then ask: “{QUESTIONS[0]['ask']}”\n\n"
            f"The tokens are in {path}. Ctrl-C stops everything.\n"
        )


def require_current_tables(folder: Path) -> None:
    """Raises `CommandError` for the tables of an older demo: they are made from the models once."""
    with connection.cursor() as cursor:
        for model in apps.get_app_config("demo_crm").get_models():
            columns = connection.introspection.get_table_description(cursor, model._meta.db_table)
            there = {each.name for each in columns}
            if not {each.column for each in model._meta.local_concrete_fields} <= there:
                raise CommandError(
                    f"{folder} holds the sample data of an older version. Remove that folder, "
                    "and start the demo again: it makes new data and new tokens."
                )


def listening(port: int, folder: Path) -> socket.socket:
    """A socket at this port. Raises `CommandError` where something else has it."""
    base_url = f"http://{HOST}:{port}"
    # Named, since asyncio turns Nagle's delays off for what says that it is TCP only.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as problem:
        listener.close()
        if problem.errno != errno.EADDRINUSE:
            raise CommandError(f"Port {port} can't be used: {problem.strerror}.") from problem
        other = f"make demo PORT={port + 123}"
        if is_running(folder, base_url):
            raise CommandError(
                f"The demo already runs: open {base_url}/. For a second one: {other}"
            ) from problem
        raise CommandError(
            f"Port {port} is taken by another program. Stop it, or use another: {other}"
        ) from problem
    return listener


def leave(*_: Any) -> NoReturn:
    raise SystemExit(0)
