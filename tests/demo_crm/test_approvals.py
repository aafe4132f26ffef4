import pytest

from tests.demo_crm.conftest import url

RULES = "/api/cases/approval-rules/"
APPROVALS = "/api/cases/approvals/"
CLOSED = {"status": "Closed", "closed_on": "2026-01-05"}


@pytest.fixture
def admin(api, alpha_admin):
    return api(alpha_admin)


@pytest.fixture
def user(api, alpha_user):
    return api(alpha_user)


@pytest.fixture
def case(by_user):
    return url("cases", by_user.cases.pk)


@pytest.fixture
def rule(admin):
    return made(admin)


def made(client, **values):
    answer = client.post(RULES, {"name": "Second look", **values}, format="json")
    assert answer.status_code == 201, answer.content
    return answer.json()


@pytest.fixture
def request_id(user, case, rule):
    return asked(user, case)


def asked(client, case):
    return client.post(f"{case}request-approval/", {"note": "Done"}, format="json").json()["id"]


def decide(client, pk, decision, **body):
    return client.post(f"{APPROVALS}{pk}/{decision}/", body, format="json")


def listed(client, **params):
    return [each["id"] for each in client.get(APPROVALS, params).json()["approvals"]]


def test_rules_are_set_by_administrators(admin, user, alpha_user):
    assert user.post(RULES, {"name": "x"}, format="json").json() == {
        "error": True,
        "errors": "Admin access required",
    }
    rule = made(admin, approver_ids=[str(alpha_user.pk)], match_priority="High")
    assert rule["approvers"] == [{"id": str(alpha_user.pk), "email": alpha_user.user.email}]
    assert user.put(f"{RULES}{rule['id']}/", {}, format="json").status_code == 403
    assert user.delete(f"{RULES}{rule['id']}/").status_code == 403
    shown = user.get(RULES).json()
    assert [each["name"] for each in shown["rules"]] == ["Second look"]
    assert shown["totals"] == {"count": 1, "active": 1, "pending": 0}


@pytest.mark.parametrize(
    "values", [{"name": ""}, {"match_priority": "Huge"}, {"approver_role": "USER"}]
)
def test_nonsensical_rule(admin, values):
    answer = admin.post(RULES, {"name": "x", **values}, format="json")
    assert (answer.status_code, set(answer.json()["errors"])) == (400, set(values))


def test_rule_with_people_of_another_org(admin, beta_user, in_beta):
    for values in ({"approver_ids": [str(beta_user.pk)]}, {"match_team_id": str(in_beta.team.pk)}):
        answer = admin.post(RULES, {"name": "x", **values}, format="json")
        assert (answer.status_code, set(answer.json()["errors"])) == (400, set(values))


def test_case_is_closed_with_an_approval(admin, user, case, rule):
    refused = user.patch(case, CLOSED, format="json")
    assert refused.status_code == 400
    assert refused.json()["errors"]["status"] == [
        "An approval is required before this case can be closed (rule: Second look)."
    ]
    pk = asked(user, case)
    assert user.patch(case, CLOSED, format="json").status_code == 400
    approved = decide(admin, pk, "approve", note="Fine").json()
    assert (approved["state"], approved["note"]) == ("approved", "Fine")
    assert user.patch(case, CLOSED, format="json").status_code == 200


def test_administrators_need_it_too(admin, case, rule):
    assert admin.patch(case, CLOSED, format="json").status_code == 400


def test_rejected_case_stays_open(admin, user, case, request_id):
    assert decide(admin, request_id, "reject", reason=" ").status_code == 400
    rejected = decide(admin, request_id, "reject", reason="Not yet").json()
    assert (rejected["state"], rejected["reason"]) == ("rejected", "Not yet")
    assert user.patch(case, CLOSED, format="json").status_code == 400
    assert decide(admin, request_id, "approve").status_code == 400


@pytest.mark.parametrize(
    ("match", "wanted"),
    [
        ({"match_priority": "High"}, True),
        ({"match_priority": "Low"}, False),
        ({"match_case_type": "Incident"}, False),
        ({"is_active": False}, False),
    ],
)
def test_which_cases_a_rule_is_for(admin, user, case, match, wanted):
    made(admin, **match)
    answer = user.post(f"{case}request-approval/")
    assert answer.status_code == (201 if wanted else 400)
    assert user.patch(case, CLOSED, format="json").status_code == (400 if wanted else 200)


def test_rule_for_a_team(admin, user, by_user, case):
    made(admin, match_team_id=str(by_user.team.pk))
    assert user.post(f"{case}request-approval/").status_code == 400
    user.patch(case, {"teams": [str(by_user.team.pk)]}, format="json")
    assert user.post(f"{case}request-approval/").status_code == 201


def test_rule_looks_at_what_the_case_becomes(admin, user, case):
    made(admin, match_priority="Urgent")
    assert user.patch(case, {**CLOSED, "priority": "Urgent"}, format="json").status_code == 400
    assert user.patch(case, CLOSED, format="json").status_code == 200


def test_rule_that_demands_more_comes_first(admin, user, case):
    made(admin, name="Narrow", match_priority="High")
    made(admin, name="Wide")
    refused = user.patch(case, CLOSED, format="json").json()["errors"]["status"]
    assert "rule: Narrow" in refused[0]


