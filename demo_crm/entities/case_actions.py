from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from demo_crm.answers import Refused, done, forbidden, invalid, not_found
from demo_crm.entities.cases import Cases, follow_status
from demo_crm.entities.solutions import SolutionSerializer
from demo_crm.models import Case, Solution
from demo_crm.serializers import ProfileSerializer


class CaseWatch(Cases, APIView):
    def post(self, request: Request, pk: UUID) -> Response:
        case = self._visible(pk)
        watched = case.watchers.filter(pk=self.profile.pk).exists()
        case.watchers.add(self.profile)
        body = {"watching": True, "subscribed_via": "manual"}
        return Response(body, status=200 if watched else 201)

    def delete(self, request: Request, pk: UUID) -> Response:
        self._visible(pk).watchers.remove(self.profile)
        return Response(status=204)

    def _visible(self, pk: UUID) -> Case:
        """Unlike elsewhere, a case out of reach is not found."""
        case: Case = get_object_or_404(self.visible().distinct(), pk=pk)
        return case


class CaseWatchers(CaseWatch):
    http_method_names = ["get"]

    def get(self, request: Request, pk: UUID) -> Response:
        watchers = self._visible(pk).watchers.select_related("user")
        return Response({"watchers": ProfileSerializer(watchers, many=True).data})


class CaseLink(Cases, APIView):
    def post(self, request: Request, pk: UUID) -> Response:
        case, parent_id = self.found(pk), self.request.data.get("parent_id")
        if not parent_id and case.parent_id is None:
            raise Refused(400, {"detail": "Case is not linked to a parent."})
        case.parent = self._parent(case, parent_id) if parent_id else None
        case.save()
        return Response({"id": str(case.pk), "parent": parent_id or None})

    def _parent(self, case: Case, parent_id: Any) -> Case:
        # On purpose: a malformed id is a server error.
        parent: Case | None = self.records().filter(pk=parent_id).first()
        if parent is None or parent == case:
            message = "Parent case not found in this organization."
            raise Refused(400, {"parent_id": message})
        return parent


class CaseCloseWithChildren(Cases, APIView):
    def post(self, request: Request, pk: UUID) -> Response:
        case = self.found(pk)
        if case.status == "Duplicate":
            raise Refused(400, {"detail": "Cannot close a merged case."})
        children = (
            list(case.children.exclude(status="Closed")) if self.request.data.get("cascade") else []
        )
        for each in (case, *children):
            self._close(each)
        return Response(
            {
                "id": str(case.pk),
                "status": case.status,
                "cascaded_case_ids": [str(child.pk) for child in children],
                "resolution_comment": self.request.data.get("resolution_comment", ""),
            }
        )

    def _close(self, case: Case) -> None:
        before, case.status = case.status, "Closed"
        case.closed_on = case.closed_on or timezone.localdate()
        case.save()
        follow_status(case, before)


class CaseMerge(Cases, APIView):
    def post(self, request: Request, pk: UUID, into: UUID) -> Response:
        if pk == into:
            raise invalid("Cannot merge a ticket into itself.")
        source, target = self._case(pk), self._case(into)
        self._require_both(source, target, "merge")
        if target.merged_into_id:
            raise invalid("Target ticket has already been merged elsewhere.")
        if source.merged_into_id and source.merged_into != target:
            raise invalid("Source ticket is already merged into a different ticket.")
        if not source.merged_into_id:
            source.status_before_merge, source.status = source.status, "Duplicate"
            source.merged_into = target
            source.save()
        shown = {"target_case": self.shown(target), "source_case_id": str(source.pk)}
        return done("Tickets merged", **shown, redirected_url=f"/tickets/{target.pk}")

    def _case(self, pk: UUID) -> Case:
        case: Case | None = self.records().filter(pk=pk).first()
        if case is None:
            raise not_found("Ticket not found.")
        return case

    def _require_both(self, source: Case, target: Case, verb: str) -> None:
        creators = {source.created_by_id, target.created_by_id}
        if not self.profile.is_admin and creators != {self.profile.user_id}:
            raise forbidden(
                f"You must be an admin, or the creator of both tickets, to {verb} them."
            )


class CaseUnmerge(CaseMerge):
    def post(self, request: Request, pk: UUID) -> Response:  # type: ignore[override]
        source = self._case(pk)
        if source.merged_into is None:
            raise invalid("This ticket is not currently merged.")
        self._require_both(source, source.merged_into, "unmerge")
        source.status, source.merged_into = source.status_before_merge, None
        source.save()
        return done("Tickets unmerged", source_case=self.shown(source))


class CaseSolutions(Cases, APIView):
    def post(self, request: Request, pk: UUID) -> Response:
        case, solution_id = self.to_write(pk), self.request.data.get("solution_id")
        if not solution_id:
            raise invalid("solution_id required")
        solution = self._solution(solution_id)
        linked = case.solutions.filter(pk=solution.pk).exists()
        case.solutions.add(solution)
        body = {"error": False, "solution": SolutionSerializer(solution).data}
        return Response(body, status=200 if linked else 201)

    def delete(self, request: Request, pk: UUID, solution_pk: UUID) -> Response:
        self.to_write(pk).solutions.remove(self._solution(solution_pk))
        return Response(status=204)

    def _solution(self, pk: Any) -> Solution:
        solution = Solution.objects.filter(pk=pk).first()
        if solution is None:
            raise not_found("Solution not found")
        return solution


urlpatterns = [
    path("<uuid:pk>/watch/", CaseWatch.as_view()),
    path("<uuid:pk>/watchers/", CaseWatchers.as_view()),
    path("<uuid:pk>/link/", CaseLink.as_view()),
    path("<uuid:pk>/close-with-children/", CaseCloseWithChildren.as_view()),
    path("<uuid:pk>/merge/<uuid:into>/", CaseMerge.as_view()),
    path("<uuid:pk>/unmerge/", CaseUnmerge.as_view()),
    path("<uuid:pk>/solutions/", CaseSolutions.as_view()),
    path("<uuid:pk>/solutions/<uuid:solution_pk>/", CaseSolutions.as_view()),
]
