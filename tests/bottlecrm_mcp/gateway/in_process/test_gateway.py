from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.http import HttpResponseRedirect
from django.utils import timezone
from rest_framework.response import Response

from bottlecrm_mcp.gateway.base import GatewayError, Subject
from bottlecrm_mcp.gateway.in_process import gateway as in_process
from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway, Origin, database_call
from bottlecrm_mcp.tools.errors import MAYBE_KEPT
from demo_crm.access import row_security
from demo_crm.access.row_security import org_context
from demo_crm.entities.sales.contacts import ContactList
from demo_crm.entities.sales.leads import LeadList
from demo_crm.models import Account, Contact, Lead
from tests.bottlecrm_mcp.population import ENTITIES, unchanged


def current_org() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('app.current_org', true), '')")
        return cursor.fetchone()[0]


def require_clean_thread() -> None:
    assert current_org() == ""
    assert timezone.get_current_timezone_name() == "UTC"
    assert not in_process._dispatching.get()


@pytest.fixture
def gateway(crm_of, alpha_admin):
    return crm_of(alpha_admin).gateway


def during_list(monkeypatch, work) -> None:
    """Do `work` inside the view that lists contacts."""
    envelope = ContactList.envelope

    def envelope_after_work(self, records):
        work(self.request)
        return envelope(self, records)

    monkeypatch.setattr(ContactList, "envelope", envelope_after_work)


def test_acts_in_the_organisation_and_its_day(gateway, alpha_admin, monkeypatch) -> None:
    seen = SimpleNamespace()

    def look(request):
        seen.org, seen.zone = current_org(), timezone.get_current_timezone_name()
        seen.user = request.user

    during_list(monkeypatch, look)
    assert gateway.read("/api/contacts/").ok
    assert seen.org == str(alpha_admin.org_id)
    assert seen.zone == "Asia/Kolkata"
    assert seen.user == alpha_admin.user
    require_clean_thread()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/leads/", 200),
        ("/api/leads/?assigned_to=x", 404),
        ("/api/leads/00000000-0000-4000-8000-000000000000/", 404),
        ("/api/nothing/", 404),
    ],
)
def test_nothing_stays_behind(gateway, path, status) -> None:
    assert gateway.read(path).status == status
    require_clean_thread()


def test_nothing_stays_behind_after_an_exception(gateway, monkeypatch) -> None:
    during_list(monkeypatch, lambda request: 1 / 0)
    reply = gateway.read("/api/contacts/")
    assert reply.status == 500
    require_clean_thread()


@pytest.mark.django_db(transaction=True)
def test_requests_of_one_call_see_their_own_organisation(
    crm_of, alpha_admin, beta_admin, monkeypatch
) -> None:
    """Also after one that failed, and after another's call on the same connection."""
    seen: list[str] = []

    def look(request):
        seen.append(current_org())
        if len(seen) == 2:
            raise ZeroDivisionError

    during_list(monkeypatch, look)
    for owner in (alpha_admin, beta_admin):
        gateway = crm_of(owner).gateway
        with database_call(), gateway.session():
            statuses = [gateway.read("/api/contacts/").status for _ in range(3)]
            require_clean_thread()
        assert statuses == ([200, 500, 200] if owner is alpha_admin else [200] * 3)
    assert seen == [str(alpha_admin.org_id)] * 3 + [str(beta_admin.org_id)] * 3
    require_clean_thread()


def test_nothing_stays_behind_after_an_exception_in_a_write(gateway, monkeypatch) -> None:
    monkeypatch.setattr(ContactList, "answer_created", lambda self, record: 1 / 0)
    with unchanged():
        assert gateway.write("POST", "/api/contacts/", {"first_name": "A", "last_name": "B"}).status
    require_clean_thread()


def test_context_that_the_host_leaves_behind_is_cleared(gateway, beta_admin, monkeypatch) -> None:
    from demo_crm.access.middleware import OrgContextMiddleware

    def leaky(self, request):
        from demo_crm.access.row_security import set_current_org

        set_current_org(beta_admin.org_id)
        return Response(status=204)

    monkeypatch.setattr(OrgContextMiddleware, "__call__", leaky)
    monkeypatch.setattr(in_process, "dispatcher", in_process.Dispatcher)
    gateway.read("/api/leads/")
    assert current_org() == ""


def test_call_inside_a_call(gateway, monkeypatch) -> None:
    failures = []

    def nested(request):
        try:
            gateway.read("/api/leads/")
        except RuntimeError as failure:
            failures.append(str(failure))

    during_list(monkeypatch, nested)
    assert gateway.read("/api/contacts/").ok
    assert failures == ["A request to the CRM was made from inside another one."]


