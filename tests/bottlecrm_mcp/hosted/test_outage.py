"""A database that can't be reached."""

import logging

import pytest
from django.db import connection

from bottlecrm_mcp.hosted.admission import refusals
from bottlecrm_mcp.hosted.errors import HttpError


@pytest.mark.django_db
def test_log_has_a_line_for_each_refusal(caplog: pytest.LogCaptureFixture) -> None:
    away = connection.copy()
    away.settings_dict |= {"HOST": "127.0.0.1", "PORT": "1", "OPTIONS": {}}
    with pytest.raises(HttpError) as refused, refusals():
        away.ensure_connection()
    assert refused.value.status == 503
    [entry] = caplog.records
    assert entry.levelno == logging.ERROR
    assert entry.exc_info is None
    assert "127.0.0.1" in entry.getMessage()
    assert "\n" not in entry.getMessage()
