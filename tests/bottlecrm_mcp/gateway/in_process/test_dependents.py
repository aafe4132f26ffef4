"""What rows that go with a record are called, where they are no entity of the catalogue."""

from typing import Any

import pytest

from bottlecrm_mcp.gateway.in_process.dependents import plural_name
from demo_crm.models import Activity, Comment
from pat_tokens.models import Policy


@pytest.mark.parametrize(
    ("model", "name"), [(Activity, "activities"), (Comment, "comments"), (Policy, "policies")]
)
def test_plural_name(model: Any, name: str) -> None:
    assert plural_name(model) == name


def test_plural_name_that_the_host_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Comment._meta.original_attrs, "verbose_name_plural", "Remarks")
    monkeypatch.setattr(Comment._meta, "verbose_name_plural", "Remarks")
    assert plural_name(Comment) == "remarks"
