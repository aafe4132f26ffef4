"""What is agreed to is what happens, whoever changes the record or the token meanwhile."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway, database_call
from bottlecrm_mcp.gateway.in_process.idempotency import Claim
from bottlecrm_mcp.gateway.in_process.row_versions import WatchedRow
from bottlecrm_mcp.models import KeyedWrite
from bottlecrm_mcp.tools.crm import MOST_TRIES
from demo_crm.access.row_security import org_context
from demo_crm.models import (
    Account,
    Case,
    Comment,
    Invoice,
    Lead,
    Opportunity,
    Profile,
    Task,
)
from tests.agent import Agent, as_agent
from tests.bottlecrm_mcp.hosted.withdrawal import revoke

pytestmark = pytest.mark.django_db(transaction=True)

LONGER_THAN_A_LOOK_HOLDS = 0.4


@contextmanager
def before_each_write(work: Callable[[int], Any]) -> Iterator[None]:
    """Do this, with the number of the write, when a tool is about to write what it has judged."""
    write, number = InProcessGateway.write, iter(range(100))

    def after_work(self: Any, *arguments: Any, **options: Any) -> Any:
        work(next(number))
        return write(self, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(InProcessGateway, "write", after_work)
        yield


def changed(record: Any, *, often: int = 1, **values: Any) -> Any:
    """Others change the record between the look at it and the write, so many times."""

    def change(number: int) -> None:
        if number < often:
            with org_context(record.org):
                type(record).objects.filter(pk=record.pk).update(**values)

    return before_each_write(change)


def now(record: Any) -> Any:
    with org_context(record.org):
        return type(record).objects.get(pk=record.pk)


@pytest.fixture
def invoice(alpha: Any) -> Invoice:
    draft: Invoice = alpha.invoices[1]
    with org_context(draft.org):
        Invoice.objects.filter(pk=draft.pk).update(status="Draft", client_email="ann@lee.test")
    return draft


def test_mail_goes_to_whom_the_preview_named(tools_of: Any, alpha: Any, invoice: Invoice) -> None:
    call = tools_of(alpha.admin)
    send = {"entity": "invoices", "id": str(invoice.pk), "action": "send"}
    agreed = {"confirm": True, "confirmation": call("crm_action", **send)["confirmation"]}
    with changed(invoice, client_email="eve@evil.test"):
        answer = call("crm_action", **send, **agreed)
    assert answer["confirmation_required"]
    assert "eve@evil.test" in str(answer["preview"])
    assert now(invoice).status == "Draft"


def test_change_of_an_invoice_that_was_just_sent(
    tools_of: Any, alpha: Any, invoice: Invoice
) -> None:
    line = {"name": "Consulting", "quantity": 1, "unit_price": 5}
    call = tools_of(alpha.admin)
    with changed(invoice, status="Sent"):
        answer = call(
            "crm_update", entity="invoices", id=str(invoice.pk), data={"line_items": [line]}
        )
    assert answer["confirmation_required"], answer


def test_delete_of_what_changed(tools_of: Any, alpha: Any) -> None:
    call, lead = tools_of(alpha.admin), alpha.leads[1]
    asked = {"entity": "leads", "id": str(lead.pk)}
    agreed = {"confirm": True, "confirmation": call("crm_delete", **asked)["confirmation"]}
    with changed(lead, company_name="Our best customer"):
        answer = call("crm_delete", **asked, **agreed)
    assert answer["preview"]["record"]["company_name"] == "Our best customer"
    assert now(lead)


def test_delete_of_what_has_more_by_now(tools_of: Any, alpha: Any) -> None:
    call = tools_of(alpha.admin)
    with org_context(alpha.org):
        account = Account.objects.create(org=alpha.org, name="Acme")
    asked = {"entity": "accounts", "id": str(account.pk)}
    agreed = {"confirm": True, "confirmation": call("crm_delete", **asked)["confirmation"]}

    def add(number: int) -> None:
        with org_context(alpha.org):
            Opportunity.objects.create(org=alpha.org, name="Big deal", account=account)

    with before_each_write(add):
        answer = call("crm_delete", **asked, **agreed)
    assert answer["preview"]["among_them"] == {"opportunities": ["Big deal"]}
    assert now(account)


def test_nothing_is_added_once_a_delete_has_looked(
    tools_of: Any, alpha: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who adds a deal to an account that is being deleted is refused: it would go unseen."""
    call = tools_of(alpha.admin)
    with org_context(alpha.org):
        account = Account.objects.create(org=alpha.org, name="Acme")
    asked = {"entity": "accounts", "id": str(account.pk)}
    agreed = {"confirm": True, "confirmation": call("crm_delete", **asked)["confirmation"]}
    lock = WatchedRow.lock_unchanged

    def add() -> None:
        with database_call(), org_context(alpha.org):
            Opportunity.objects.create(org=alpha.org, name="Big deal", account=account)

    with ThreadPoolExecutor(1) as pool:
        adding: list[Future[None]] = []

        def locked(row: WatchedRow) -> bool:
            is_unchanged = lock(row)
            adding.append(pool.submit(add))
            _wait_until_somebody_waits()
            return is_unchanged

        monkeypatch.setattr(WatchedRow, "lock_unchanged", locked)
        assert call("crm_delete", **asked, **agreed)["deleted"]
        with pytest.raises(IntegrityError):
            adding[0].result()


