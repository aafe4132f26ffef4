"""The HTTP gateway answers what the in-process gateway answers, over the same records."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bottlecrm_mcp.catalogue.model import Kind
from bottlecrm_mcp.gateway.base import GatewayError, Page, Reply
from bottlecrm_mcp.gateway.rest import gateway as http
from bottlecrm_mcp.gateway.rest.connection import Connection, TimedReply
from bottlecrm_mcp.gateway.rest.gateway import RestGateway
from bottlecrm_mcp.gateway.rest.one_call import OneCall
from bottlecrm_mcp.gateway.shared import progress
from bottlecrm_mcp.tools.arguments.filters import operators
from bottlecrm_mcp.tools.arguments.measures import groupable, measurable
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.registry import Registry
from bottlecrm_mcp.tools.searches.one_entity import sortable
from demo_crm.access.row_security import org_context
from demo_crm.models import Contact
from tests.bottlecrm_mcp.population import NAMES, UNKNOWN_ID, unchanged
from tests.whole_crm.catalogue import CATALOGUE

REGISTRY = Registry(CATALOGUE)
BY_MODES = ("notes", "source")


class Loopback(Connection):
    """A connection that ends in this process; `down` makes some paths fail.

    What is read twice between writes is answered from memory, for the sake of time.
    """

    base_url = "http://crm.test"

    def __init__(self, gateway: Any) -> None:
        self.gateway = gateway
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.written: list[tuple[str, str]] = []
        self.down = ""
        self._replies: dict[str, Reply] = {}

    def read(self, path: str, parameters: Mapping[str, Any] | None = None) -> Reply:
        self.asked.append((path, dict(parameters or {})))
        if self.down and path.startswith(self.down):
            raise GatewayError("unreachable", "gone")
        key = f"{path} {parameters}"
        if key not in self._replies:
            self._replies[key] = self.gateway.read(path, parameters)
        return self._replies[key]

    def write(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> TimedReply:
        self.written.append((method, path))
        self._replies.clear()
        reply = self.gateway.write(method, path, body)
        return TimedReply(replace(reply, created_id=""), datetime.now(UTC))


class Both:
    """The same tools with each gateway."""

    def __init__(self, crm: Crm) -> None:
        self.hosted = crm
        self.connection = Loopback(crm.gateway)
        gateway = RestGateway(CATALOGUE, crm.caller, self.connection)
        self.local = replace(crm, catalogue=CATALOGUE, gateway=gateway)

    def __call__(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The answer over HTTP, after it was compared."""
        local, hosted = self.over_http(tool, **arguments), call(self.hosted, tool, arguments)
        assert without(local) == without(hosted), arguments
        return local

    def over_http(self, tool: str, **arguments: Any) -> dict[str, Any]:
        return call(self.local, tool, arguments)


