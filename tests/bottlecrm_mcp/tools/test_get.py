import pytest
from django.contrib.contenttypes.models import ContentType

from bottlecrm_mcp.gateway.shared.rows import row_of
from demo_crm.access.row_security import org_context
from demo_crm.models import Comment
from tests.bottlecrm_mcp.population import ENTITIES, NAMES, UNKNOWN_ID, rest_record
from tests.bottlecrm_mcp.tools.test_search import holds_nothing


@pytest.mark.parametrize("name", [each for each in NAMES if each != "contacts"])
def test_record_is_that_of_the_rest_answer(user, api, alpha, name) -> None:
    pk = str(getattr(alpha, name)[2].pk)
    answer = user("crm_get", entity=name, id=pk)
    assert answer["record"] == row_of(ENTITIES[name].fields, rest_record(api(alpha.user), name, pk))
    assert not holds_nothing(answer)


def test_related_records_are_those_of_their_own_list(user, alpha) -> None:
    account = str(alpha.accounts[1].pk)
    answer = user(
        "crm_get", entity="accounts", id=account, include=["opportunities", "cases", "invoices"]
    )
    for name in ("opportunities", "cases", "invoices"):
        assert [row["id"] for row in answer[name]["records"]] == [str(getattr(alpha, name)[1].pk)]
        assert answer[name]["total"] == 1


def test_lead_that_no_list_has(user, alpha) -> None:
    pk = str(alpha.leads[1].pk)
    user("crm_action", entity="leads", id=pk, action="convert", confirm=True)
    assert user("crm_get", entity="leads", id=pk)["record"]["status"] == "converted"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ({"id": UNKNOWN_ID}, "not_found", "not found"),
        ({"id": "7"}, "not_found", "No lead matches"),
        ({"id": " "}, "invalid_id", "crm_search"),
        ({"id": 7}, "invalid_arguments", "string"),
        ({"id": UNKNOWN_ID.upper() + "\x00"}, "invalid_arguments", "NUL"),
        ({"id": UNKNOWN_ID, "include": ["coments"]}, "invalid_arguments", "'comments'"),
        ({"id": UNKNOWN_ID, "include": "comments"}, "invalid_arguments", "array"),
        ({"id": UNKNOWN_ID, "inclued": []}, "invalid_arguments", "'include'"),
    ],
)
def test_bad_input(user, arguments, code, told) -> None:
    error = user("crm_get", entity="leads", **arguments)["error"]
    assert error["code"] == code
    assert told in str(error)


def test_comments_are_bounded(user, alpha) -> None:
    lead = alpha.leads[1]
    kept = {"content_type": ContentType.objects.get_for_model(lead), "object_id": lead.pk}
    with org_context(alpha.org):
        Comment.objects.bulk_create(
            Comment(comment=f"No {number}", org=alpha.org, commented_by=alpha.user, **kept)
            for number in range(23)
        )
    comments = user("crm_get", entity="leads", id=str(lead.pk), include=["comments"])["comments"]
    assert (comments["total"], comments["returned"]) == (23, 20)


def test_comments_come_newest_first(user, alpha) -> None:
    pk = str(alpha.leads[1].pk)
    texts = [f"No {number}" for number in range(5)]
    for text in texts:
        user("crm_action", entity="leads", id=pk, action="add_comment", params={"comment": text})
    comments = user("crm_get", entity="leads", id=pk, include=["comments"])["comments"]
    assert [each["comment"] for each in comments["records"]] == texts[::-1]


def test_history_of_a_case_says_what_changed(user, alpha) -> None:
    pk = str(alpha.cases[1].pk)
    data = {"description": "x" * 600, "priority": "Urgent"}
    before = user("crm_get", entity="cases", id=pk)["record"]["priority"]
    user("crm_update", entity="cases", id=pk, data=data)
    case = user("crm_get", entity="cases", id=pk, include=["activity"])
    changed, raised = case["activity"]["records"]
    assert raised["metadata"] == {"before": before, "after": "Urgent"}
    described = changed["metadata"]["changes"]["description"]["after"]
    assert described.startswith("xxx")
    assert len(described) < 600
    assert raised["user"]["name"] == alpha.user.user.email
    assert "activity" in case["untrusted"]
