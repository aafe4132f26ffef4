"""The call log as it is read: filters, pages, days, CSV, and what a long one costs."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pat_tokens.audit.calls import _store
from pat_tokens.lists import call_filter, filters
from pat_tokens.models import Call
from pat_tokens.rls import in_organisation
from pat_tokens.services import calls as module

pytestmark = pytest.mark.urls("tests.pat_tokens.urls")

OWN, ORG = "/api/profile/tokens/calls/", "/api/org/tokens/calls/"
RECORD, TOKEN = str(uuid4()), str(uuid4())


@pytest.fixture
def log(db):
    """Store a call of this person, so many days old, about these records."""

    def make(owner, *, days=0, record_ids=(), **fields) -> Call:
        facts = {"actor_id": str(owner.pk), "actor": owner.user.email, "tool": "crm_search"}
        moment = timezone.now() - timedelta(days=days)
        one = record_ids[0] if len(record_ids) == 1 else ""
        call = Call(
            org_id=owner.org_id,
            **{**facts, "created_at": moment, "outcome": "ok", "record_id": one, **fields},
        )
        call.record_ids = tuple(record_ids) if len(record_ids) > 1 else ()
        call.records = len(record_ids)
        _store(owner.org_id, [call])
        return call

    return make


def ids(answer) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [each["id"] for each in answer.json()["calls"]]


@pytest.fixture
def filled(log, alpha_admin, alpha_user, beta_admin):
    """One call for each filter, a plain one, and all the same in another organisation."""

    def fill(admin, user) -> dict[str, Call]:
        return {
            "plain": log(admin),
            "person": log(user, tool="crm_get"),
            "token": log(admin, token_id=TOKEN),
            "client": log(admin, client="Claude", client_version="2"),
            "tool": log(admin, tool="crm_delete", outcome="preview"),
            "entity": log(admin, entity="leads"),
            "record": log(admin, record_ids=[RECORD]),
            "several": log(admin, record_ids=[RECORD, str(uuid4())]),
            "outcome": log(admin, outcome="refused", code="forbidden"),
            "from": log(admin, days=-1),
            "to": log(admin, days=9),
        }

    fill(beta_admin, beta_admin)
    return fill(alpha_admin, alpha_user)


FILTERS = {
    "person": lambda user: str(user.pk),
    "token": lambda _: TOKEN,
    "client": lambda _: "Claude",
    "tool": lambda _: "crm_delete",
    "entity": lambda _: "leads",
    "outcome": lambda _: "refused",
    "from": lambda _: (timezone.now() + timedelta(hours=1)).isoformat(),
    "to": lambda _: (timezone.now() - timedelta(days=2)).isoformat(),
}


@pytest.mark.parametrize("name", FILTERS)
def test_filter(api, filled, alpha_admin, alpha_user, beta_user, name) -> None:
    given = {name: FILTERS[name](alpha_user)}
    assert ids(api(alpha_admin).get(ORG, given)) == [filled[name].pk]
    assert filled[name].pk not in [
        row.pk for row in filled.values() if row.org_id != alpha_user.org_id
    ]
    # What is another organisation's is not found by naming it.
    if name == "person":
        assert ids(api(alpha_admin).get(ORG, {"person": str(beta_user.pk)})) == []


def test_what_agents_did_to_a_record(api, filled, alpha_admin) -> None:
    found = api(alpha_admin).get(ORG, {"record": RECORD})
    assert set(ids(found)) == {filled["record"].pk, filled["several"].pk}
    shown = {each["id"]: each["record_ids"] for each in found.json()["calls"]}
    assert shown[filled["record"].pk] == [RECORD]
    assert RECORD in shown[filled["several"].pk]
    assert len(shown[filled["several"].pk]) == 2


def test_all_calls_of_a_record_in_pages(api, log, alpha_admin, beta_admin) -> None:
    """Those about it alone and about several, however many, also of the same moment."""
    both, moment = [RECORD, str(uuid4())], timezone.now()
    log(beta_admin, record_ids=both)
    made = []
    for number in range(7):
        log(alpha_admin, record_ids=[str(uuid4()), str(uuid4())])
        about = both if number % 3 else [RECORD]
        tool = "crm_update" if number in (1, 3) else "crm_get"
        made.append(log(alpha_admin, tool=tool, record_ids=about, created_at=moment).pk)
    assert paged(api(alpha_admin), {"record": RECORD, "limit": 2}) == made[::-1]
    given = {"record": RECORD, "tool": "crm_update", "limit": 1}
    assert paged(api(alpha_admin), given) == [made[3], made[1]]
    before = (moment - timedelta(seconds=1)).isoformat()
    assert paged(api(alpha_admin), {"record": RECORD, "to": before}) == []
    (today,) = [
        each
        for each in api(alpha_admin).get(f"{ORG}days/", {"record": RECORD}).json()["days"]
        if each["calls"]
    ]
    assert today["calls"] == 7
    answer = api(alpha_admin).get(f"{ORG}csv/", {"record": RECORD}, headers=CSV)
    rows = csv.DictReader(io.StringIO(b"".join(answer).decode()))
    assert [int(row["id"]) for row in rows] == made[::-1]


CSV = {"Accept": "text/csv"}


def paged(client, given) -> list[int]:
    seen, cursor = [], ""
    while True:
        answer = client.get(ORG, {**given, "cursor": cursor})
        seen += ids(answer)
        cursor = answer.json()["next"]
        if not cursor:
            return seen


def test_members_see_their_own_and_administrators_all(
    api, filled, alpha_admin, alpha_user, beta_admin
) -> None:
    assert ids(api(alpha_user).get(OWN)) == [filled["person"].pk]
    assert len(ids(api(alpha_admin).get(ORG))) == len(filled)
    assert len(ids(api(alpha_admin).get(OWN))) == len(filled) - 1
    for path in ("", "days/", "csv/"):
        assert api(alpha_user).get(f"{ORG}{path}").status_code == 403
    # One of theirs can't be made to show those of others.
    answer = api(alpha_user).get(OWN, {"person": str(alpha_admin.pk)})
    assert answer.status_code == 400
    assert ids(api(alpha_user).get(OWN, {"record": RECORD})) == []


@pytest.mark.parametrize(
    "given",
    [
        {"outcome": "x"},
        {"token": "no such"},
        {"from": "x"},
        {"cursor": "x"},
        {"other": "1"},
        {"person": "x@example.com"},
    ],
)
def test_bad_parameters(api, alpha_admin, given) -> None:
    assert api(alpha_admin).get(ORG, given).status_code == 400


def test_paging(api, log, alpha_admin) -> None:
    made = [log(alpha_admin).pk for _ in range(5)]
    assert paged(api(alpha_admin), {"limit": 2}) == made[::-1]


def test_days(api, log, alpha_admin, beta_admin) -> None:
    """By the organisation's time zone, refusals and errors among them."""
    log(beta_admin)
    log(alpha_admin, outcome="refused")
    log(alpha_admin, outcome="error")
    log(alpha_admin, outcome="lost")
    log(alpha_admin, days=40)
    # 01:30 there, and the day before in UTC.
    log(alpha_admin, created_at=datetime.now(UTC).replace(hour=20, minute=0) - timedelta(days=3))
    answer = api(alpha_admin).get(f"{ORG}days/").json()
    assert answer["is_complete"] is True
    assert len(answer["days"]) == module.DAYS
    counted = {each["day"]: each for each in answer["days"] if each["calls"]}
    today = timezone.localdate(timezone=module_zone(alpha_admin))
    earlier = (datetime.now(UTC) - timedelta(days=2)).date()
    assert counted[today.isoformat()] == {
        "day": today.isoformat(),
        "calls": 2,
        "refused": 1,
        "error": 1,
    }
    assert counted[earlier.isoformat()]["calls"] == 1


