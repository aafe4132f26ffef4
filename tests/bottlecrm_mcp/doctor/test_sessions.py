"""What the doctor says of sessions and pools, with a real pooler between."""

import pytest
from django.db import connection

from bottlecrm_mcp.doctor.checks import sessions
from bottlecrm_mcp.doctor.findings import Level
from settings.database import forget_org
from tests.bottlecrm_mcp.doctor.pooler import pooling
from tests.programs import needs_pgbouncer

DISCARD = "DISCARD ALL"

pytestmark = pytest.mark.django_db


def found(check) -> tuple[Level, str]:
    (finding,) = check()
    return finding.level, finding.sentence


@pytest.fixture
def settings_of(monkeypatch):
    """Change the settings of the connection that the doctor looks at."""
    return lambda name, value: monkeypatch.setitem(connection.settings_dict, name, value)


@pytest.fixture
def pool(monkeypatch):
    options = connection.settings_dict["OPTIONS"]
    return lambda value: monkeypatch.setitem(options, "pool", value)


def test_without_a_pooler():
    assert found(sessions.check_sessions)[0] is Level.OK


@needs_pgbouncer
@pytest.mark.parametrize(
    ("mode", "reset", "level", "expected"),
    [
        ("session", DISCARD, Level.OK, "begins without an organisation"),
        ("session", "", Level.FAILURE, "server_reset_query = DISCARD ALL"),
        ("transaction", DISCARD, Level.FAILURE, "pool_mode = session"),
    ],
)
def test_behind_pgbouncer(tmp_path, settings_of, mode, reset, level, expected):
    with pooling(tmp_path, connection.settings_dict, mode, reset) as port:
        settings_of("HOST", "127.0.0.1")
        settings_of("PORT", port)
        said = found(sessions.check_sessions)
    assert said[0] is level
    assert expected in said[1]


@pytest.mark.parametrize(
    "reset", [None, print, lambda session: session.execute("SELECT set_config('x.y', '', false)")]
)
def test_pool_that_leaves_the_organisation(pool, reset):
    pool({"max_size": 20, "reset": reset})
    level, sentence = found(sessions.check_pool)
    assert level is Level.FAILURE
    assert "clears app.current_org" in sentence


@pytest.mark.parametrize(
    ("value", "level", "expected"),
    [
        (True, Level.FAILURE, "`reset` is missing"),
        ({"max_size": 2, "reset": forget_org}, Level.WARNING, "raise max_size"),
        ({"max_size": 20, "reset": forget_org}, Level.OK, "It is reset"),
        (None, Level.OK, "There is none"),
    ],
)
def test_pool(pool, value, level, expected):
    pool(value)
    said = found(sessions.check_pool)
    assert said[0] is level
    assert expected in said[1]


def test_connections_that_stay_open(pool, settings_of):
    pool(None)
    settings_of("CONN_MAX_AGE", 600)
    level, sentence = found(sessions.check_pool)
    assert level is Level.WARNING
    assert "CONN_MAX_AGE" in sentence
