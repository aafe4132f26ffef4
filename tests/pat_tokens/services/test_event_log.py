"""The log as administrators read it: paged, filtered, counted, exported."""

import csv
import io
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from pat_tokens.api import admin_views as rest_views
from pat_tokens.audit import events as log
from pat_tokens.models import Event, Token
from pat_tokens.pages import admin_views as page_views
from pat_tokens.rls import in_organisation
from pat_tokens.services import event_log
from pat_tokens.services.event_log import COLUMNS

pytestmark = pytest.mark.urls("tests.pat_tokens.urls")

URL = "/api/org/tokens/events/"
PAGE = "/settings/api-tokens/organisation/events/"
ZONE = ZoneInfo("Asia/Kolkata")


@pytest.fixture
def filled(alpha_admin, alpha_user, beta_user, issue):
    """A token of each person, each with entries of three kinds, a day apart."""
    tokens = {owner: issue(owner)[0] for owner in (alpha_admin, alpha_user, beta_user)}
    noon = datetime(2026, 6, 10, 12, tzinfo=ZONE)
    for days, (owner, token) in enumerate(tokens.items()):
        for kind, entity in (("created", ""), ("write", "leads"), ("refused", "")):
            with in_organisation(owner.org_id):
                Event.objects.create(
                    kind=kind,
                    org_id=owner.org_id,
                    actor_id=str(owner.pk),
                    actor=owner.user.email,
                    token_id=token.pk,
                    entity=entity,
                    created_at=noon + timedelta(days=days),
                )
    return tokens


def ids(answer) -> list[str]:
    return [each["id"] for each in answer.json()["events"]]


def narrowed(client, **query) -> list[tuple[str, str]]:
    answer = client.get(URL, query)
    assert answer.status_code == 200, answer.content
    events = answer.json()["events"]
    assert answer.json()["count"] == len(events)
    return sorted((each["actor"].split(".")[1].split("@")[0], each["kind"]) for each in events)


ALL = ["created", "refused", "write"]


def test_filters(api, filled, alpha_admin, alpha_user, beta_user) -> None:
    client = api(alpha_admin)
    users = [("user", kind) for kind in ALL]
    admins = [("admin", kind) for kind in ALL]
    assert narrowed(client) == admins + users
    assert narrowed(client, person=str(alpha_user.pk)) == users
    assert narrowed(client, person=alpha_user.user.email.upper()) == users
    assert narrowed(client, token=str(filled[alpha_user].pk)) == users
    assert narrowed(client, kind="write") == [("admin", "write"), ("user", "write")]
    assert narrowed(client, entity="leads", person=str(alpha_user.pk)) == [("user", "write")]
    assert narrowed(client, token=str(filled[beta_user].pk)) == []
    assert narrowed(client, token=filled[alpha_user].prefix) == users
    assert narrowed(client, token="lapt") == admins + users


def test_dates_are_the_organisations(api, filled, alpha_admin) -> None:
    client = api(alpha_admin)
    assert len(narrowed(client, **{"from": "2026-06-11"})) == 3
    assert len(narrowed(client, to="2026-06-10")) == 3
    assert len(narrowed(client, **{"from": "2026-06-10", "to": "2026-06-11"})) == 6
    assert narrowed(client, **{"from": "2026-06-11", "to": "2026-06-10"}) == []
    assert len(narrowed(client, **{"from": "2026-06-10T06:31:00Z"})) == 3
    assert len(narrowed(client, **{"from": "0001-01-01", "to": "9999-12-31"})) == 6


def test_member_who_has_left(api, filled, alpha_admin, alpha_user) -> None:
    person = str(alpha_user.pk)
    with in_organisation(alpha_user.org_id):
        alpha_user.delete()
    assert len(narrowed(api(alpha_admin), person=person)) == 3


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"kind": "x"}, "kind"),
        ({"token": "x"}, "token"),
        ({"person": "nobody"}, "person"),
        ({"person": "nobody@example.com"}, "person"),
        ({"person": "beta.user@example.com"}, "person"),
        ({"from": "tomorrow"}, "from"),
        ({"to": "2026-02-30"}, "to"),
        ({"entity": "x" * 51}, "entity"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"since": "2026-01-01"}, "since"),
    ],
)
def test_bad_filter(api, alpha_admin, beta_user, query, field) -> None:
    for path in (URL, f"{URL}csv/"):
        answer = api(alpha_admin).get(path, query)
        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == [field]


def test_bad_cursor(api, alpha_admin) -> None:
    answer = api(alpha_admin).get(URL, {"cursor": "x"})
    assert answer.status_code == 400
    assert "Leave it out" in answer.json()["detail"]


def test_pages(api, filled, alpha_admin) -> None:
    client = api(alpha_admin)
    whole = ids(client.get(URL))
    seen, cursor = [], ""
    while cursor is not None:
        answer = client.get(URL, {"limit": 4, "cursor": cursor})
        assert (answer.json()["count"], answer.json()["count_is_exact"]) == (6, True)
        seen += ids(answer)
        cursor = answer.json()["next"]
    assert seen == whole
    assert len(whole) == 6


