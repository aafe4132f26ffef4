"""Documents, goals, boards and macros, with the quirks that are there on purpose."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from demo_crm.access.row_security import org_context
from tests.whole_crm.models import Board, BoardMember, Document

GOAL = {
    "name": "Spring",
    "goal_type": "REVENUE",
    "target_value": "1000",
    "period_type": "QUARTERLY",
    "period_start": "2027-01-01",
    "period_end": "2027-03-31",
}


def upload(client: Any, title: str) -> Any:
    file = SimpleUploadedFile("prices.txt", b"hello")
    return client.post("/api/documents/", {"title": title, "document_file": file})


def test_documents_are_shared(api, alpha_admin, alpha_user, beta_admin):
    admin, user = api(alpha_admin), api(alpha_user)
    assert "id" not in upload(admin, "Prices").json()
    with org_context(alpha_admin.org):
        key = str(Document.objects.get().pk)

    assert user.get(f"/api/documents/{key}/").status_code == 403
    share = {"shared_to": [str(alpha_user.pk)]}
    admin.patch(f"/api/documents/{key}/", share, format="json")
    assert user.get(f"/api/documents/{key}/").status_code == 403, "PATCH ignores shares"
    admin.put(f"/api/documents/{key}/", share, format="json")
    assert user.get(f"/api/documents/{key}/").json()["doc_obj"]["title"] == "Prices"
    assert user.patch(f"/api/documents/{key}/", {"title": "x"}).status_code == 403
    assert api(beta_admin).get(f"/api/documents/{key}/").status_code == 404

    admin.put(f"/api/documents/{key}/", {"title": "New"}, format="json")
    assert user.get(f"/api/documents/{key}/").status_code == 403, "PUT ends what is not sent"


def test_document_without_a_file(api, alpha_admin):
    answer = api(alpha_admin).post("/api/documents/", {"title": "x"}, format="json")
    assert list(answer.json()["errors"]) == ["document_file"]


def test_documents_come_in_two_sections(api, alpha_admin):
    client = api(alpha_admin)
    for title in ("One", "Two"):
        upload(client, title)
    with org_context(alpha_admin.org):
        key = str(Document.objects.get(title="One").pk)
    client.patch(f"/api/documents/{key}/", {"status": "inactive"}, format="json")
    lists = client.get("/api/documents/").json()
    assert lists["documents_active"]["documents_active_count"] == 1
    assert [row["id"] for row in lists["documents_inactive"]["documents_inactive"]] == [key]


def test_goals_are_made_by_administrators(api, alpha_admin, alpha_user, beta_user):
    admin, user = api(alpha_admin), api(alpha_user)
    assert user.post("/api/opportunities/goals/", GOAL).status_code == 403
    made = admin.post("/api/opportunities/goals/", GOAL)
    assert (made.status_code, "id" in made.json()) == (201, False)
    own = {**GOAL, "name": "Own", "assigned_to": str(alpha_user.pk)}
    admin.post("/api/opportunities/goals/", own)

    goals = admin.get("/api/opportunities/goals/").json()["goals"]
    keys = {goal["name"]: goal["id"] for goal in goals}
    assert goals[0]["progress_percent"] == 0
    assert [row["name"] for row in user.get("/api/opportunities/goals/").json()["goals"]] == ["Own"]
    assert user.get(f"/api/opportunities/goals/{keys['Spring']}/").status_code == 403
    assert user.put(f"/api/opportunities/goals/{keys['Own']}/", GOAL).status_code == 403
    assert api(beta_user).get(f"/api/opportunities/goals/{keys['Own']}/").status_code == 404


@pytest.mark.parametrize("wrong", [{"period_end": "2026-01-01"}, {"target_value": "0"}])
def test_bad_goal(api, alpha_admin, wrong):
    answer = api(alpha_admin).post("/api/opportunities/goals/", {**GOAL, **wrong})
    assert list(answer.json()["errors"]) == list(wrong)


def test_goal_for_somebody_elsewhere(api, alpha_admin, beta_user):
    goal = {**GOAL, "assigned_to": str(beta_user.pk)}
    assert api(alpha_admin).post("/api/opportunities/goals/", goal).status_code == 400


@pytest.fixture
def board(api, alpha_user) -> str:
    return api(alpha_user).post("/api/boards/", {"name": "Launch"}).json()["id"]


def test_boards_are_their_members_alone(api, alpha_admin, alpha_user, beta_admin, board):
    for other in (alpha_admin, beta_admin):
        assert api(other).get(f"/api/boards/{board}/").status_code == 404
        assert api(other).get(f"/api/boards/{board}/columns/").status_code == 404
    with org_context(alpha_user.org):
        found = Board.objects.get()
        BoardMember.objects.create(board=found, profile=alpha_admin, org=found.org)
    assert api(alpha_admin).get("/api/boards/").json()["count"] == 1
    assert api(alpha_admin).patch(f"/api/boards/{board}/", {"name": "x"}).status_code == 403
    assert api(alpha_admin).delete(f"/api/boards/{board}/").status_code == 403


def test_cards(api, alpha_admin, alpha_user, board):
    client = api(alpha_user)
    columns = client.get(f"/api/boards/{board}/columns/").json()
    first, second = columns[0]["id"], columns[1]["id"]
    card = client.post(f"/api/boards/columns/{first}/tasks/", {"title": "Poster"}).json()

    stranger = api(alpha_admin)
    assert stranger.post(f"/api/boards/columns/{first}/tasks/", {"title": "x"}).status_code == 403
    assert stranger.put(f"/api/boards/tasks/{card['id']}/", {"title": "x"}).status_code == 403
    moved = client.put(f"/api/boards/tasks/{card['id']}/", {"column": second}, format="json")
    assert moved.json()["column"] == second
    wrong = client.put(f"/api/boards/tasks/{card['id']}/", {"column": board}, format="json")
    assert wrong.status_code == 400
    assert client.get(f"/api/boards/tasks/{card['id']}/").status_code == 405
    assert client.delete(f"/api/boards/tasks/{card['id']}/").status_code == 204


def test_assignees_of_a_new_card_are_a_server_error(api, alpha_user, beta_user, board):
    client = api(alpha_user)
    column = client.get(f"/api/boards/{board}/columns/").json()[0]["id"]
    assigned = {"assigned_to_ids": [str(alpha_user.pk), str(beta_user.pk)]}
    url = f"/api/boards/columns/{column}/tasks/"
    answer = client.post(url, {"title": "x", **assigned}, format="json")
    assert answer.status_code == 500
    card = client.post(url, {"title": "x"}, format="json").json()
    changed = client.put(f"/api/boards/tasks/{card['id']}/", assigned, format="json").json()
    assert [each["id"] for each in changed["assigned_to"]] == [str(alpha_user.pk)]


def test_second_column_of_a_name(api, alpha_user, board):
    answer = api(alpha_user).post(f"/api/boards/{board}/columns/", {"name": "Done"})
    assert list(answer.json()["errors"]) == ["name"]


def test_macros(api, by_admin, by_user, in_beta):
    admin, user = api(by_admin.profile), api(by_user.profile)
    text = {"title": "Hello", "body": "%customer_name%: %case_subject% %typo%"}
    assert user.post("/api/macros/", text).status_code == 403
    shared = admin.post("/api/macros/", text, format="json").json()
    own = user.post("/api/macros/", {**text, "scope": "personal"}, format="json").json()

    assert admin.get(f"/api/macros/{own['id']}/").status_code == 404
    assert {row["id"] for row in user.get("/api/macros/").json()["results"]} == {
        shared["id"],
        own["id"],
    }
    assert user.patch(f"/api/macros/{shared['id']}/", {"title": "x"}).status_code == 403
    assert user.patch(f"/api/macros/{own['id']}/", {"scope": "org"}).status_code == 403
    assert api(in_beta.profile).get(f"/api/macros/{shared['id']}/").status_code == 404

    url = f"/api/macros/{shared['id']}/render/"
    rendered = user.post(url, {"case_id": str(by_admin.cases.pk)}).json()["rendered_body"]
    assert rendered == "admins Contact: admins case %typo%"
    assert user.post(url, {"case_id": str(in_beta.cases.pk)}).status_code == 404
    assert user.post(url, {"case_id": "none"}).status_code == 500


def test_a_deleted_macro_of_the_organisation_is_switched_off(api, alpha_admin):
    client = api(alpha_admin)
    for scope, status in (("org", 200), ("personal", 404)):
        text = {"title": "Hello", "body": "Hello", "scope": scope}
        key = client.post("/api/macros/", text).json()["id"]
        assert client.delete(f"/api/macros/{key}/").status_code == 204
        assert client.get(f"/api/macros/{key}/").status_code == status


def test_timesheet(api, by_admin, by_user):
    admin, user = api(by_admin.profile), api(by_user.profile)
    times = {"started_at": "2026-03-02T09:00:00Z", "ended_at": "2026-03-02T10:30:00Z"}
    url = f"/api/cases/{by_admin.cases.pk}/time-entries/"
    made = user.post(url, {**times, "description": "Looked into it"}).json()

    march = {"start": "2026-03-01", "end": "2026-03-31"}
    days = user.get("/api/time-entries/timesheet/", march).json()["days"]
    assert len(days) == 31
    (entry,) = (entry for day in days for entry in day["entries"])
    assert (entry["id"], entry["case"]["name"]) == (made["id"], "admins case")
    assert (
        len(user.get("/api/time-entries/timesheet/", {"start": "2026-03-01"}).json()["days"]) == 7
    )
    other = {**march, "profile": str(by_admin.profile.pk)}
    assert user.get("/api/time-entries/timesheet/", other).status_code == 403
    theirs = {**march, "profile": str(by_user.profile.pk)}
    assert admin.get("/api/time-entries/timesheet/", theirs).json()["days"] == days
