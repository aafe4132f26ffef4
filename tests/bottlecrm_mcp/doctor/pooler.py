"""PgBouncer before the database of the tests."""

import os
import pwd
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.programs import PGBOUNCER

SETTINGS = """\
[databases]
* = host={HOST} port={PORT} user={USER} password={PASSWORD}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
ignore_startup_parameters = options
pool_mode = {mode}
server_reset_query = {reset}
"""


@contextmanager
def pooling(folder: Path, database: dict[str, Any], mode: str, reset: str) -> Iterator[int]:
    """The port of a PgBouncer that pools by `mode`, and resets sessions by `reset`."""
    port = _free_port()
    values = {key: _quoted(value) for key, value in database.items()}
    text = SETTINGS.format(**values, port=port, mode=mode, reset=reset)
    if os.getuid() == 0:
        text += f"user = {_reaches(database['HOST'])}\n"
    file = folder / "pgbouncer.ini"
    file.write_text(text)
    with subprocess.Popen([str(PGBOUNCER), file], stderr=subprocess.PIPE, text=True) as process:
        said = next((line for line in process.stderr if "process up" in line), "")
        try:
            assert said
            yield port
        finally:
            process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _quoted(value: Any) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _reaches(host: str) -> str:
    """It refuses to run as root; a socket may be in a folder of PostgreSQL's own user."""
    owner = Path(host).stat().st_uid if host.startswith("/") else 0
    return pwd.getpwuid(owner).pw_name if owner else "nobody"
