"""Nobody is asked to confirm what the CRM then refuses."""

from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType

from demo_crm.access.row_security import org_context
from demo_crm.entities.sales.leads import LeadDetail
from demo_crm.models import Comment, Lead
from tests.bottlecrm_mcp.population import ENTITIES, unchanged

DELETABLE = [name for name, entity in ENTITIES.items() if not entity.no_delete]
ADMIN_ONLY = [
    pytest.param(name, action.name, id=f"{name}-{action.name}")
    for name, entity in ENTITIES.items()
    for action in entity.actions
    if action.admin_only
]


@pytest.mark.parametrize("name", DELETABLE)
def test_delete_that_the_crm_would_refuse(user: Any, alpha: Any, name: str) -> None:
    # Assigned to the user, created by the administrator.
    pk = str(getattr(alpha, name)[2].pk)
    with unchanged():
        answer = user("crm_delete", entity=name, id=pk)
    assert answer.get("error", {}).get("code") in ("forbidden", "not_supported"), answer


@pytest.mark.parametrize("name", DELETABLE)
def test_trial_deletes_nothing(admin: Any, alpha: Any, name: str) -> None:
    pk = str(getattr(alpha, name)[1].pk)
    with unchanged():
        answer = admin("crm_delete", entity=name, id=pk)
    assert answer.get("confirmation_required") or answer["error"]["code"] == "not_supported"


def test_what_the_view_did_before_is_undone(
    admin: Any, alpha: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = LeadDetail.find

    def found_and_changed(self: Any, pk: Any) -> Any:
        if self.request.method == "DELETE":
            Lead.objects.filter(pk=pk).update(title="Changed on the way")
        return find(self, pk)

    monkeypatch.setattr(LeadDetail, "find", found_and_changed)
    with unchanged():
        assert admin("crm_delete", entity="leads", id=str(alpha.leads[1].pk))["preview"]


def test_comment_of_somebody_else(user: Any, alpha: Any) -> None:
    lead = alpha.leads[2]
    with org_context(alpha.org):
        comment = Comment.objects.create(
            org=alpha.org, comment="Mine", commented_by=alpha.admin, object_id=lead.pk,
            content_type=ContentType.objects.get_for_model(Lead),
        )  # fmt: skip
    asked = {"entity": "leads", "id": str(lead.pk), "action": "delete_comment"}
    with unchanged():
        answer = user("crm_action", **asked, params={"comment_id": str(comment.pk)})
    assert "error" in answer, answer


@pytest.mark.parametrize(("name", "action"), ADMIN_ONLY)
def test_what_only_administrators_may_do(user: Any, alpha: Any, name: str, action: str) -> None:
    pk = str(getattr(alpha, name)[1].pk)
    error = user("crm_action", entity=name, id=pk, action=action)["error"]
    assert error["code"] == "forbidden"
    assert "administrator" in error["message"]


def test_confirmed_delete_still_deletes(admin: Any, alpha: Any) -> None:
    lead = alpha.leads[1]
    asked = {"entity": "leads", "id": str(lead.pk)}
    preview = admin("crm_delete", **asked)
    assert admin("crm_delete", **asked, confirm=True, confirmation=preview["confirmation"])[
        "deleted"
    ]
    with org_context(alpha.org):
        assert not Lead.objects.filter(pk=lead.pk).exists()