def test_one_of_many_that_changed(tools_of: Any, alpha: Any) -> None:
    """A count of them would be the same."""
    call = tools_of(alpha.admin)
    with org_context(alpha.org):
        account = Account.objects.create(org=alpha.org, name="Acme")
        deals = [Opportunity(org=alpha.org, name=f"{n}", account=account) for n in range(120)]
        Opportunity.objects.bulk_create(deals)
    asked = {"entity": "accounts", "id": str(account.pk)}
    preview = call("crm_delete", **asked)["preview"]
    assert preview["deleted_with_it"] == {"opportunities": 120}
    assert len(preview["among_them"]["opportunities"]) == 10
    agreed = {"confirm": True, "confirmation": call("crm_delete", **asked)["confirmation"]}
    with org_context(alpha.org):
        deals[60].amount = 1_000_000
        deals[60].save()
    assert call("crm_delete", **asked, **agreed)["confirmation_required"]
    assert now(account)


def test_comment_that_is_rewritten_before_its_delete(tools_of: Any, alpha: Any) -> None:
    call, lead = tools_of(alpha.admin), alpha.leads[1]
    with org_context(alpha.org):
        comment = Comment.objects.create(org=alpha.org, content_object=lead, comment="Spam")
    asked = {
        "entity": "leads",
        "id": str(lead.pk),
        "action": "delete_comment",
        "params": {"comment_id": str(comment.pk)},
    }
    agreed = {"confirm": True, "confirmation": call("crm_action", **asked)["confirmation"]}
    with changed(comment, comment="The customer's only promise"):
        answer = call("crm_action", **asked, **agreed)
    assert answer["preview"]["comment"]["comment"] == "The customer's only promise"
    assert now(comment)


def test_target_of_a_merge_changes_before_it(tools_of: Any, alpha: Any) -> None:
    call, (case, into) = tools_of(alpha.admin), alpha.cases[1:3]
    asked = {
        "entity": "cases",
        "id": str(case.pk),
        "action": "merge",
        "params": {"into": str(into.pk)},
    }
    agreed = {"confirm": True, "confirmation": call("crm_action", **asked)["confirmation"]}
    with changed(into, description="Another customer's, by now"):
        answer = call("crm_action", **asked, **agreed)
    assert answer["confirmation_required"]
    assert now(case).status != "Duplicate"


