"""A call ends in time, says what became of it, and leaves nothing on the connection."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from mcp.shared.exceptions import MCPError

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.base import OUTCOME_UNKNOWN, GatewayError
from bottlecrm_mcp.gateway.in_process import deadline, live_connection, transactions
from bottlecrm_mcp.gateway.in_process.deadline import Deadline
from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway
from bottlecrm_mcp.hosted import execution, thread_pool
from bottlecrm_mcp.hosted.authentication import authenticate
from bottlecrm_mcp.tools.errors import MAYBE_KEPT, NOTHING_CHANGED
from demo_crm.access.row_security import org_context
from demo_crm.entities.sales.leads import LeadList
from demo_crm.models import Lead, Profile
from tests.agent import LEGACY, MODERN, Agent, as_agent
from tests.bottlecrm_mcp.population import with_settings

pytestmark = pytest.mark.django_db(transaction=True)

NEW = {"entity": "leads", "data": {"first_name": "Ann", "last_name": "Lee"}}


@pytest.fixture
def _little_time(settings, monkeypatch) -> None:
    """A call has a minute until its view begins, however busy a machine is, and little then."""
    settings.BOTTLECRM_MCP = with_settings(CALL_SECONDS=60)
    monkeypatch.setattr(execution, "GRACE_SECONDS", 60)
    for view in (transactions.ReadView, transactions.AtomicView):
        monkeypatch.setattr(view, "__call__", cut_short(view.__call__))


def cut_short(run: Callable[..., Any]) -> Callable[..., Any]:
    def run_in_time(self: Any, *arguments: Any) -> Any:
        self.deadline._until = time.monotonic() + 0.2
        return run(self, *arguments)

    return run_in_time


@pytest.fixture
def _two_seconds(settings) -> None:
    settings.BOTTLECRM_MCP = with_settings(CALL_SECONDS=2)


@pytest.fixture
def secret(token_for, alpha_admin) -> str:
    return token_for(alpha_admin)


def query(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def during(monkeypatch: pytest.MonkeyPatch, name: str, work: Callable[[], Any]) -> None:
    """Do `work` at the end of this method of the view that lists and creates leads."""
    method = getattr(LeadList, name)

    def worked(self: Any, *arguments: Any) -> Any:
        result = method(self, *arguments)
        work()
        return result

    monkeypatch.setattr(LeadList, name, worked)


def leads(profile: Profile) -> int:
    with org_context(profile.org):
        return Lead.objects.count()


@contextmanager
def locked(sql: str) -> Iterator[None]:
    """Somebody else holds a lock."""
    with psycopg.connect(**connection.get_connection_params() | {"autocommit": False}) as other:
        other.execute(sql.encode())
        yield
        other.rollback()


@pytest.mark.usefixtures("_little_time")
@pytest.mark.parametrize("era", [MODERN, LEGACY])
def test_slow_search(secret, monkeypatch, era) -> None:
    async def steps(agent: Agent) -> Any:
        during(monkeypatch, "visible", lambda: query("SELECT pg_sleep(60)"))
        error = await agent.refused("crm_search", entity="leads")
        monkeypatch.undo()
        found = await agent("crm_search", entity="leads")
        threads = mcp_settings().THREADS
        everyone = threading.Barrier(threads)
        each = (thread_pool.in_pool(lambda: borrowed(everyone)) for _ in range(threads))
        return error, found, set(await asyncio.gather(*each))

    error, found, timeouts = as_agent(secret, steps, era)
    assert error["code"] == "timeout"
    assert "did not finish this within 60 s. Nothing was changed." in error["message"]
    assert found["total"] == 0
    # Whoever borrows a connection next finds no trace.
    assert timeouts == {"0"}


def borrowed(everyone: threading.Barrier) -> str:
    """What one of those finds who borrow all the pool's connections at once."""
    found: str = query("SHOW statement_timeout")
    everyone.wait(30)
    return found


@pytest.mark.usefixtures("_little_time")
def test_many_short_statements_end_too(secret, monkeypatch) -> None:
    def slow() -> None:
        for _ in range(1_000):
            query("SELECT pg_sleep(0.05)")

    during(monkeypatch, "visible", slow)
    error = as_agent(secret, lambda agent: agent.refused("crm_search", entity="leads"))
    assert error["code"] == "timeout"


