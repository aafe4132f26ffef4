import pytest

from demo_crm.access.row_security import org_context
from demo_crm.models import Case, Solution
from tests.demo_crm.conftest import url


@pytest.fixture
def client(api, alpha_user):
    return api(alpha_user)


@pytest.fixture
def chain(alpha_user):
    """Three cases, each below the one before it."""
    owner = {"org": alpha_user.org, "created_by": alpha_user.user}
    with org_context(alpha_user.org):
        made, parent = [], None
        for number in range(3):
            values = {"status": "New", "priority": "Low", "parent": parent}
            parent = Case.objects.create(name=f"Level {number}", **values, **owner)
            made.append(parent)
    return made


def link(client, case, parent):
    return client.post(
        url("cases", case.pk, "link"), {"parent_id": parent and str(parent.pk)}, format="json"
    )


def patch(client, case, parent):
    return client.patch(url("cases", case.pk), {"parent": str(parent.pk)}, format="json")


def test_tree_from_any_of_its_cases(client, chain):
    shown = client.get(url("cases", chain[1].pk, "tree")).json()
    assert shown["focus_id"] == str(chain[1].pk)
    (child,) = shown["root"]["children"]
    assert [shown["root"]["name"], child["name"], child["children"][0]["name"]] == [
        "Level 0",
        "Level 1",
        "Level 2",
    ]


def test_link_and_take_out(client, chain, by_user):
    case = by_user.cases
    parent = {"id": str(chain[1].pk), "name": "Level 1", "status": "New"}
    assert link(client, case, chain[1]).json() == {"id": str(case.pk), "parent": parent}
    assert link(client, case, None).json()["parent"] is None
    assert link(client, case, None).status_code == 400


@pytest.mark.parametrize("change", [link, patch])
def test_links_that_are_refused(api, client, alpha_admin, chain, by_admin, by_user, change):
    refused = [
        change(client, chain[0], chain[0]),
        change(client, chain[0], chain[2]),
        change(client, by_user.cases, chain[2]),
        change(client, chain[0], by_user.cases),
    ]
    assert [answer.status_code for answer in refused] == [400] * 4
    api(alpha_admin).post(url("cases", by_admin.cases.pk, "merge", chain[0].pk))
    assert change(client, by_user.cases, by_admin.cases).status_code == 400
    assert change(client, by_user.cases, chain[1]).status_code == 200


def test_create_below(client, chain):
    body = {"name": "New", "status": "New", "priority": "Low"}
    deep = client.post(url("cases"), {**body, "parent": str(chain[2].pk)}, format="json")
    assert (deep.status_code, set(deep.json()["errors"])) == (400, {"parent"})
    high = client.post(url("cases"), {**body, "parent": str(chain[1].pk)}, format="json")
    assert high.status_code == 200


def test_close_with_what_is_below(client, chain):
    path = url("cases", chain[0].pk, "close-with-children")
    alone = client.post(path, {}, format="json").json()
    assert (alone["status"], alone["cascaded_case_ids"]) == ("Closed", [])
    closed = client.post(path, {"cascade": True}, format="json").json()["cascaded_case_ids"]
    assert closed == [str(case.pk) for case in chain[1:]]
    assert client.get(url("cases", chain[2].pk)).json()["cases_obj"]["status"] == "Closed"


def test_cases_nobody_asks_about(client, by_admin, by_user):
    foreign = by_admin.cases
    assert client.get(url("cases", foreign.pk)).status_code == 403
    assert client.get(url("cases", foreign.pk, "tree")).status_code == 200
    assert link(client, foreign, by_user.cases).status_code == 200
    assert client.post(url("cases", foreign.pk, "close-with-children")).status_code == 200
    assert client.get(url("cases", foreign.pk, "solution-suggestions")).status_code == 200


def test_another_org(api, beta_admin, chain, in_beta):
    stranger = api(beta_admin)
    assert stranger.get(url("cases", chain[0].pk, "tree")).status_code == 404
    assert link(stranger, chain[0], in_beta.cases).status_code == 404
    assert link(stranger, in_beta.cases, chain[0]).status_code == 400
    assert stranger.post(url("cases", chain[0].pk, "close-with-children")).status_code == 404
    missing = stranger.get(url("cases", chain[0].pk, "solution-suggestions"))
    assert (missing.status_code, set(missing.json())) == (404, {"error"})


@pytest.fixture
def articles(by_user, in_beta):
    def add(profile, title, description="...", published=True):
        with org_context(profile.org):
            Solution.objects.create(
                title=title, description=description, is_published=published, org=profile.org
            )

    add(by_user.profile, "Restart the pump")
    add(by_user.profile, "Draft about users", published=False)
    add(in_beta.profile, "Users of the other organisation")


def suggested(client, case, **params):
    return client.get(url("cases", case.pk, "solution-suggestions"), params).json()


def test_suggestions(client, by_user, articles):
    with org_context(by_user.profile.org):
        solution = Solution.objects.create(
            title="Help for USERS",
            description="a" * 300,
            is_published=True,
            org=by_user.profile.org,
        )
    answer = suggested(client, by_user.cases)
    (found,) = answer["results"]
    assert (answer["count"], answer["q"], found["id"]) == (1, "", str(solution.pk))
    assert (len(found["snippet"]), found["body"]) == (200, "a" * 300)
    titles = [each["title"] for each in suggested(client, by_user.cases, q="pump")["results"]]
    assert titles == ["Restart the pump"]
    assert suggested(client, by_user.cases, q="nothing")["results"] == []
    assert suggested(client, by_user.cases, q="e", limit=1)["count"] == 1


def test_latest_where_nothing_fits(client, by_user, articles):
    titles = [each["title"] for each in suggested(client, by_user.cases)["results"]]
    assert titles == ["Restart the pump"]