def call(crm: Crm, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        return REGISTRY.get(tool).call(crm, arguments)
    except ToolError as error:
        return error.as_dict()


def without(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key not in BY_MODES}


@pytest.fixture
def both(alpha, crm_of) -> Both:
    return Both(crm_of(alpha.admin))


@pytest.fixture
def user_both(alpha, crm_of) -> Both:
    return Both(crm_of(alpha.user))


def listed(entity):
    return [each for each in entity.fields if each.listed and not each.computed]


def one_of_each_kind(fields):
    return {each.kind: each for each in fields}.values()


@pytest.mark.parametrize("name", NAMES)
def test_reading(both, user_both, name):
    """In one test: to populate a database takes longer than to read it."""
    check_search(both, user_both, name)
    check_every_filter(both, name)
    check_every_sort(both, name)
    check_every_group(both, name)


def check_search(both, user_both, name):
    for each in (both, user_both):
        for arguments in ({}, {"limit": 3}, {"limit": 5, "offset": 4}, {"offset": 50}):
            assert each("crm_search", entity=name, **arguments)["total"]


def check_every_filter(both, name):
    entity = CATALOGUE.entity(name)
    sample = both("crm_search", entity=name, fields=[f.name for f in listed(entity)][:20])
    relations = [each for each in listed(entity) if each.kind.is_relation]
    for field in {*one_of_each_kind(listed(entity)), *relations}:
        row: dict[str, Any] = next((each for each in sample["records"] if field.name in each), {})
        value = row.get(field.name)
        if field.kind.is_relation and value:
            value = (value[0] if isinstance(value, list) else value)["id"]
        for operator in operators(field):
            given = {"is_empty": True, "contains": str(value)[1:5]}.get(operator, value)
            if given is None or (field.kind is Kind.DATETIME and operator in ("eq", "not")):
                continue
            key = field.name if operator == "eq" else f"{field.name}__{operator}"
            assert "total" in both("crm_search", entity=name, filters={key: given}), key
    for key in ("id", "id__not"):
        ids = [each["id"] for each in sample["records"][:2]]
        for given in (ids, ids[0]):
            assert both("crm_search", entity=name, filters={key: given})["records"], key


def check_every_sort(both, name):
    entity = CATALOGUE.entity(name)
    # Texts without a character, which the API does not tell from no text, sort last here.
    fields = (
        each for each in listed(entity) if each.name in sortable(entity) and not each.kind.is_text
    )
    for field in one_of_each_kind(fields):
        for sort in (field.name, f"-{field.name}"):
            both("crm_search", entity=name, sort=sort, fields=[field.name], limit=50)


def check_every_group(both, name):
    entity = CATALOGUE.entity(name)
    fields = listed(entity)
    for group in one_of_each_kind(each for each in fields if each.name in groupable(entity)):
        both("crm_summarize", entity=name, group_by=[group.name])
    for number in one_of_each_kind(each for each in fields if each.name in measurable(entity)):
        dated = number.kind in (Kind.DATE, Kind.DATETIME)
        functions = ("min", "max") if dated else ("sum", "avg", "min", "max")
        measures = [f"{function}:{number.name}" for function in functions]
        both("crm_summarize", entity=name, group_by=["created_at:month"], measures=measures)
        both("crm_summarize", entity=name, measures=["count", *measures])


def test_periods(both):
    for period in ("day", "week", "month", "quarter", "year"):
        both("crm_summarize", entity="leads", group_by=[f"created_at:{period}", "status"])
        both("crm_summarize", entity="tasks", group_by=[f"due_date:{period}"])


def test_count_reads_one_row(both):
    both("crm_summarize", entity="leads", filters={"status": "assigned"})
    assert both.connection.asked[-1][1]["limit"] == 1


def test_combinations(both, user_both):
    combinations: list[dict[str, Any]] = [
        {"query": "alphaseen odd"},
        {"query": "ODD first_name"},
        {"query": "nothing like it"},
        {"filters": {"status": ["assigned", "closed"], "assigned_to": "me"}},
        {"filters": {"created_at": "last_7_days", "created_at__gte": "yesterday"}},
        {"filters": {"created_at__lte": "yesterday", "tags__is_empty": False}},
        {"filters": {"custom_fields.region": "north"}, "sort": "-close_date"},
        {"sort": "rating,-created_at", "limit": 5, "offset": 2},
    ]
    for arguments in combinations:
        for each in (both, user_both):
            each("crm_search", entity="leads", **arguments)


@pytest.mark.parametrize("name", NAMES)
def test_get(both, alpha, name):
    entity = CATALOGUE.entity(name)
    for record in getattr(alpha, name)[:4]:
        both("crm_get", entity=name, id=str(record.pk))
    includes = [each.name for each in entity.includes]
    both("crm_get", entity=name, id=str(getattr(alpha, name)[1].pk), include=includes[:10])
    both("crm_get", entity=name, id=UNKNOWN_ID)


def test_describe_says_that_it_is_declared(both):
    assert both.over_http("crm_describe", entity="leads")["source"] == "declared"


def test_field_that_lists_lack(both):
    answer = both.over_http("crm_search", entity="tasks", filters={"created_by": "me"})
    assert "not in the CRM's list" in answer["error"]["message"]


def test_more_records_than_are_read(both, monkeypatch):
    monkeypatch.setattr(http, "MOST_RECORDS", 5)
    answer = both.over_http("crm_search", entity="leads", sort="rating")
    assert answer["error"]["code"] == "not_supported"
    assert "12 leads" in answer["error"]["message"]
    assert "created_at__gte" in answer["error"]["message"]
    answer = both.over_http("crm_summarize", entity="leads", group_by=["status"])
    assert answer["error"]["code"] == "not_supported"
    assert both("crm_summarize", entity="leads")["total"] == {"count": 12}
    narrowed = both("crm_search", entity="leads", sort="rating", filters={"status": "assigned"})
    assert narrowed["total"] == 3


def test_own_order_of_a_long_list(both, monkeypatch):
    monkeypatch.setattr(http, "PAGE", 5)
    answer = both.over_http("crm_search", entity="leads", limit=3)
    assert (answer["total"], answer["returned"]) == (12, 3)
    assert "not newest first" in answer["notes"][0]
    assert "notes" not in both("crm_search", entity="contacts", limit=3)
    # Sorted on request, over several pages.
    both("crm_search", entity="leads", sort="-created_at", limit=3)


def lists_asked(both, tool, **arguments):
    before = len(both.connection.asked)
    answer = both.over_http(tool, **arguments)
    asked = both.connection.asked[before:]
    return answer, [given for path, given in asked if path == "/api/leads/"]


def test_list_is_asked_for_once(both, monkeypatch):
    _, asked = lists_asked(both, "crm_search", entity="leads", limit=3)
    assert len(asked) == 1
    monkeypatch.setattr(http, "PAGE", 5)
    long, asked = lists_asked(both, "crm_search", entity="leads", limit=2, offset=2)
    assert len(asked) == 1
    assert long["returned"] == 2
    beyond, asked = lists_asked(both, "crm_search", entity="leads", limit=3, offset=4)
    assert len(asked) <= 3
    assert long["records"][0] not in beyond["records"]


def test_progress_is_told_while_pages_come(both, monkeypatch):
    monkeypatch.setattr(http, "PAGE", 5)
    told = []
    with progress.reported_to(lambda *said: told.append(said)):
        both.over_http("crm_summarize", entity="leads", group_by=["status"])
    assert [each[:2] for each in told] == [(5, 12), (10, 12), (12, 12)]
    assert told[-1][2] == "12 of 12 leads read"


def test_read_is_remembered_until_something_is_written(both, alpha):
    call = OneCall(both.connection)
    path = f"/api/leads/{alpha.leads[1].pk}/"
    first, again = call.read(path), call.read(path, {})
    assert first is again
    assert [each for each, _ in both.connection.asked] == [path]
    call.write("PATCH", path, {"title": "CTO"})
    assert call.read(path).data["lead_obj"]["title"] == "CTO"
    assert call.read("/api/leads/no-id/").status == 404
    assert call.read("/api/leads/no-id/").status == 404
    assert len([each for each, _ in both.connection.asked if "no-id" in each]) == 2


def test_two_filters_on_one_parameter(both):
    answer = both(
        "crm_search", entity="tasks", filters={"due_date": "this_month", "due_date__gte": "today"}
    )
    assert answer["total"]


@pytest.mark.parametrize(
    "filters",
    [
        {"phone": "030 600123456"},
        {"phone": "+4930600123456"},
        {"phone__contains": "600123456"},
        {"phone__contains": "600 12-34"},
    ],
)
def test_phone_number_in_any_spelling(both, alpha, filters):
    with org_context(alpha.org):
        Contact.objects.filter(pk=alpha.contacts[1].pk).update(phone="+49 (30) 600-123456")
    found = both("crm_search", entity="contacts", filters=filters)
    assert [each["id"] for each in found["records"]] == [str(alpha.contacts[1].pk)]


def test_text_filter_narrows_what_is_read(both):
    both("crm_search", entity="leads", filters={"email": "nobody@nowhere.test"})
    assert both.connection.asked[-1][1]["email"] == ["nobody@nowhere.test"]


LEAD = {"first_name": "Nora", "last_name": "New", "email": "nora@new.test", "assigned_to": "me"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("leads", LEAD),
        ("tasks", {"title": "Call Nora", "status": "New", "priority": "Low", "due_date": "today"}),
    ],
)
def test_create_without_an_id_in_the_answer(both, name, data):
    made = both.over_http("crm_create", entity=name, data=data)
    assert made["record"]["id"] == made["id"]
    again = both.over_http("crm_create", entity=name, data={**data, **changed(name)})
    assert again["id"] not in ("", made["id"])


