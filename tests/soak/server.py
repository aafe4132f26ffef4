"""The server under test, as a process of its own, with what it prints."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from types import TracebackType

import psutil

from tests.soak.site import Site

STOP_SECONDS = 30


class Server:
    """Started on entering; `stop`, `kill` and `start` again are the faults."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.output: Path = site.logs[0]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                self.site.command,
                cwd=self.site.folder,
                env={**os.environ, **self.site.environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        """SIGTERM, as a deployment does it."""
        process = self._running()
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """SIGKILL to the server and all its workers."""
        process = self._running()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_worker(self) -> None:
        """SIGKILL to one worker, which the server itself has to replace."""
        workers = psutil.Process(self._running().pid).children()
        # The first child may be the tracker of shared resources.
        workers[-1].kill()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"The server is not running; see {self.output}")
        return self._process