def test_long_log_is_not_counted_to_its_end(api, filled, alpha_admin, monkeypatch) -> None:
    for module in (event_log, rest_views, page_views):
        monkeypatch.setattr(module, "MOST_ENTRIES", 5)
    answer = api(alpha_admin).get(URL).json()
    assert (answer["count"], answer["count_is_exact"]) == (5, False)
    export = api(alpha_admin).get(f"{URL}csv/")
    assert export.status_code == 400
    assert "choose a shorter range" in str(export.json()["errors"])
    assert len(rows(api(alpha_admin).get(f"{URL}csv/", {"kind": "write"}))) == 2


def rows(answer) -> list[dict[str, str]]:
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Disposition"].startswith('attachment; filename="events-')
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_export(api, filled, alpha_admin, alpha_user) -> None:
    found = rows(api(alpha_admin).get(f"{URL}csv/", {"person": alpha_user.user.email}))
    assert tuple(found[0]) == COLUMNS
    assert {row["actor"] for row in found} == {alpha_user.user.email}
    assert sorted(row["kind"] for row in found) == ALL
    assert {row["times"] for row in found} == {"1"}
    assert found[0]["created_at"] == "2026-06-11 06:30:00+00:00"


def test_export_to_a_client_that_asks_for_csv(api, filled, alpha_admin) -> None:
    client = api(alpha_admin)
    assert len(rows(client.get(f"{URL}csv/", headers={"Accept": "text/csv"}))) == 6
    assert client.get(f"{URL}csv/?kind=x", headers={"Accept": "text/csv"}).status_code == 400


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1+1", '=1,"x"']
)
def test_export_holds_no_formula(api, alpha_admin, issue, name) -> None:
    token, _ = issue(alpha_admin, name=name)
    log.record(Event.Kind.WRITE, org_id=alpha_admin.org_id, token=token, detail=name, client=name)
    (row,) = rows(api(alpha_admin).get(f"{URL}csv/"))
    assert row["token_name"] == f"'{name}"
    # Facts are kept without what can't be printed.
    for column in ("detail", "client"):
        assert row[column][0] == "'" or row[column][0] not in "=+-@"


@pytest.mark.parametrize("path", [URL, f"{URL}csv/"])
def test_nobody_else_reads_it(api, token_api, filled, alpha_admin, alpha_user, path) -> None:
    assert api(alpha_user).get(path).status_code == 403
    assert token_api(alpha_admin).get(path).status_code == 403


def refuse(token, number: int) -> None:
    for each in range(number):
        log.record_bounded(
            Event.Kind.REFUSED,
            org_id=token.org_id,
            by=token.owner,
            token=token,
            detail=f"reason {each}",
        )


@pytest.fixture
def still(monkeypatch):
    """The clock stands at the beginning of a minute."""

    class Clock:
        moment = timezone.now().replace(second=1, microsecond=0)

        def __getattr__(self, name):
            return getattr(timezone, name)

        def now(self):
            # No two entries at the same time.
            self.moment += timedelta(microseconds=1)
            return self.moment

    clock = Clock()
    monkeypatch.setattr(log, "timezone", clock)
    return clock


def test_refusals_of_one_minute_are_bounded(api, alpha_admin, alpha_user, issue, still) -> None:
    token, _ = issue(alpha_user)
    other, _ = issue(alpha_user)
    refuse(token, log.ENTRIES_PER_MINUTE + 500)
    refuse(other, 1)
    answer = api(alpha_admin).get(URL).json()
    assert answer["count"] == log.ENTRIES_PER_MINUTE + 2
    (many,) = [each for each in answer["events"] if each["times"] > 1]
    assert (many["times"], many["kind"], many["detail"]) == (500, "refused", log.MORE_REFUSALS)
    assert (many["token_id"], many["actor"]) == (str(token.pk), alpha_user.user.email)
    (row,) = rows(api(alpha_admin).get(f"{URL}csv/", {"token": str(token.pk), "limit": "1"}))[:1]
    assert row["times"] == "500"


def test_next_minute_begins_anew(alpha_user, issue, events, still) -> None:
    token, _ = issue(alpha_user)
    refuse(token, log.ENTRIES_PER_MINUTE + 5)
    still.moment += timedelta(minutes=2)
    refuse(token, log.ENTRIES_PER_MINUTE + 7)
    with in_organisation(alpha_user.org_id):
        counted = list(Event.objects.counted().filter(detail=log.MORE_REFUSALS))
    assert [each.times for each in counted] == [7, 5]
    assert len(events(alpha_user.org)) == 2 * log.ENTRIES_PER_MINUTE + 2


def test_writes_that_happened_are_entries_however_many(alpha_user, issue, events, still) -> None:
    token, _ = issue(alpha_user)
    refuse(token, log.ENTRIES_PER_MINUTE + 1)
    for _ in range(3):
        log.record(Event.Kind.WRITE, org_id=alpha_user.org_id, token=token, outcome="done")
    assert len(events(alpha_user.org, outcome="done")) == 3