@pytest.mark.usefixtures("_little_time")
def test_slow_write_is_rolled_back_and_says_so(secret, alpha_admin, monkeypatch) -> None:
    during(monkeypatch, "create", lambda: query("SELECT pg_sleep(60)"))
    error = as_agent(secret, lambda agent: agent.refused("crm_create", **NEW))
    assert error["code"] == "timeout"
    assert "Nothing was changed." in error["message"]
    assert leads(alpha_admin) == 0


@pytest.mark.usefixtures("_little_time")
def test_waiting_for_a_lock_ends_too(secret, alpha_admin) -> None:
    async def steps(agent: Agent) -> Any:
        with locked("LOCK TABLE demo_crm_lead IN ACCESS EXCLUSIVE MODE"):
            return [
                await agent.refused("crm_search", entity="leads"),
                await agent.refused("crm_create", **NEW),
            ]

    read, write = as_agent(secret, steps)
    assert read["code"] == write["code"] == "timeout"
    assert leads(alpha_admin) == 0


@pytest.mark.usefixtures("_little_time")
def test_host_that_swallows_the_timeout_saves_nothing(secret, alpha_admin, monkeypatch) -> None:
    def slow() -> None:
        with pytest.raises(OperationalError):
            query("SELECT pg_sleep(60)")

    during(monkeypatch, "create", slow)
    error = as_agent(secret, lambda agent: agent.refused("crm_create", **NEW))
    assert error["code"] == "timeout"
    assert leads(alpha_admin) == 0


def test_host_that_goes_on_after_a_timeout_has_done_it(secret, alpha_admin, monkeypatch) -> None:
    # A limit of the host's own, round a step that it can do without.
    impatient = "SET LOCAL statement_timeout = 10; SELECT pg_sleep(60)"

    def slow() -> None:
        with pytest.raises(OperationalError), transaction.atomic():
            query(impatient)

    during(monkeypatch, "create", slow)
    assert as_agent(secret, lambda agent: agent("crm_create", **NEW))["id"]
    assert leads(alpha_admin) == 1


