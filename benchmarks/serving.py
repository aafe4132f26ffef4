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

from benchmarks.wire import request, send

READY_SECONDS = 60


class Served:
    """uvicorn with so many workers, on a free port."""

    def __init__(self, workers: int) -> None:
        self.port = _free_port()
        self._process = subprocess.Popen(
            [
                sys.executable, "-m", "uvicorn", "settings.asgi:application", "--no-access-log",
                "--log-level", "warning", "--port", str(self.port), "--workers", str(workers),
            ],
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "benchmarks.settings"},
            start_new_session=True,
        )  # fmt: skip

    def cpu(self) -> float:
        """Milliseconds of CPU that the server's processes have used."""
        times = (each.cpu_times() for each in self._processes())
        return 1000 * float(sum(each.user + each.system for each in times))

    def memory(self) -> float:
        """Megabytes of the largest worker."""
        return float(max(each.memory_info().rss for each in self._processes())) / 1e6

    def stop(self) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(30)

    def wait(self) -> None:
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            try:
                asyncio.run(send(self.port, request("GET", "/mcp/healthz"), 1, 1))
            except (OSError, RuntimeError, asyncio.IncompleteReadError):
                time.sleep(0.2)
            else:
                return
        raise RuntimeError("The server did not start")

    def _processes(self) -> list[psutil.Process]:
        parent = psutil.Process(self._process.pid)
        return [parent, *parent.children(recursive=True)]


@contextmanager
def served(workers: int) -> Iterator[Served]:
    server = Served(workers)
    try:
        server.wait()
        yield server
    finally:
        server.stop()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