def test_refused_writes_of_a_tool_are_bounded(alpha_user, issue, events, still) -> None:
    from pat_tokens.mcp_endpoint import record_write

    token, _ = issue(alpha_user)
    for outcome in ["not_found"] * (log.ENTRIES_PER_MINUTE + 9) + ["done"]:
        record_write(
            org_id=str(alpha_user.org_id),
            actor_id=str(alpha_user.pk),
            actor=alpha_user.user.email,
            token_id=str(token.pk),
            token_name=token.name,
            token_prefix=token.prefix,
            client="Claude",
            tool="crm_update",
            entity="leads",
            record_id="x",
            outcome=outcome,
            is_refused=outcome != "done",
        )
    assert len(events(alpha_user.org)) == log.ENTRIES_PER_MINUTE + 2
    assert len(events(alpha_user.org, outcome="done")) == 1


def test_scopes_that_a_token_lacks_can_not_flood_the_log(
    token_api, alpha_user, events, still
) -> None:
    """Each path is another reason, so that the once a minute of a reason does not help."""
    client = token_api(alpha_user, scopes=["leads:read"])
    for number in range(log.ENTRIES_PER_MINUTE + 20):
        assert client.get(f"/api/made-up-{number}/").status_code == 403
    assert len(events(alpha_user.org, kind="refused")) == log.ENTRIES_PER_MINUTE + 1


@pytest.fixture
def browser(alpha_admin) -> Client:
    cache.clear()
    client = Client()
    client.force_login(alpha_admin.user)
    return client


@pytest.mark.urls("settings.urls")
class TestPage:
    def test_filters(self, browser, filled, alpha_admin, alpha_user) -> None:
        shown = browser.get(PAGE, {"person": alpha_user.user.email}).content.decode()
        assert "3 entries." in shown
        assert alpha_user.user.email in shown
        assert f"?person={alpha_admin.pk}" not in shown
        everything = browser.get(PAGE).content.decode()
        assert f"?person={alpha_admin.pk}" in everything
        assert f"?token={filled[alpha_user].pk}" in everything
        assert (
            "1 entry."
            in browser.get(PAGE, {"kind": "created", "to": "2026-06-10"}).content.decode()
        )

    def test_pages(self, browser, filled) -> None:
        first = browser.get(PAGE, {"limit": 4, "kind": ""})
        assert 'rel="next"' in first.content.decode()
        second = browser.get(PAGE + first.context["next"])
        assert [len(each.context["events"]) for each in (first, second)] == [4, 2]
        assert 'rel="next"' not in second.content.decode()
        assert f'<a href="{PAGE}?limit=4&amp;kind=">Newest</a>' in second.content.decode()

    def test_token_is_called_by_its_name(self, browser, filled, alpha_user) -> None:
        with in_organisation(alpha_user.org_id):
            Token.objects.filter(pk=filled[alpha_user].pk).update(name="Cursor")
        field = 'name="token" value="{}"'
        by_name = browser.get(PAGE, {"token": "curs"}).content.decode()
        assert "3 entries." in by_name
        assert field.format("curs") in by_name
        by_id = browser.get(PAGE, {"token": str(filled[alpha_user].pk)}).content.decode()
        assert field.format("Cursor") in by_id
        unknown = browser.get(PAGE, {"token": "Nobody's"})
        assert unknown.status_code == 400
        assert "No token and no client has this in its name." in unknown.content.decode()

    def test_bad_filter(self, browser) -> None:
        answer = browser.get(PAGE, {"person": "nobody", "from": "x"})
        assert answer.status_code == 400
        assert "Nobody here is called so" in answer.content.decode()
        assert browser.get(PAGE, {"cursor": "x"}).status_code == 404

    def test_export(self, browser, filled, alpha_user) -> None:
        shown = browser.get(PAGE, {"person": alpha_user.user.email})
        assert "csv/?person=alpha.user%40example.com" in shown.content.decode()
        assert len(rows(browser.get(f"{PAGE}csv/", {"person": alpha_user.user.email}))) == 3
        assert browser.get(f"{PAGE}csv/", {"kind": "x"}).status_code == 400

    def test_longer_than_an_export(self, browser, filled, monkeypatch) -> None:
        for module in (event_log, page_views):
            monkeypatch.setattr(module, "MOST_ENTRIES", 5)
        assert "More than 5 entries." in browser.get(PAGE).content.decode()
        answer = browser.get(f"{PAGE}csv/")
        assert answer.status_code == 400
        assert "choose a shorter range" in answer.content.decode()

    def test_many_refusals(self, browser, alpha_user, issue, still) -> None:
        token, _ = issue(alpha_user)
        refuse(token, log.ENTRIES_PER_MINUTE + 12)
        assert "12 times refused" in browser.get(PAGE).content.decode()


def test_export_is_named_in_the_module() -> None:
    assert set(COLUMNS) - {"times"} <= {field.name for field in Event._meta.fields}
    assert event_log.MOST_ENTRIES == 100_000