def changed(name):
    return {"email": "nora2@new.test"} if name == "leads" else {}


def test_new_record_among_others_alike(both, crm_of, alpha):
    """Somebody else's, made at the same moment, is not taken for it; one's own may be."""
    data = {"title": "Twin", "status": "New", "priority": "Low"}
    call(crm_of(alpha.user), "crm_create", {"entity": "tasks", "data": data})
    made = both.over_http("crm_create", entity="tasks", data=data)
    assert made["id"]
    call(both.hosted, "crm_create", {"entity": "tasks", "data": data})
    unsure = both.over_http("crm_create", entity="tasks", data=data)
    assert "id" not in unsure
    assert len(unsure["candidates"]) == 2
    assert made["id"] not in {each["id"] for each in unsure["candidates"]}
    assert "do not create it again" in unsure["record_not_shown"]


def test_new_record_that_can_not_be_looked_up(both):
    both.connection.down = "/api/tasks/"
    both.local.gateway.page = lambda *_: Page([], 0)
    made = both.over_http(
        "crm_create", entity="tasks", data={"title": "T", "status": "New", "priority": "Low"}
    )
    assert "record" not in made
    assert "was created" in made["record_not_shown"]
    assert both.connection.written == [("POST", "/api/tasks/")]


@pytest.mark.parametrize("name", NAMES)
def test_write_and_take_back(both, name):
    """What the hosted tools answer to a write, but for what names the moment."""
    entity = CATALOGUE.entity(name)
    found = both("crm_search", entity=name, limit=1)["records"][0]
    text = next(f for f in entity.writable_fields if f.kind is Kind.TEXT and f.listed)
    answer = both.over_http(
        "crm_update", entity=name, id=found["id"], data={text.name: "Changed over HTTP"}
    )
    assert answer["changed"][text.name]["after"] == "Changed over HTTP"
    preview = both.over_http("crm_delete", entity=name, id=found["id"])
    if entity.no_delete:
        assert preview["error"]["code"] == "not_supported"
    elif "error" not in preview:
        assert preview["confirmation_required"]


