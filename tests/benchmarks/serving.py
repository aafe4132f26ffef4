"""The demo served by uvicorn in processes of its own, whose CPU and memory can be read."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from tests.benchmarks.http_client import request, send

READY_SECONDS = 180
HEALTHZ = request("GET", "/mcp/healthz")


class Served:
    """So many workers of uvicorn, each on a port of its own, as behind a proxy.

    On one port the first worker takes connections that come at once, and the others none.
    """

    def __init__(self, workers: int, application: str, settings: str, python: str) -> None:
        self.ports = [_free_port() for _ in range(workers)]
        self._started = [_uvicorn(port, application, settings, python) for port in self.ports]

    def cpu(self) -> float:
        """Milliseconds of CPU that the server's processes have used."""
        times = (each.cpu_times() for each in self._processes())
        return 1000 * float(sum(each.user + each.system for each in times))

    def memory(self) -> float:
        """Megabytes of the largest worker."""
        return float(max(each.memory_info().rss for each in self._processes())) / 1e6

    def stop(self) -> None:
        for process in self._started:
            process.send_signal(signal.SIGTERM)
        for process in self._started:
            process.wait(30)

    def wait(self, ready: bytes) -> None:
        """Until this request is answered."""
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until and not any(each.poll() for each in self._started):
            try:
                every = len(self.ports)
                asyncio.run(send(self.ports, ready, every, every))
            except (OSError, RuntimeError, asyncio.IncompleteReadError):
                time.sleep(0.2)
            else:
                return
        raise RuntimeError("The server did not start")

    def _processes(self) -> list[psutil.Process]:
        return [psutil.Process(each.pid) for each in self._started]


@contextmanager
def served(
    workers: int,
    application: str = "settings.asgi:application",
    settings: str = "tests.benchmarks.settings",
    python: str = sys.executable,
    ready: bytes = HEALTHZ,
) -> Iterator[Served]:
    server = Served(workers, application, settings, python)
    try:
        server.wait(ready)
        yield server
    finally:
        server.stop()


def _uvicorn(port: int, application: str, settings: str, python: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            python, "-m", "uvicorn", application, "--no-access-log",
            "--log-level", "warning", "--port", str(port),
        ],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": settings},
    )  # fmt: skip


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