def module_zone(owner):
    from pat_tokens.lists.moments import zone_of

    return zone_of(owner.org)


def test_days_of_very_many_calls(api, log, alpha_admin, monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_COUNTED", 2)
    for _ in range(4):
        log(alpha_admin)
    answer = api(alpha_admin).get(f"{ORG}days/").json()
    assert (answer["is_complete"], answer["days"][-1]["calls"]) == (False, 2)


def test_csv(api, log, alpha_admin, beta_admin, monkeypatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    log(beta_admin)
    others = [str(uuid4()) for _ in range(2)]
    about = [[], [RECORD], others, others[::-1], []]
    made = [log(alpha_admin, client="=1+1", record_ids=each).pk for each in about]
    answer = api(alpha_admin).get(f"{ORG}csv/", headers=CSV)
    assert answer.streaming
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert [int(row["id"]) for row in rows] == made[::-1]
    assert {row["client"] for row in rows} == {"'=1+1"}
    assert [row["record_ids"].split() for row in rows] == about[::-1]


MANY = """
INSERT INTO pat_tokens_call (org_id, created_at, actor_id, actor, token_id, token_name, client,
    client_version, tool, entity, record_id, records, fields, outcome, code, writes, ms)
SELECT %(org)s, now() - number * interval '26 seconds', number %% 50, 'a@example.com',
    md5((number %% 80)::text)::uuid, 'Laptop', 'client ' || number %% 9, '1',
    CASE number %% 999 WHEN 0 THEN 'crm_delete' ELSE 'crm_search' END,
    (ARRAY['leads', 'tasks', 'cases'])[1 + number %% 3], md5((number %% 30000)::text), 1, '',
    CASE number %% 5000 WHEN 0 THEN 'error' ELSE 'ok' END, '', false, 9
FROM generate_series(1, %(rows)s) number
"""


# Every third call is about several records.
SEVERAL = """
INSERT INTO pat_tokens_callrecord (call_id, created_at, org_id, record_id)
SELECT call.id, call.created_at, call.org_id,
    CASE place WHEN 1 THEN 'of many' ELSE md5((call.id * place % 30000)::text) END
FROM pat_tokens_call call, generate_series(1, 3) place WHERE call.id % 3 = 0
"""


def insert_many(org_id, rows) -> None:
    with in_organisation(org_id), connection.cursor() as cursor:
        cursor.execute(MANY, {"org": org_id, "rows": rows})
        cursor.execute(SEVERAL)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE pat_tokens_call, pat_tokens_callrecord")


WANTED: tuple[dict[str, str], ...] = (
    {},
    {"actor_id": "7"},
    {"token_id": "c4ca4238-a0b9-2382-0dcc-509a6f75849b"},
    {"client": "client 3"},
    {"tool": "crm_delete"},
    {"tool": "crm_none"},
    {"entity": "cases"},
    {"outcome": "error"},
    {"record_id": "c4ca4238a0b923820dcc509a6f75849b"},
    {"record_id": "of many"},
    {"actor_id": "7", "outcome": "error"},
)


def test_page_of_a_long_log_reads_an_index(alpha_admin) -> None:
    """However many calls are about a record, and however far down a page is."""
    org_id = alpha_admin.org_id
    insert_many(org_id, 30_000)
    for wanted in WANTED:
        cursor = ""
        for _ in range(2):
            with CaptureQueriesContext(connection) as queries:
                cursor = module.call_page(org_id, wanted, cursor, 25).next or cursor
            asked = [each["sql"] for each in queries if "ORDER BY" in each["sql"]]
            for sql in asked[: 2 if "record_id" in wanted else 1]:
                require_index(org_id, sql, wanted)


def require_index(org_id, sql, wanted) -> None:
    with in_organisation(org_id), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}".replace("%", "%%"), ())
        plan = json.dumps(cursor.fetchone()[0])
    assert "Seq Scan" not in plan, plan
    assert "pat_tokens_call_by_" in plan or "pat_tokens_callrecord_by_time" in plan, wanted
    removed = re.findall(r'"Rows Removed by Filter": (\d+)', plan)
    assert sum(map(int, removed)) < 1_000, wanted


def test_filters_that_leave_little_of_each_other_read_one_index(alpha_admin) -> None:
    """It has all that they ask for: where nothing fits, no row of the table is looked at."""
    wanted = {"actor_id": "7", "token_id__in": [TOKEN], "client": "client 3", "tool": "crm_search"}
    wanted |= {"entity": "cases", "outcome": "error"}
    given = {*filters.LOOKUPS.values(), *call_filter.LOOKUPS.values()}
    assert given - {"kind", "record_id", "created_at__gte", "created_at__lte"} == {*wanted}
    insert_many(alpha_admin.org_id, 3_000)
    with CaptureQueriesContext(connection) as queries:
        assert module.call_page(alpha_admin.org_id, wanted).lines == []
    (sql,) = [each["sql"] for each in queries if "ORDER BY" in each["sql"]]
    with in_organisation(alpha_admin.org_id), connection.cursor() as cursor:
        for other in ("actor", "token", "client", "tool", "entity", "outcome"):
            cursor.execute(f"DROP INDEX pat_tokens_call_by_{other}")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}".replace("%", "%%"), ())
        plan = str(cursor.fetchall())
    assert "Index Only Scan using pat_tokens_call_by_time" in plan