def test_revoked_token(crm_of, alpha_admin) -> None:
    from pat_tokens.models import Token

    crm = crm_of(alpha_admin)
    assert crm.gateway.read("/api/leads/").ok
    with org_context(alpha_admin.org):
        Token.objects.get(pk=crm.caller.token_id).revoke()
    assert crm.gateway.read("/api/leads/").status == 403


def test_inner_request_is_that_of_the_outer_one(crm_of, alpha_admin, monkeypatch) -> None:
    gateway = crm_of(alpha_admin).gateway
    gateway.origin = Origin(
        "localhost", "443", "https", "203.0.113.7", (("HTTP_HOST", "localhost"),)
    )
    seen: dict[str, Any] = {}
    during_list(
        monkeypatch,
        lambda request: seen.update(url=request.build_absolute_uri(), meta=request._request.META),
    )
    assert gateway.read("/api/contacts/", {"search": ["a&b", "c"]}).ok
    assert seen["url"] == "https://localhost/api/contacts/?search=a%26b&search=c"
    assert seen["meta"]["REMOTE_ADDR"] == "203.0.113.7"
    assert "HTTP_COOKIE" not in seen["meta"]


def test_redirect_is_a_fault(gateway, monkeypatch) -> None:
    monkeypatch.setattr(ContactList, "get", lambda self, request: HttpResponseRedirect("/x/"))
    with pytest.raises(GatewayError) as fault:
        gateway.read("/api/contacts/")
    assert fault.value.code == "misconfigured"


# Each of these leaves a record, or empties a field, where the REST API is asked.
REFUSED_CREATES = [
    ("/api/leads/", {"first_name": "A", "assigned_to": ["x"]}, 400),
    ("/api/leads/", {"first_name": "A", "probability": -1}, 400),
    ("/api/contacts/", {"first_name": "A", "last_name": "B", "tags": ["x"]}, 500),
    ("/api/accounts/", {"name": "A", "contacts": ["x"]}, 500),
    ("/api/tasks/", {"title": "A", "status": "New", "priority": "Low", "tags": ["x"]}, 500),
]


@pytest.mark.parametrize(("path", "body", "status"), REFUSED_CREATES)
def test_refused_create_leaves_nothing(gateway, path, body, status) -> None:
    with unchanged():
        assert gateway.write("POST", path, body).status == status


@pytest.mark.parametrize("name", ["leads", "contacts", "accounts", "opportunities", "cases"])
def test_refused_update_keeps_everything(gateway, alpha, name) -> None:
    record = getattr(alpha, name)[2]
    with unchanged():
        body = {"description": "new", "assigned_to": ["x"]}
        reply = gateway.write("PATCH", ENTITIES[name].record_path(str(record.pk)), body)
        assert reply.status >= 400


def test_refused_create_leaves_something_without_the_gateway(api, alpha_admin) -> None:
    # So that the tests above are known to test something.
    body = {"first_name": "A", "assigned_to": ["x"]}
    assert api(alpha_admin).post("/api/leads/", body, format="json").status_code == 400
    with org_context(alpha_admin.org):
        assert Lead.objects.count() == 1


def test_success_out_of_a_poisoned_transaction_is_not_saved(gateway, monkeypatch) -> None:
    create = LeadList.create

    def swallow(self, data):
        lead = create(self, data)
        with suppress(DatabaseError):
            connection.cursor().execute("SELECT 1 / 0")
        return lead

    monkeypatch.setattr(LeadList, "create", swallow)
    with unchanged(), pytest.raises(GatewayError) as fault:
        gateway.write(
            "POST", "/api/leads/", {"first_name": "A"}, subject=Subject(ENTITIES["leads"])
        )
    assert fault.value.code == "not_saved"
    require_clean_thread()


def test_error_behind_a_savepoint_of_the_host_is_no_fault(gateway, alpha_admin, monkeypatch):

    create = LeadList.create

    def recover(self, data):
        lead = create(self, data)
        with suppress(DatabaseError), transaction.atomic():
            connection.cursor().execute("SELECT 1 / 0")
        return lead

    monkeypatch.setattr(LeadList, "create", recover)
    assert gateway.write("POST", "/api/leads/", {"first_name": "A"}).ok
    with org_context(alpha_admin.org):
        assert Lead.objects.count() == 1


def test_created_id_is_that_of_the_entity(gateway, alpha_admin) -> None:
    # A lead created as converted makes an account, a contact and an opportunity too.
    body = {"first_name": "A", "email": "a@b.test", "status": "converted"}
    reply = gateway.write("POST", "/api/leads/", body, subject=Subject(ENTITIES["leads"]))
    with org_context(alpha_admin.org):
        assert str(Lead.objects.get().pk) == reply.created_id
        assert Account.objects.count() == Contact.objects.count() == 1


def test_created_id_of_a_refused_create(gateway) -> None:
    body = {"first_name": "A", "assigned_to": ["x"]}
    reply = gateway.write("POST", "/api/leads/", body, subject=Subject(ENTITIES["leads"]))
    assert reply.status == 400
    assert reply.created_id == ""