def test_ask_by_a_rule(admin, user, case, rule):
    other = made(admin, match_priority="Low")["id"]
    off = made(admin, is_active=False)["id"]
    for pk in (other, off):
        answer = user.post(f"{case}request-approval/", {"rule_id": pk}, format="json")
        assert answer.status_code == 400
    answer = user.post(f"{case}request-approval/", {"rule_id": rule["id"]}, format="json")
    assert answer.json()["rule_summary"]["id"] == rule["id"]


def test_ask_twice(user, case, request_id):
    again = user.post(f"{case}request-approval/")
    assert (again.status_code, again.json()["approval_id"]) == (409, request_id)


def test_ask_about_a_case_out_of_reach(user, by_admin, rule):
    path = url("cases", by_admin.cases.pk, "request-approval")
    assert user.post(path).status_code == 403


def test_own_request(admin, user, alpha_user, case):
    made(admin, approver_ids=[str(alpha_user.pk)])
    pk = asked(user, case)
    assert decide(user, pk, "approve").status_code == 403
    assert decide(user, pk, "reject", reason="x").status_code == 403
    assert decide(admin, pk, "approve").status_code == 200


def test_request_of_an_administrator(admin, user, alpha_user, case):
    made(admin, approver_ids=[str(alpha_user.pk)])
    pk = asked(admin, case)
    assert decide(admin, pk, "approve").status_code == 403
    assert decide(user, pk, "approve").status_code == 200


def test_who_is_no_approver(admin, user, case, rule):
    pk = asked(admin, case)
    assert decide(user, pk, "approve").status_code == 403
    assert decide(user, pk, "reject", reason="x").status_code == 403
    assert decide(user, pk, "cancel").status_code == 403


def test_cancel(admin, user, case, request_id):
    cancelled = decide(user, request_id, "cancel").json()
    assert (cancelled["state"], cancelled["approver"]) == ("cancelled", None)
    assert decide(user, request_id, "cancel").status_code == 400
    assert decide(admin, asked(user, case), "cancel").status_code == 200


def test_list(admin, user, by_admin, by_user, case, request_id):
    assert listed(user) == listed(admin, mine="true") == [request_id]
    assert listed(user, mine="true") == []
    assert listed(admin, case=str(by_admin.cases.pk)) == []
    decide(admin, request_id, "approve")
    assert listed(admin) == []
    assert listed(admin, state="all") == listed(admin, state="approved") == [request_id]
    assert listed(admin, state="all", case=str(by_user.cases.pk)) == [request_id]
    assert admin.get(APPROVALS, {"case": "x"}).status_code == 400


def test_only_a_list_knows_who_is_asking(admin, user, request_id):
    (row,) = admin.get(APPROVALS).json()["approvals"]
    assert (row["can_act"], row["is_own_request"]) == (True, False)
    (row,) = user.get(APPROVALS).json()["approvals"]
    assert (row["can_act"], row["is_own_request"]) == (False, True)
    assert decide(user, request_id, "cancel").json()["is_own_request"] is False


def test_request_about_a_case_out_of_reach(admin, user, alpha_user, by_admin, rule):
    pk = asked(admin, url("cases", by_admin.cases.pk))
    assert listed(user) == []
    admin.put(f"{RULES}{rule['id']}/", {"approver_ids": [str(alpha_user.pk)]}, format="json")
    assert listed(user) == [pk]


def test_rule_that_was_used_is_switched_off(admin, rule, request_id):
    off = admin.delete(f"{RULES}{rule['id']}/")
    assert (off.status_code, off.json()["is_active"]) == (200, False)
    unused = made(admin)["id"]
    assert admin.delete(f"{RULES}{unused}/").status_code == 204
    assert admin.get(f"{RULES}{unused}/").status_code == 404


def test_ways_past_a_rule(user, case, rule, by_user):
    assert user.patch(f"{case}move/", {"status": "Closed"}, format="json").status_code == 200
    user.patch(case, {"status": "New"}, format="json")
    assert user.post(f"{case}close-with-children/").status_code == 200
    born = {"name": "Born closed", "priority": "Low", **CLOSED}
    assert user.post(url("cases"), born, format="json").status_code == 200


def test_another_org(api, beta_admin, case, rule, request_id):
    stranger = api(beta_admin)
    assert stranger.get(f"{RULES}{rule['id']}/").status_code == 404
    assert stranger.put(f"{RULES}{rule['id']}/", {}, format="json").status_code == 404
    assert stranger.delete(f"{RULES}{rule['id']}/").status_code == 404
    assert stranger.get(RULES).json()["rules"] == []
    assert listed(stranger, state="all") == []
    assert stranger.post(f"{case}request-approval/").status_code == 404
    for decision in ("approve", "reject", "cancel"):
        assert decide(stranger, request_id, decision, reason="x").status_code == 404


def test_rule_of_another_org_does_not_matter(api, beta_admin, in_beta, rule):
    case = url("cases", in_beta.cases.pk)
    assert api(beta_admin).patch(case, CLOSED, format="json").status_code == 200
