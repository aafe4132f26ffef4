"""A call that is repeated under its idempotency_key is answered, and not done again."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from bottlecrm_mcp.checks import check_forms, check_keyed_writes
from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.gateway.in_process import idempotency
from bottlecrm_mcp.gateway.in_process.gateway import database_call
from bottlecrm_mcp.hosted import thread_pool
from bottlecrm_mcp.models import KeyedWrite, OpenForm
from bottlecrm_mcp.tools.create import crm_create
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.registry import Registry
from demo_crm.access.row_security import org_context
from demo_crm.entities.sales.leads import LeadList
from demo_crm.models import Comment, Lead, Profile
from tests.agent import LEGACY, MODERN, Agent, as_agent
from tests.bottlecrm_mcp.population import with_settings

NEW = {"first_name": "Annika", "last_name": "Leeuw"}
MAILED = {**NEW, "email": "ann@lee.test"}
KEYED: dict[str, Any] = {"entity": "leads", "data": NEW, "idempotency_key": "k1"}


def leads(profile: Profile) -> int:
    with org_context(profile.org):
        return Lead.objects.count()


def kept(profile: Profile) -> list[KeyedWrite]:
    with org_context(profile.org):
        return list(KeyedWrite.objects.order_by("created_at"))


def test_repeated_create(admin, alpha_admin) -> None:
    first, second = (admin("crm_create", **KEYED) for _ in range(2))
    assert "repeated" not in first
    assert second == {
        **{name: first[name] for name in ("entity", "id", "record", "untrusted")},
        "repeated": True,
    }
    assert leads(alpha_admin) == 1


def test_row_holds_no_data_of_the_record(admin, alpha_admin) -> None:
    record_id = admin("crm_create", **KEYED)["id"]
    (row,) = kept(alpha_admin)
    assert (row.key, row.tool, row.entity, row.record_id) == (
        sha256(b"k1").hexdigest(),
        "crm_create",
        "leads",
        record_id,
    )
    assert not any(value in json.dumps(vars(row), default=str) for value in NEW.values())


def test_without_a_key_nothing_is_kept(admin, alpha_admin) -> None:
    for _ in range(2):
        admin("crm_create", entity="leads", data=NEW)
    assert leads(alpha_admin) == 2
    assert kept(alpha_admin) == []


def test_record_is_read_again_as_the_caller(admin, alpha_admin) -> None:
    record_id = admin("crm_create", **KEYED)["id"]
    admin("crm_update", entity="leads", id=record_id, data={"title": "CTO"})
    assert admin("crm_create", **KEYED)["record"]["title"] == "CTO"
    admin("crm_delete", entity="leads", id=record_id, confirm=True)
    gone = admin("crm_create", **KEYED)
    assert (gone["id"], gone["record"], gone["repeated"]) == (record_id, None, True)
    assert leads(alpha_admin) == 0


OTHER = [
    ("crm_create", {"entity": "leads", "data": {**NEW, "title": "CTO"}}),
    ("crm_create", {"entity": "contacts", "data": {"first_name": "Ann", "last_name": "Lee"}}),
    ("crm_action", {"entity": "leads", "action": "add_comment", "params": {"comment": "x"}}),
]


@pytest.mark.parametrize(("tool", "arguments"), OTHER)
def test_other_call_under_the_key_is_refused(admin, alpha_admin, tool, arguments) -> None:
    record_id = admin("crm_create", **KEYED)["id"]
    given = arguments if tool == "crm_create" else {**arguments, "id": record_id}
    with pytest.raises(GatewayError, match="used for another call") as refusal:
        admin(tool, **given, idempotency_key="k1")
    assert refusal.value.code == "key_reused"
    assert leads(alpha_admin) == 1


def test_key_belongs_to_its_token(tools_of, alpha_admin, alpha_user, beta_admin) -> None:
    ids = {
        tools_of(profile)("crm_create", **KEYED)["id"]
        for profile in (alpha_admin, alpha_admin, alpha_user, beta_admin)
    }
    assert len(ids) == 4


def test_key_counts_for_a_day(admin, alpha_admin) -> None:
    first = admin("crm_create", **KEYED)["id"]
    long_ago = timezone.now() - timedelta(hours=24, seconds=1)
    with org_context(alpha_admin.org):
        KeyedWrite.objects.update(created_at=long_ago)
    second = admin("crm_create", **KEYED)
    assert "repeated" not in second
    assert second["id"] != first
    assert [row.record_id for row in kept(alpha_admin)] == [second["id"]]
    assert admin("crm_create", **KEYED)["id"] == second["id"]


def test_old_rows_are_removed(admin, alpha_admin) -> None:
    for number in range(3):
        admin("crm_create", **KEYED | {"idempotency_key": f"old{number}"})
    with org_context(alpha_admin.org):
        KeyedWrite.objects.update(created_at=timezone.now() - timedelta(days=2))
    admin("crm_create", **KEYED)
    assert [row.key for row in kept(alpha_admin)] == [sha256(b"k1").hexdigest()]


def test_refused_write_frees_its_key(admin, alpha_admin, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(LeadList, "create", lambda self, data: 1 / 0)
        assert admin("crm_create", **KEYED)["error"]["code"] == "crm_error"
    assert kept(alpha_admin) == []
    assert "repeated" not in admin("crm_create", **KEYED)
    assert leads(alpha_admin) == 1


def test_key_counts_when_the_write_happens(admin, alpha_admin) -> None:
    converted = {**KEYED, "data": {**MAILED, "status": "converted"}}
    preview = admin("crm_create", **converted)
    assert preview["confirmation_required"]
    assert kept(alpha_admin) == []
    confirmed = {"confirm": True, "confirmation": preview["confirmation"]}
    first, second = (admin("crm_create", **converted, **confirmed) for _ in range(2))
    assert (first["id"], second["repeated"]) == (second["id"], True)
    assert leads(alpha_admin) == 1


def test_repeated_action(admin, alpha_admin) -> None:
    lead = admin("crm_create", entity="leads", data=NEW)["id"]
    comment = {"action": "add_comment", "params": {"comment": "x"}, "idempotency_key": "k1"}
    first, second = (admin("crm_action", entity="leads", id=lead, **comment) for _ in range(2))
    assert "repeated" not in first
    assert second["repeated"] is True
    assert second["result"]["record"] == first["result"]["record"]
    with org_context(alpha_admin.org):
        assert Comment.objects.count() == 1


def test_repeated_action_that_can_be_done_once_only(admin, alpha_admin) -> None:
    lead = admin("crm_create", entity="leads", data=MAILED)["id"]
    convert = {"entity": "leads", "id": lead, "action": "convert", "idempotency_key": "k1"}
    assert "result" in admin("crm_action", **convert, confirm=True)
    # Not asked to confirm again what is done.
    assert admin("crm_action", **convert, confirm=True)["repeated"] is True
    assert admin("crm_action", **convert)["repeated"] is True


def test_token_that_may_only_write(tools_of, alpha_admin) -> None:
    call = tools_of(alpha_admin, scopes=["leads:write"])
    first, second = (call("crm_create", **KEYED) for _ in range(2))
    assert first["id"] == second["id"]
    assert (second["record"], second["repeated"]) == (None, True)


@pytest.mark.parametrize("key", ["", "x" * 129, 1, "a\x00b"])
def test_key_of_the_wrong_form(admin, alpha_admin, key) -> None:
    error = admin("crm_create", **KEYED | {"idempotency_key": key})["error"]
    assert error["code"] == "invalid_arguments"
    assert leads(alpha_admin) == 0


@pytest.mark.parametrize("key", ["x" * 128, "ключ 🔑", "'; DROP TABLE demo_crm_lead; --", "%s"])
def test_key_is_any_text(admin, key) -> None:
    first, second = (admin("crm_create", **KEYED | {"idempotency_key": key}) for _ in range(2))
    assert (first["id"], second["repeated"]) == (second["id"], True)


def test_rows_of_another_organisation_are_hidden(admin, alpha_admin, beta_admin) -> None:
    admin("crm_create", **KEYED)
    (row,) = kept(alpha_admin)
    assert kept(beta_admin) == []
    assert not KeyedWrite.objects.exists()
    with org_context(beta_admin.org):
        assert KeyedWrite.objects.filter(pk=row.pk).update(record_id="x") == 0
        assert KeyedWrite.objects.filter(pk=row.pk).delete()[0] == 0
        row.pk, row._state.adding = None, True
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            row.save()


@pytest.mark.parametrize("model", [KeyedWrite, OpenForm])
def test_row_level_security_is_forced(db, model) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass",
            [model._meta.db_table],
        )
        assert cursor.fetchone() == (True, True)


def test_before_the_migration(admin, alpha_admin) -> None:
    call_command("migrate", "bottlecrm_mcp", "zero", verbosity=0)
    with pytest.raises(GatewayError, match="migrate bottlecrm_mcp") as refusal:
        admin("crm_create", **KEYED)
    assert refusal.value.code == "not_supported"
    assert leads(alpha_admin) == 0
    assert admin("crm_create", entity="leads", data=NEW)["id"]
    assert [each.id for each in check_keyed_writes()] == ["bottlecrm_mcp.W003"]
    assert [each.id for each in check_forms()] == ["bottlecrm_mcp.W004"]
    call_command("migrate", "bottlecrm_mcp", verbosity=0)
    assert check_keyed_writes() == check_forms() == []
    assert admin("crm_create", **KEYED)["id"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("era", [MODERN, LEGACY])
def test_through_the_client(token_for, alpha_admin, era) -> None:
    async def steps(agent: Agent) -> Any:
        return [await agent("crm_create", **KEYED) for _ in range(2)]

    first, second = as_agent(token_for(alpha_admin), steps, era)
    assert (first["id"], second["repeated"]) == (second["id"], True)
    assert leads(alpha_admin) == 1


def test_token_of_any_source(crm_of, alpha_admin) -> None:
    crm = crm_of(alpha_admin)
    crm.gateway.caller = replace(crm.caller, token_id="17")
    first, second = (crm_create(crm, **KEYED) for _ in range(2))
    assert (first["id"], second["repeated"]) == (second["id"], True)
    assert [row.token_id for row in kept(alpha_admin)] == ["17"]


class Race:
    """Two calls at once: both have looked for the key before the first is allowed to end."""

    def __init__(self, crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
        self.crm = crm
        self.inside, self.go = threading.Event(), threading.Event()
        create, take = LeadList.create, idempotency.Claim.take
        self.fails = False

        def slow(view: Any, data: Any) -> Any:
            record = create(view, data)
            self.inside.set()
            self.go.wait(30)
            if self.fails:
                self.fails = False
                raise ZeroDivisionError
            return record

        def late(claim: Any) -> bool:
            if self.inside.is_set():
                # Soon after this the second waits for the first.
                threading.Timer(0.2, self.go.set).start()
            return take(claim)

        monkeypatch.setattr(LeadList, "create", slow)
        monkeypatch.setattr(idempotency.Claim, "take", late)

    def call(self, **changes: Any) -> dict[str, Any]:
        tool = Registry(self.crm.catalogue).get("crm_create")
        assert tool is not None
        try:
            return thread_pool.framed(lambda: tool.call(self.crm, {**KEYED, **changes}))
        except Exception as problem:
            return {"problem": problem}

    def run(self, **changes: Any) -> list[dict[str, Any]]:
        with ThreadPoolExecutor(2) as threads:
            first = threads.submit(self.call)
            assert self.inside.wait(30)
            second = threads.submit(self.call, **changes)
            return [first.result(60), second.result(60)]


@pytest.fixture
def race(crm_of: Callable[..., Crm], alpha_admin: Profile, monkeypatch: Any, settings: Any) -> Race:
    settings.BOTTLECRM_MCP = with_settings(CALL_SECONDS=20)
    with database_call():
        return Race(crm_of(alpha_admin), monkeypatch)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_write_once(race, alpha_admin) -> None:
    first, second = race.run()
    assert (first["id"], second["repeated"]) == (second["id"], True)
    assert leads(alpha_admin) == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_with_other_arguments(race, alpha_admin) -> None:
    first, second = race.run(data={**NEW, "title": "CTO"})
    assert first["id"]
    assert second["problem"].code == "key_reused"
    assert leads(alpha_admin) == 1


@pytest.mark.django_db(transaction=True)
def test_second_writes_if_the_first_is_rolled_back(race, alpha_admin) -> None:
    race.fails = True
    first, second = race.run()
    assert first["problem"].code == "crm_error"
    assert second["id"]
    assert "repeated" not in second
    assert leads(alpha_admin) == 1