def test_refused_write_may_leave_something(both, monkeypatch):
    monkeypatch.setattr(
        both.connection,
        "write",
        lambda *_: TimedReply(Reply(400, {"errors": "no"}, maybe_kept=True), datetime.now(UTC)),
    )
    with unchanged():
        answer = both.over_http("crm_create", entity="leads", data={"title": "x"})
    assert "may have kept" in answer["error"]["hint"]


@pytest.mark.parametrize("tool", ["crm_create", "crm_action"])
def test_repeated_calls_cannot_be_recognised(both, alpha, tool):
    calls: dict[str, dict[str, Any]] = {
        "crm_create": {"data": {"first_name": "Ann", "last_name": "Lee"}},
        "crm_action": {"id": str(alpha.leads[1].pk), "action": "convert", "confirm": True},
    }
    with unchanged(), pytest.raises(GatewayError, match="Leave out idempotency_key") as refusal:
        both.over_http(tool, entity="leads", idempotency_key="k", **calls[tool])
    assert refusal.value.code == "not_supported"


def test_me_of_a_token_that_shows_nobody(both):
    both.local.caller = replace(both.local.caller, profile_id="", user_id="")
    answer = both.over_http("crm_search", entity="leads", filters={"assigned_to": "me"})
    assert "profile:read" in str(answer["error"])


def test_token_is_in_no_repr(both):
    assert "bcrm_pat" not in repr(both.local.gateway)


class Inline:
    """Instead of a pool: what is read here belongs to the test's own transaction."""

    def __init__(self, threads: int) -> None:
        self.map = map

    def __enter__(self) -> "Inline":
        return self

    def __exit__(self, *failure: object) -> None:
        pass


def test_several_searches_at_once(both, user_both, monkeypatch):
    monkeypatch.setattr(http, "ThreadPoolExecutor", Inline)
    for each in (both, user_both):
        everything = each("crm_search", entity="all", query="alphaseen", limit=50)
        assert set(everything["totals"]) == set(NAMES)
        day = each.over_http("crm_search", entity="my_day", limit=50)
        assert any("REST API" in note for note in day["notes"])
        hosted = call(each.hosted, "crm_search", {"entity": "my_day", "limit": 50})
        mine = {row["id"] for row in day["records"]}
        assert mine <= {row["id"] for row in hosted["records"]}


def test_one_of_several_that_fails(both, monkeypatch):
    monkeypatch.setattr(http, "ThreadPoolExecutor", Inline)
    answered = both.connection.read

    def read(path, parameters=None):
        return Reply(500) if path == "/api/invoices/" else answered(path, parameters)

    monkeypatch.setattr(both.connection, "read", read)
    found = both.over_http("crm_search", entity="all", query="alphaseen")
    assert "invoices" not in found["totals"]
    assert any(note.startswith("invoices: ") for note in found["notes"])
    monkeypatch.setattr(both.connection, "read", lambda *given: Reply(401, {"detail": "no"}))
    error = both.over_http("crm_search", entity="all", query="alphaseen")["error"]
    assert error["code"] == "unauthorized"
