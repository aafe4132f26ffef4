from inspect import unwrap

import pytest
from rest_framework.pagination import LimitOffsetPagination

from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.gateway.in_process.hooks.queryset_capture import Capture, install
from demo_crm.entities.sales.leads import LeadList
from demo_crm.models import Account, Lead
from tests.bottlecrm_mcp.population import ENTITIES, NAMES, ids, rest_rows


@pytest.fixture
def refused(monkeypatch) -> None:
    """Every capture is refused, so that the REST answer has to do."""
    monkeypatch.setattr(Capture, "_objection", lambda self, queryset: "not today")


def capture_of(model, *, sections=1, org_id="x") -> Capture:
    return Capture(model, org_id, sections, lambda querysets: len(querysets))


@pytest.mark.parametrize("name", NAMES)
def test_requests_without_the_mark_are_untouched(api, alpha, monkeypatch, name) -> None:
    rest, entity = api(alpha.user), ENTITIES[name]

    def answer() -> bytes:
        return rest.get(entity.path, {"limit": 3, "offset": 1, **entity.list_parameters}).content

    hooked = answer()
    monkeypatch.setattr(
        LimitOffsetPagination,
        "paginate_queryset",
        unwrap(LimitOffsetPagination.paginate_queryset),
    )
    assert hooked == answer()


def test_a_client_can_not_set_the_mark(api, alpha) -> None:
    rest = api(alpha.user)
    plain = rest.get("/api/leads/", {"limit": 3}).content
    asked = rest.get("/api/leads/", {"limit": 3, "mcp_capture": "1"}, HTTP_MCP_CAPTURE="1")
    assert asked.content == plain


def test_installed_once() -> None:
    before = LimitOffsetPagination.paginate_queryset
    install()
    assert LimitOffsetPagination.paginate_queryset is before


def test_accepts_a_plain_queryset() -> None:
    assert capture_of(Lead).accepts(Lead.objects.filter(city="x").distinct())


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (list, "list"),
        (lambda: Account.objects.all(), "Account"),
        (lambda: Lead.objects.all()[:5], "sliced"),
        (lambda: Lead.objects.all().union(Lead.objects.all()), "combines"),
        (lambda: Lead.objects.filter(city="x") & Lead.objects.none(), ""),
    ],
)
def test_refuses(make, why) -> None:
    capture = capture_of(Lead)
    assert capture.accepts(make()) == (not why)
    assert why in capture.refusal


def test_a_refusal_lasts() -> None:
    capture = capture_of(Lead, sections=2)
    assert not capture.accepts([])
    assert not capture.accepts(Lead.objects.all())


def test_context_of_someone_else_is_a_fault(crm_of, alpha, monkeypatch) -> None:
    crm = crm_of(alpha.admin)
    visible = LeadList.visible

    def lost(self):
        from demo_crm.access.row_security import set_current_org

        leads = visible(self)
        set_current_org(None)
        return leads

    monkeypatch.setattr(LeadList, "visible", lost)
    with pytest.raises(GatewayError) as fault:
        crm.gateway.find(crm.entity("leads"), [str(alpha.leads[0].pk)], ())
    assert fault.value.code == "unavailable"


def without_ids(answer):
    return sorted(answer["records"], key=lambda row: row["id"])


@pytest.mark.parametrize("role", ["admin", "user"])
@pytest.mark.parametrize("name", NAMES)
def test_the_ordinary_answer_gives_the_same_rows(tools_of, alpha, monkeypatch, name, role) -> None:
    call = tools_of(getattr(alpha, role))
    fast = call("crm_search", entity=name, limit=50)
    monkeypatch.setattr(Capture, "_objection", lambda self, queryset: "not today")
    slow = call("crm_search", entity=name, limit=50)
    assert slow["total"] == fast["total"] == len(fast["records"])
    assert without_ids(slow) == without_ids(fast)


def test_pages_of_the_ordinary_answer(user, api, alpha, refused) -> None:
    # Leads have two sections.
    for name in ("leads", "tasks"):
        found, offset = [], 0
        while offset is not None:
            page = user("crm_search", entity=name, limit=3, offset=offset)
            found += [row["id"] for row in page["records"]]
            offset = page.get("next_offset")
        assert len(found) == len(set(found))
        assert set(found) == ids(rest_rows(api(alpha.user), name, limit=100))


@pytest.mark.parametrize(
    ("name", "filters"),
    [
        ("leads", {"status": ["assigned", "closed"], "created_at": "last_7_days"}),
        ("leads", {"assigned_to": "me"}),
        ("contacts", {"is_active": True, "city__contains": "odd"}),
        ("accounts", {"tags": "Alpha tag 1"}),
        ("opportunities", {"amount__gte": 3, "stage": "QUALIFICATION"}),
        ("tasks", {"due_date": "next_7_days", "status": "New"}),
        ("cases", {"priority": "Urgent"}),
        ("invoices", {"due_date__lte": "today"}),
        ("solutions", {"is_published": True}),
    ],
)
def test_filters_of_the_ordinary_answer(user, alpha, monkeypatch, name, filters) -> None:
    fast = user("crm_search", entity=name, filters=filters, limit=50)
    monkeypatch.setattr(Capture, "_objection", lambda self, queryset: "not today")
    slow = user("crm_search", entity=name, filters=filters, limit=50)
    assert "error" not in fast
    assert without_ids(slow) == without_ids(fast)
    assert slow["filters"] == fast["filters"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"filters": {"created_by": "me"}},
        {"filters": {"description__is_empty": True}},
        {"sort": "email"},
        {"sort": "created_at,status"},
    ],
)
def test_what_the_ordinary_answer_can_not_do_is_said(user, alpha, refused, arguments) -> None:
    answer = user("crm_search", entity="leads", **arguments)
    assert answer["error"]["code"] == "not_supported"
    assert "not today" in answer["error"]["message"]


@pytest.mark.parametrize("name", NAMES)
def test_get_without_the_fast_path(user, alpha, monkeypatch, name) -> None:
    seen = str(getattr(alpha, name)[1].pk)
    fast = user("crm_get", entity=name, id=seen)["record"]
    monkeypatch.setattr(Capture, "_objection", lambda self, queryset: "not today")
    slow = user("crm_get", entity=name, id=seen)["record"]
    if name == "contacts":
        # The REST answer has their bare ids only.
        for record in (fast, slow):
            record["tags"] = [each["id"] for each in record["tags"]]
            record["created_by"] = record["created_by"]["id"]
    assert slow == fast
