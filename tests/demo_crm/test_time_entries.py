import pytest

from demo_crm.access.row_security import org_context
from demo_crm.models import TimeEntry
from tests.demo_crm.conftest import url

MORNING = {
    "started_at": "2026-01-05T09:00:00Z",
    "ended_at": "2026-01-05T09:45:30Z",
    "description": " Called them ",
    "billable": True,
}


@pytest.fixture
def client(api, alpha_user):
    return api(alpha_user)


@pytest.fixture
def times(by_user):
    return url("cases", by_user.cases.pk, "time-entries")


@pytest.fixture
def entry(client, times):
    return f"/api/time-entries/{client.post(times, MORNING, format='json').json()['id']}/"


def test_log_time(client, times):
    answer = client.post(times, {**MORNING, "hourly_rate": "80"}, format="json")
    logged = answer.json()
    assert answer.status_code == 201
    assert (logged["duration_minutes"], logged["description"]) == (45, "Called them")
    assert (logged["hourly_rate"], logged["currency"]) == ("80.00", "USD")
    assert client.get(times).json() == [logged]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("started_at", None),
        ("ended_at", "2026-01-05T08:00:00Z"),
        ("description", "  "),
        ("hourly_rate", "-1"),
        ("currency", "XYZ"),
    ],
)
def test_log_nonsense(client, times, field, value):
    answer = client.post(times, {**MORNING, field: value}, format="json")
    assert (answer.status_code, set(answer.json())) == (400, {field})


def test_entry_without_an_end_is_a_timer(client, times):
    body = {"started_at": MORNING["started_at"], "description": "x"}
    assert client.post(times, body, format="json").json()["ended_at"] is None
    again = client.post(times, body, format="json")
    assert (again.status_code, set(again.json())) == (400, {"detail"})


def test_timer(client, times):
    started = client.post(f"{times}start/", {"description": "On it"}, format="json")
    assert (started.status_code, started.json()["ended_at"]) == (201, None)
    pk = started.json()["id"]
    again = client.post(f"{times}start/")
    assert (again.status_code, again.json()["running_entry_id"]) == (409, pk)
    stop = f"/api/time-entries/{pk}/stop/"
    assert client.post(stop).json()["ended_at"]
    assert client.post(stop).status_code == 400
    assert client.post(f"{times}start/").status_code == 201


def test_timers_of_two_people(api, client, alpha_admin, times):
    assert [each.post(f"{times}start/").status_code for each in (client, api(alpha_admin))] == [
        201,
        201,
    ]


def test_change_an_entry(client, entry, times):
    changed = client.put(entry, {"ended_at": "2026-01-05T10:00:00Z"}, format="json").json()
    assert (changed["duration_minutes"], changed["description"]) == (60, "Called them")
    early = client.put(entry, {"ended_at": "2026-01-05T08:00:00Z"}, format="json")
    assert (early.status_code, set(early.json())) == (400, {"ended_at"})
    assert client.delete(entry).status_code == 204
    assert client.get(times).json() == []


def test_invoiced_entry_stays(client, entry, by_user):
    with org_context(by_user.profile.org):
        TimeEntry.objects.update(invoice=by_user.invoices)
    assert client.delete(entry).status_code == 400


def test_case_nobody_asks_about(client, by_admin):
    times = url("cases", by_admin.cases.pk, "time-entries")
    assert client.get(url("cases", by_admin.cases.pk)).status_code == 403
    assert client.post(times, MORNING, format="json").status_code == 201
    assert client.get(times).status_code == 200


def test_user_is_listed_own_entries(api, client, alpha_admin, times, entry):
    admin = api(alpha_admin)
    admin.post(times, MORNING, format="json")
    assert len(client.get(times).json()) == 1
    assert len(admin.get(times).json()) == 2


def test_summary_counts_everybody(api, client, alpha_admin, by_user, times, entry):
    api(alpha_admin).post(times, {**MORNING, "billable": False}, format="json")
    client.post(f"{times}start/")
    summary = client.get(url("cases", by_user.cases.pk, "time-summary")).json()
    assert (summary["total_minutes"], summary["billable_minutes"]) == (90, 45)
    assert [each["minutes"] for each in summary["by_profile"]] == [45, 45]
    shown = client.get(url("cases", by_user.cases.pk)).json()["cases_obj"]["time_summary"]
    assert shown == summary


def test_entry_of_somebody_else(api, client, alpha_admin, times, entry):
    posted = api(alpha_admin).post(f"{times}start/").json()
    foreign = f"/api/time-entries/{posted['id']}/"
    assert client.post(f"{foreign}stop/").status_code == 403
    assert client.put(foreign, {}, format="json").status_code == 403
    assert client.delete(foreign).status_code == 403
    assert api(alpha_admin).delete(entry).status_code == 204


def test_another_org(api, beta_admin, times, entry):
    stranger = api(beta_admin)
    assert stranger.get(times).status_code == 404
    assert stranger.post(times, MORNING, format="json").status_code == 404
    assert stranger.post(f"{times}start/").status_code == 404
    assert stranger.post(f"{entry}stop/").status_code == 404
    assert stranger.put(entry, {}, format="json").status_code == 404
    assert stranger.delete(entry).status_code == 404