@pytest.mark.django_db(transaction=True)
def test_connection_killed_during_a_call(crm_of, alpha_admin, monkeypatch) -> None:
    gateway = crm_of(alpha_admin).gateway
    with monkeypatch.context() as patch:
        during_list(patch, lambda request: kill_backend())
        with database_call():
            killed = backend()
            assert gateway.read("/api/contacts/").status == 500
    with database_call():
        assert backend() != killed
        assert current_org() == ""
        assert gateway.read("/api/contacts/").ok


@pytest.mark.django_db(transaction=True)
def test_connection_killed_before_the_commit(crm_of, alpha_admin, monkeypatch) -> None:
    gateway = crm_of(alpha_admin).gateway
    create = LeadList.create

    def create_and_die(self, data):
        lead = create(self, data)
        kill_backend()
        return lead

    monkeypatch.setattr(LeadList, "create", create_and_die)
    with database_call():
        assert gateway.write("POST", "/api/leads/", {"first_name": "A"}).status == 500
    with database_call():
        assert current_org() == ""
        with org_context(alpha_admin.org):
            assert Lead.objects.count() == 0


def lose_the_answer(monkeypatch) -> None:
    """The connection breaks at the commit, and nobody tells whether it came through."""
    commit = connection.commit

    def commit_and_die() -> None:
        commit()
        kill_backend()

    monkeypatch.setattr(connection, "commit", commit_and_die)


def fail_after_the_commit(monkeypatch) -> None:
    """The host's middleware finds the connection broken when it clears the organisation."""

    def broken(org_id: Any) -> None:
        raise DatabaseError("the connection is closed")

    monkeypatch.setattr(row_security, "set_current_org", broken)


def fail_on_commit(monkeypatch) -> None:
    transaction.on_commit(lambda: 1 / 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fail", [lose_the_answer, fail_on_commit, fail_after_the_commit])
def test_failure_of_the_commit_leaves_the_outcome_open(
    tools_of, alpha_admin, monkeypatch, fail
) -> None:
    call, create = tools_of(alpha_admin), LeadList.create

    with monkeypatch.context() as patch:

        def create_and_fail(self, data):
            lead = create(self, data)
            fail(patch)
            return lead

        patch.setattr(LeadList, "create", create_and_fail)
        with database_call():
            error = call("crm_create", entity="leads", data={"first_name": "A"})["error"]
    assert error["code"] == "crm_error"
    assert error["hint"] == MAYBE_KEPT
    with database_call(), org_context(alpha_admin.org):
        assert Lead.objects.count() == 1


def test_what_is_written_and_can_not_be_read_back_is_done(admin, alpha, monkeypatch) -> None:
    lead = str(alpha.leads[1].pk)
    write = InProcessGateway.write

    def write_and_stop(self, *args, **kwargs):
        reply = write(self, *args, **kwargs)
        monkeypatch.setattr(InProcessGateway, "read", unavailable)
        monkeypatch.setattr(InProcessGateway, "find", unavailable)
        return reply

    for tool, arguments in (
        ("crm_create", {"data": {"first_name": "A"}}),
        ("crm_update", {"id": lead, "data": {"first_name": "B"}}),
        ("crm_action", {"id": lead, "action": "add_comment", "params": {"comment": "C"}}),
    ):
        with monkeypatch.context() as monkeypatch:
            monkeypatch.setattr(InProcessGateway, "write", write_and_stop)
            monkeypatch.setattr(InProcessGateway, "_read_back", lambda *_: None)
            answer = admin(tool, entity="leads", **arguments)
        assert answer["id"]
        assert "This is done. Only reading" in (answer.get("result") or answer)["record_not_shown"]


def unavailable(*_, **__):
    raise GatewayError("unavailable", "The database did not answer; try again.")


@pytest.mark.django_db(transaction=True)
def test_tools_on_a_killed_connection(tools_of, alpha_admin, monkeypatch) -> None:
    call = tools_of(alpha_admin)
    with org_context(alpha_admin.org):
        contact = str(Contact.objects.create(org=alpha_admin.org, last_name="A").pk)
    commented = {"action": "add_comment", "params": {"comment": "B"}}
    calls = (
        ("crm_search", {"entity": "contacts"}),
        ("crm_summarize", {"entity": "contacts"}),
        ("crm_action", {"entity": "contacts", "id": contact, **commented}),
        ("crm_create", {"entity": "opportunities", "data": {"name": "C", "contacts": contact}}),
    )
    with monkeypatch.context() as patch:
        during_list(patch, lambda request: kill_backend())
        for tool, arguments in calls:
            with database_call():
                assert call(tool, **arguments)["error"]["code"] == "crm_error", tool
    with database_call():
        assert call("crm_search", entity="contacts")["total"] == 1


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def kill_backend() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
