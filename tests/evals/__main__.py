"""Runs the tasks with an agent: `python -m tests.evals AGENT [options]`, or `make evals AGENT=…`.

AGENT is `perfect`, `careless` or `hostile` (no model), `claude`, `codex` or `gemini` (the
programs), `openai:MODEL` or `anthropic:MODEL` (an endpoint of that form), `execute_tool` or `rest`
(baselines).
Without `--url` a demo of its own is served. Exits with 1 if an attempt did not pass.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import psycopg

from tests.conformance.run import wait_for
from tests.evals import figures, report
from tests.evals.attempt import Host, Result, Stage
from tests.evals.meter import Figures
from tests.evals.players import Options, Play, Player, in_json, player
from tests.evals.programs import Said
from tests.evals.seeding import Json
from tests.evals.snapshot import Schema, in_organisation
from tests.evals.task import Task, tasks

ROOT = Path(__file__).parents[2]
WORLDS = Path(__file__).with_name("worlds.py")


def main() -> int:
    options = arguments()
    chosen = [each for each in tasks() if not options.tasks or each.name in options.tasks]
    play = player(options.agent)
    attempts = [each for each in chosen for _ in range(options.attempts)]
    with served(options) as (origin, manage):
        made = described(manage, [each.world for each in attempts])
        runner = Runner(origin, made, options)
        with ThreadPoolExecutor(options.parallel) as pool:
            results = list(
                pool.map(runner.attempt, attempts, made["worlds"], [play] * len(attempts))
            )
    about = {
        "agent": options.agent + (" (scripted model)" if options.scripted else ""),
        "host": options.url or "demo",
        "date": datetime.now(UTC).date().isoformat(),
        "version": version(),
        "attempts": options.attempts,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({**about, "results": results}, indent=1, ensure_ascii=False))
    if options.record:
        passed = {each["task"]: each["figures"] for each in results if each["passed"]}
        figures.record(options.agent, passed)
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    print(report.table(results))
    print(report.failures(results))
    return int(not all(each["passed"] for each in results))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("agent")
    parser.add_argument("tasks", nargs="*", help="the tasks to try; all by default")
    parser.add_argument("--attempts", type=int, default=1, help="of each task; 3 for pass^3")
    parser.add_argument("--parallel", type=int, default=2, help="attempts at once")
    parser.add_argument("--url", default="", help="origin of a running host, instead of a demo")
    parser.add_argument("--manage", default="", help="the command that runs that host's manage.py")
    parser.add_argument("--bin", type=Path, help="the folder of the programs, if not on the PATH")
    parser.add_argument("--endpoint", default="", help="where requests to a model are posted to")
    parser.add_argument(
        "--scripted", action="store_true", help="the scripted model behind a program"
    )
    parser.add_argument("--record", action="store_true", help="keep the figures in figures.json")
    parser.add_argument("--out", type=Path, default=Path(".evals/results.json"))
    return parser.parse_args()


@contextmanager
def served(options: argparse.Namespace) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The host's origin, and the command that runs its manage.py."""
    if options.url:
        yield options.url.rstrip("/"), tuple(shlex.split(options.manage))
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = options.out.parent / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ |= {"DEMO_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "settings.demo"}
    manage = (sys.executable, str(ROOT / "manage.py"))
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [*manage, "demo", "--port", str(port), "--dir", str(folder)],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
        )
        try:
            wait_for(server, port)
            yield f"http://127.0.0.1:{port}", manage
        finally:
            server.terminate()
            server.wait()


def described(manage: tuple[str, ...], wanted: list[Json]) -> Json:
    """Organisations made in the host's shell, its tables, and how to reach its database."""
    code = f"{WORLDS.read_text()}\nimport json\nprint(json.dumps(described({wanted!r})))"
    ran = subprocess.run(
        [*manage, "shell", "-v", "0", "-c", code], capture_output=True, text=True, cwd=ROOT
    )
    if ran.returncode:
        raise SystemExit(f"{' '.join(manage)} shell failed:\n{ran.stderr[-2000:]}")
    found: Json = json.loads(ran.stdout.splitlines()[-1])
    return found


def version() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    return ran.stdout.strip() or "unknown"


class Runner:
    """Plays attempts at one host, each on a thread with a database connection of its own."""

    def __init__(self, origin: str, made: Json, options: argparse.Namespace) -> None:
        self.origin, self.made = origin, made
        self.options = Options(origin, options.bin, options.endpoint, options.scripted)
        self._local = threading.local()

    def attempt(self, task: Task, about: Json, play: Player) -> Json:
        began = time.monotonic()
        played, result = Play(Said(""), Figures()), Result()
        try:
            stage = Stage(task, about, self._host())
            try:
                played = play(stage, self.options)
            finally:
                self._free_numbers(about["org"])
                result = stage.judge(played.said.answer, played.figures, None)
        except Exception as problem:  # whatever ends it, the attempt did not pass
            result.why = innermost(problem)
            self._free_numbers(about["org"])
        result.why = result.why or "; ".join(played.faults)
        print("." if result.passed else f"\n{task.name}: {result}", flush=True)
        return {
            "task": task.name,
            "kind": task.kind,
            "area": task.area,
            "role": "ADMIN" if task.who == "avery" else "USER",
            "passed": result.passed,
            "why": result.why,
            "wrong_writes": result.wrong_writes,
            "leaks": result.leaks,
            "least": task.calls,
            "confirmations_needed": task.confirmations,
            "seconds": round(time.monotonic() - began, 1),
            **in_json(played),
        }

    def _host(self) -> Host:
        if not hasattr(self._local, "host"):
            connection = psycopg.connect(self.made["database"], autocommit=True)
            # Else a connection that the host has just closed is taken for the next attempt.
            once = httpx2.Limits(max_keepalive_connections=0)
            http = httpx2.Client(base_url=self.origin, timeout=120, limits=once)

            def rest(method: str, path: str, token: str, body: Json | None) -> tuple[int, Any]:
                headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
                reply = http.request(method, path, json=body, headers=headers)
                try:
                    return reply.status_code, reply.json()
                except ValueError:
                    return reply.status_code, reply.text[:500]

            schema = Schema.of(connection)
            self._local.host = Host(
                rest, connection, schema, self.made["tables"], self._free_numbers
            )
        host: Host = self._local.host
        return host

    def _free_numbers(self, org: str) -> None:
        """BottleCRM counts invoices in each organisation, but wants numbers that the whole host
        has once: the second organisation that issues one on a day is refused."""
        host = self._host()
        with in_organisation(host.connection, org) as cursor:
            cursor.execute(
                f'UPDATE "{host.tables["invoices"]}" SET invoice_number ='
                " left(org_id::text, 8) || '-' || left(id::text, 8)"
                " WHERE org_id = %s AND invoice_number LIKE 'INV-%%'",
                [org],
            )


def innermost(problem: BaseException) -> str:
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    return f"{type(problem).__name__}: {problem}"[:600]


if __name__ == "__main__":
    sys.exit(main())