def test_child_that_changed_is_left_alone(tools_of: Any, alpha: Any) -> None:
    """An action that reaches records below is one change for each of them."""
    call, parent = tools_of(alpha.admin), alpha.cases[1]
    with org_context(parent.org):
        child = Case.objects.create(
            org=parent.org, name="Below", status="New", priority="Low", parent=parent
        )

    def change(number: int) -> None:
        if number == 1:
            with org_context(child.org):
                Case.objects.filter(pk=child.pk).update(name="Below, and now another")

    asked = {
        "entity": "cases",
        "id": str(parent.pk),
        "action": "close_with_children",
        "params": {"closed_on": "2026-01-31"},
    }
    agreed = {"confirm": True, "confirmation": call("crm_action", **asked)["confirmation"]}
    with before_each_write(change):
        answer = call("crm_action", **asked, **agreed)
    (below,) = answer["result"]["also"]
    assert not below["done"]
    assert "Nothing was changed" in below["reason"]
    assert now(child).status == "New"


def test_harmless_change_is_judged_again_and_made(tools_of: Any, alpha: Any) -> None:
    call, lead = tools_of(alpha.admin), alpha.leads[1]
    with changed(lead, company_name="Acme"):
        answer = call("crm_update", entity="leads", id=str(lead.pk), data={"title": "CTO"})
    assert answer["changed"].keys() == {"title"}
    assert (now(lead).company_name, now(lead).title) == ("Acme", "CTO")


def test_record_that_keeps_changing(crm_of: Any, tools_of: Any, secret: str, alpha: Any) -> None:
    lead = alpha.leads[1]
    update = {"entity": "leads", "id": str(lead.pk), "data": {"title": "CTO"}}
    with changed(lead, often=MOST_TRIES, company_name="Acme"):
        error = as_agent(secret, lambda agent: agent.refused("crm_update", **update))
    assert error["code"] == "conflict"
    assert "Nothing was changed" in error["message"]
    assert now(lead).title != "CTO"


def test_record_that_is_gone(tools_of: Any, alpha: Any) -> None:
    call, task = tools_of(alpha.admin), alpha.tasks[1]

    def delete(number: int) -> None:
        with org_context(task.org):
            Task.objects.filter(pk=task.pk).delete()

    with before_each_write(delete):
        answer = call("crm_update", entity="tasks", id=str(task.pk), data={"title": "x"})
    assert answer["error"]["code"] == "not_found"


def test_many_updates_of_one_record(secret: str, alpha: Any) -> None:
    """In parallel none is lost: each is made on what the one before it left."""
    lead = alpha.leads[1]
    fields = ("title", "company_name", "phone", "website")
    values = {name: f"https://{name}.test" if name == "website" else name for name in fields}
    values["phone"] = "+14155552671"

    async def steps(agent: Agent, name: str) -> Any:
        return await agent("crm_update", entity="leads", id=str(lead.pk), data={name: values[name]})

    def update(name: str) -> Any:
        return as_agent(secret, lambda agent: steps(agent, name))

    with ThreadPoolExecutor(len(fields)) as pool:
        list(pool.map(update, fields))
    assert {name: getattr(now(lead), name) for name in fields} == values


def test_two_adds_at_once(secret: str, alpha: Any) -> None:
    """Each is made on what the one before left, also where nothing else of the record changes."""
    account = alpha.accounts[1]
    with org_context(alpha.org):
        account.tags.clear()
    names = [each.name for each in alpha.tags[:4]]

    def add(name: str) -> Any:
        data = {"tags": {"add": [name]}}
        update = {"entity": "accounts", "id": str(account.pk), "data": data}
        return as_agent(secret, lambda agent: agent("crm_update", **update))

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(add, names))
    assert sorted(_tags(account)) == sorted(names)


def _tags(record: Any) -> list[str]:
    with org_context(record.org):
        return [each.name for each in record.tags.all()]


@contextmanager
def held_by_others(hold: Callable[[], object], secret: str, person: Profile) -> Iterator[None]:
    """Others hold what the write needs, until the token is revoked and a while has passed."""
    is_held, let_go = threading.Event(), threading.Event()

    def others() -> None:
        with database_call(), org_context(person.org), transaction.atomic():
            hold()
            is_held.set()
            let_go.wait(20)
            transaction.set_rollback(True)

    def revoke_and_let_go() -> None:
        with database_call():
            _wait_until_somebody_waits()
            revoke(person)
        time.sleep(LONGER_THAN_A_LOOK_HOLDS)
        let_go.set()

    with ThreadPoolExecutor(2) as pool:
        holding = pool.submit(others)
        assert is_held.wait(20)
        revoking = pool.submit(revoke_and_let_go)
        yield
        revoking.result()
        holding.result()