def at_commit(body: str) -> None:
    """Let PostgreSQL do this when a new lead is committed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {body}; RETURN NULL; END $$;"
            "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON demo_crm_lead "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit()"
        )


@pytest.fixture
def _no_trigger(db: None) -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION at_commit CASCADE")


@pytest.mark.usefixtures("_no_trigger")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("PERFORM pg_terminate_backend(pg_backend_pid())", MAYBE_KEPT),
        ("RAISE EXCEPTION 'no'", NOTHING_CHANGED),
    ],
)
def test_commit_that_fails(secret, alpha_admin, body, said) -> None:
    at_commit(body)
    error = as_agent(secret, lambda agent: agent.refused("crm_create", **NEW))
    assert error["code"] == "crm_error"
    assert error["hint"] == said
    assert leads(alpha_admin) == 0


def test_hook_that_fails_after_the_commit_is_not_called_undone(secret, alpha_admin, monkeypatch):
    during(monkeypatch, "create", lambda: transaction.on_commit(lambda: 1 / 0))
    error = as_agent(secret, lambda agent: agent.refused("crm_create", **NEW))
    assert error["hint"] == MAYBE_KEPT
    assert leads(alpha_admin) == 1


@pytest.mark.usefixtures("_two_seconds")
@pytest.mark.parametrize(
    ("method", "arguments", "ending"),
    [
        ("visible", ("crm_search", {"entity": "leads"}), "within 2 s."),
        ("create", ("crm_create", NEW), OUTCOME_UNKNOWN),
    ],
)
def test_nobody_waits_for_what_hangs_elsewhere(
    secret, monkeypatch, method, arguments, ending
) -> None:
    monkeypatch.setattr(execution, "GRACE_SECONDS", 0)
    let_go = threading.Event()
    during(monkeypatch, method, lambda: let_go.wait(30))
    tool, given = arguments

    async def steps(agent: Agent) -> Any:
        error = await agent.refused(tool, **given)
        let_go.set()
        return error

    error = as_agent(secret, steps)
    assert error["code"] == "timeout"
    assert error["message"].strip().endswith(ending)


@pytest.mark.parametrize("era", [MODERN, LEGACY])
def test_no_thread_is_free(secret, settings, era) -> None:
    let_go = threading.Event()

    async def steps(agent: Agent) -> str:
        await agent("list_actions")
        threads = mcp_settings().THREADS
        busy = [asyncio.ensure_future(thread_pool.in_pool(let_go.wait)) for _ in range(threads)]
        await asyncio.sleep(0)
        settings.BOTTLECRM_MCP = with_settings(CALL_SECONDS=1)
        try:
            with pytest.raises(MCPError) as refusal:
                await agent("crm_search", entity="leads")
        finally:
            let_go.set()
            await asyncio.gather(*busy)
        return str(refusal.value)

    assert "threads of this server are busy" in as_agent(secret, steps, era)


def test_no_connection_is_free(crm_of, alpha_admin, monkeypatch) -> None:
    crm = crm_of(alpha_admin)

    class Exhausted:
        def __getattr__(self, name: str) -> Any:
            return getattr(connection, name)

        def ensure_connection(self) -> None:
            raise OperationalError("couldn't get a connection after 10.00 sec")

    monkeypatch.setattr(live_connection, "connection", Exhausted())
    with pytest.raises(GatewayError, match="no connection to spare") as fault:
        crm.gateway.write("POST", "/api/leads/", {"first_name": "A"})
    assert fault.value.code == "unavailable"


def test_requests_of_one_call_share_its_time(secret) -> None:
    catalogue, caller = mcp_settings().catalogue, authenticate(secret)
    assert InProcessGateway(catalogue, caller, secret).read("/api/leads/").ok
    late = InProcessGateway(catalogue, caller, secret, deadline=Deadline(-1))
    with pytest.raises(GatewayError) as fault:
        late.read("/api/leads/")
    assert fault.value.code == "timeout"


def milliseconds() -> int:
    return query("SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout'")


def test_stricter_limit_of_the_host_stays(db) -> None:
    with transaction.atomic():
        query("SELECT set_config('statement_timeout', '400ms', true)")
        with deadline.Transaction(Deadline(60)).open():
            assert query("SHOW statement_timeout") == "400ms"
    with deadline.Transaction(Deadline(60)).open():
        assert 0 < milliseconds() <= 60_000
    assert query("SHOW statement_timeout") == "0"


@pytest.mark.parametrize("fails", [True, False])
def test_outer_transaction_gets_its_setting_back(db, fails) -> None:
    with transaction.atomic():
        try:
            with deadline.Transaction(Deadline(60)).open():
                assert 0 < milliseconds() <= 60_000
                if fails:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        assert query("SHOW statement_timeout") == "0"


def test_write_that_cannot_be_read_back_is_done(tools_of, alpha_admin, monkeypatch) -> None:
    call = tools_of(alpha_admin)
    lead = call("crm_create", **NEW)["id"]
    write = InProcessGateway.write

    def late(self: Any, *arguments: Any) -> Any:
        raise GatewayError("timeout", "Too late.")

    def written(self: Any, *arguments: Any, **options: Any) -> Any:
        reply = write(self, *arguments, **options)
        patch.setattr(InProcessGateway, "find", late)
        return reply

    on_lead = {"entity": "leads", "id": lead}
    for tool, given in (
        ("crm_create", NEW),
        ("crm_update", {**on_lead, "data": {"title": "CTO"}}),
        ("crm_action", {**on_lead, "action": "add_comment", "params": {"comment": "x"}}),
    ):
        with monkeypatch.context() as patch:
            # A record that the list does not show is read back after the commit.
            patch.setattr(InProcessGateway, "_read_back", lambda self, subject, record_id: None)
            patch.setattr(InProcessGateway, "write", written)
            answer = call(tool, **given)
        answer = answer.get("result", answer)
        assert answer["record"] is None, tool
        assert answer["record_not_shown"] == "This is done. Only reading it back failed."
        assert "changed" not in answer
    assert leads(alpha_admin) == 2
