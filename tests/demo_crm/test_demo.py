import json
import socket
import stat

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from bottlecrm_mcp.doctor.diagnosis import examine_host
from bottlecrm_mcp.doctor.findings import Level
from demo_crm.access.row_security import org_context
from demo_crm.credentials import Credentials
from demo_crm.management.commands.demo import listening, require_current_tables
from demo_crm.models import Lead, Org
from demo_crm.seed import seed
from tests.demo_crm.conftest import ENTITIES, url
from tests.demo_crm.test_envelopes import rows
from tests.sample_data import sample_data


@pytest.fixture
def people(db):
    return sample_data()


def test_two_organisations_with_two_people_each(people):
    assert [profile.role for profile in people] == ["ADMIN", "USER"] * 2
    assert Org.objects.count() == 2


def test_seed_twice(people):
    with org_context(people[0].org):
        before = Lead.objects.count()
    assert [profile.pk for profile in seed()] == [profile.pk for profile in people]
    with org_context(people[0].org):
        assert Lead.objects.count() == before


@pytest.mark.parametrize("entity", ENTITIES)
def test_user_has_some_and_not_all(api, people, entity):
    admin, user = people[:2]
    seen = {
        profile: len(rows(entity, api(profile).get(url(entity), {"limit": 99}).json()))
        for profile in (admin, user)
    }
    assert seen[user] > 0
    assert seen[user] < seen[admin] or entity == "solutions"


@pytest.mark.parametrize("number", [0, 1])
def test_both_see_acme(api, people, number):
    body = api(people[number]).get(url("accounts"), {"name": "Acme Corp"}).json()
    assert body["active_accounts"]["open_accounts_count"] == 1


def test_overdue_invoices(api, people):
    results = api(people[0]).get(url("invoices"), {"limit": 50}).json()["results"]
    assert sum(invoice["is_overdue"] for invoice in results) >= 2


def test_case_can_be_closed_although_there_is_a_rule(api, people):
    client = api(people[0])
    (rule,) = client.get("/api/cases/approval-rules/").json()["rules"]
    assert rule["is_active"] is False
    case = client.get(url("cases"), {"priority": "Urgent"}).json()["cases"][0]["id"]
    assert len(client.get(url("cases", case, "time-entries")).json()) == 1
    assert client.get(url("cases", case, "solution-suggestions")).json()["count"] == 1
    body = {"status": "Closed", "closed_on": "2026-01-05"}
    assert client.patch(url("cases", case), body, format="json").status_code == 200


@pytest.mark.urls("settings.urls")
def test_right_without_what_only_tests_have(settings, people):
    settings.BOTTLECRM_MCP = {"CATALOGUE": "demo_crm.catalogue.CATALOGUE"}
    findings = examine_host().findings
    assert [each for each in findings if each.level is not Level.OK] == []
    assert not [each for each in findings if each.sentence.startswith("not covered")]


@pytest.fixture
def open_credentials(tmp_path):
    """As a demo at this port opens them; all are closed in the end."""
    opened = []

    def open_(port):
        opened.append(Credentials(tmp_path, f"http://127.0.0.1:{port}"))
        return opened[-1]

    yield open_
    for each in opened:
        each.close()


def test_credentials(people, tmp_path, open_credentials):
    path = tmp_path / "credentials.json"
    written = open_credentials(8000).write(people)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == written
    assert set(written) == {"base_url", "mcp_url", "people"}
    assert set(written["people"][0]) == {"org", "role", "name", "email", "token"}


def test_tokens_are_kept_while_they_work(people, open_credentials):
    from pat_tokens.models import Token

    credentials = open_credentials(8000)
    first = credentials.write(people)
    assert credentials.write(people) == first
    with org_context(people[0].org):
        Token.objects.filter(owner=people[0]).delete()
    again = credentials.write(people)
    changed = [
        old["token"] != new["token"]
        for old, new in zip(first["people"], again["people"], strict=True)
    ]
    assert changed == [True, False, False, False]


def test_a_second_demo_leaves_the_first_its_credentials(people, tmp_path, open_credentials):
    first = open_credentials(8000).write(people)
    second = open_credentials(8123)
    assert second.write(people)["people"] == first["people"]
    assert json.loads((tmp_path / "credentials.json").read_text()) == first
    assert json.loads(second.path.read_text())["base_url"] == "http://127.0.0.1:8123"


def test_the_next_demo_writes_the_same_file(people, tmp_path, open_credentials):
    before = open_credentials(8000)
    tokens = before.write(people)["people"]
    before.close()
    assert open_credentials(8123).write(people)["people"] == tokens
    written = json.loads((tmp_path / "credentials.json").read_text())
    assert written["base_url"] == "http://127.0.0.1:8123"


def test_a_taken_port(tmp_path, people, open_credentials):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CommandError, match=f"Port {port} is taken .* PORT={port + 123}"):
            listening(port, tmp_path)
        open_credentials(port + 1).write(people)
        with pytest.raises(CommandError, match="is taken"):
            listening(port, tmp_path)
        open_credentials(port).write(people)
        with pytest.raises(CommandError, match=rf"already runs: open http://127.0.0.1:{port}/\."):
            listening(port, tmp_path)


@pytest.mark.django_db
def test_data_of_an_older_version(tmp_path):
    require_current_tables(tmp_path)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE demo_crm_attachment DROP COLUMN attachment")
    with pytest.raises(CommandError, match="an older version"):
        require_current_tables(tmp_path)


def test_refuses_a_role_that_bypasses_row_security(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere")
    monkeypatch.setattr(
        "demo_crm.management.commands.demo.unsafe_role", lambda url: "bypasses row-level security"
    )
    with pytest.raises(CommandError, match="bypasses"):
        call_command("demo")