def _wait_until_somebody_waits() -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_revoked_while_the_write_waits_for_its_key(
    secret: str, alpha: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another call with the same key has not ended yet."""
    claims: list[Claim] = []
    take = Claim.take

    def noted(claim: Claim) -> bool:
        claims.append(claim)
        return take(claim)

    create = {"entity": "leads", "data": {"last_name": "Lee"}, "idempotency_key": "k"}
    with monkeypatch.context() as patch:
        patch.setattr(Claim, "take", noted)
        as_agent(secret, lambda agent: agent("crm_create", **create))
    with org_context(alpha.org):
        KeyedWrite.objects.all().delete()
        before = Lead.objects.count()
    with held_by_others(lambda: claims[0].take(), secret, alpha.admin):
        error = as_agent(secret, lambda agent: agent.refused("crm_create", **create))
    assert error["code"] == "unauthorized", error
    with org_context(alpha.org):
        assert Lead.objects.count() == before


def test_revoked_while_the_write_waits_for_its_record(secret: str, alpha: Any) -> None:
    lead = alpha.leads[1]
    update = {"entity": "leads", "id": str(lead.pk), "data": {"title": "CTO"}}

    def hold() -> None:
        Lead.objects.select_for_update().get(pk=lead.pk)

    with held_by_others(hold, secret, alpha.admin):
        error = as_agent(secret, lambda agent: agent.refused("crm_update", **update))
    assert error["code"] == "unauthorized", error
    assert now(lead).title != "CTO"


def test_quick_write_looks_once(tools_of: Any, alpha: Any) -> None:
    call, lead = tools_of(alpha.admin), alpha.leads[1]
    with CaptureQueriesContext(connection) as captured:
        call("crm_update", entity="leads", id=str(lead.pk), data={"title": "CTO"})
    versions = [each["sql"] for each in captured if "xmin" in each["sql"]]
    assert [each.endswith("FOR NO KEY UPDATE") for each in versions] == [False, True]


@pytest.mark.parametrize("which", [{"ids": slice(2, 4)}, {"id": 2}], ids=["several", "one"])
def test_another_call_at_once_under_the_same_key(
    secret: str, alpha: Any, which: dict[str, Any]
) -> None:
    """Both have found the key unused; one is made, the other not, and the first can be repeated."""
    with org_context(alpha.org):
        tasks = [
            Task.objects.create(org=alpha.org, title="T", status="New", priority="Low")
            for _ in range(4)
        ]
    ids = [str(task.pk) for task in tasks]
    of_both = {"entity": "tasks", "data": {"priority": "High"}, "idempotency_key": "k"}
    late = {**of_both, "ids": ids[:2]}
    quick = {**of_both, **{name: ids[at] for name, at in which.items()}}

    async def seal(agent: Agent, update: dict[str, Any]) -> dict[str, Any]:
        if "id" in update:
            return update
        shown = await agent("crm_update", **update)
        return {**update, "confirm": True, "confirmation": shown["confirmation"]}

    async def seals(agent: Agent) -> list[dict[str, Any]]:
        return [await seal(agent, each) for each in (late, quick)]

    late_sealed, quick_sealed = as_agent(secret, seals)

    def come_first(number: int) -> None:
        if number == 0:
            call = pool.submit(as_agent, secret, lambda agent: agent("crm_update", **quick_sealed))
            assert call.result()

    with ThreadPoolExecutor(1) as pool, before_each_write(come_first):
        error = as_agent(secret, lambda agent: agent.refused("crm_update", **late_sealed))
    assert error["code"] == "key_reused"
    done = quick.get("ids", [quick.get("id")])
    assert {str(each.pk) for each in tasks if now(each).priority == "High"} == set(done)
    again = as_agent(secret, lambda agent: agent("crm_update", **quick))
    assert again["repeated"]
