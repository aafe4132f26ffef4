"""A case and those below it. On purpose, nobody asks whether the case is the caller's."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from demo_crm.answers import Refused, first_or_refuse
from demo_crm.entities.base import Body
from demo_crm.entities.service.cases import Cases, follow_status
from demo_crm.models import Case
from demo_crm.services import case_tree


class Tree(Cases, APIView):
    def found(self, pk: Any) -> Any:
        return first_or_refuse(self.records().filter(pk=pk), Refused(404, {"detail": "Not found."}))


class CaseTree(Tree):
    """From the topmost case down, whichever of its cases was asked for."""

    def get(self, request: Request, pk: UUID) -> Response:
        case = self.found(pk)
        *_, root = case_tree.lineage(case)
        return Response({"root": self._node(root), "focus_id": str(case.pk)})

    def _node(self, case: Case, above: int = 0) -> Body:
        node: Body = {
            "id": str(case.pk),
            "name": case.name,
            "status": case.status,
            "priority": case.priority,
            "is_problem": case.is_problem,
            "is_active": case.is_active,
            "assigned_to": [str(profile.pk) for profile in case.assigned_to.all()],
        }
        if above >= case_tree.LEVELS:
            return {**node, "children": [], "truncated": True}
        return {**node, "children": [self._node(each, above + 1) for each in case.children.all()]}


class CaseLink(Tree):
    def post(self, request: Request, pk: UUID) -> Response:
        case, parent_id = self.found(pk), self.request.data.get("parent_id")
        if not parent_id and case.parent_id is None:
            raise Refused(400, {"detail": "Case is not linked to a parent."})
        case.parent = parent = self._parent(case, parent_id) if parent_id else None
        case.save()
        shown = parent and {"id": str(parent.pk), "name": parent.name, "status": parent.status}
        return Response({"id": str(case.pk), "parent": shown})

    def _parent(self, case: Case, parent_id: Any) -> Case:
        # On purpose: a malformed id is a server error.
        parent: Case = first_or_refuse(
            self.records().filter(pk=parent_id),
            Refused(400, {"parent_id": "Parent case not found in this organization."}),
        )
        if refusal := case_tree.refusal_to_link(parent, case):
            raise Refused(400, {"parent_id": refusal})
        return parent


class CaseCloseWithChildren(Tree):
    """On purpose, past every approval rule, and a comment on it is stored nowhere."""

    def post(self, request: Request, pk: UUID) -> Response:
        case = self.found(pk)
        if case.status == "Duplicate":
            raise Refused(400, {"detail": "Cannot close a merged case."})
        cascade = self.request.data.get("cascade")
        below = list(open_descendants(case)) if cascade else []
        for each in (case, *below):
            self._close(each)
        return Response(
            {
                "id": str(case.pk),
                "status": case.status,
                "cascaded_case_ids": [str(child.pk) for child in below],
                "resolution_comment": self.request.data.get("resolution_comment") or "",
            }
        )

    def _close(self, case: Case) -> None:
        if case.status == "Closed":
            return
        before, case.status = case.status, "Closed"
        case.closed_on = timezone.localdate()
        case.save()
        follow_status(case, before)


def open_descendants(case: Case) -> Iterator[Case]:
    for child in case.children.all():
        if child.status != "Closed" and child.is_active:
            yield child
        yield from open_descendants(child)


urlpatterns = [
    path("<uuid:pk>/tree/", CaseTree.as_view()),
    path("<uuid:pk>/link/", CaseLink.as_view()),
    path("<uuid:pk>/close-with-children/", CaseCloseWithChildren.as_view()),
]
