"""Case actions: watchers, tree, suggestions, merges and linked solutions."""

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.text import Truncator
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from demo_crm.answers import Refused, done, first_or_refuse, forbidden, invalid, not_found
from demo_crm.entities.base import Body
from demo_crm.entities.rows import SolutionSerializer
from demo_crm.entities.service.cases import Cases
from demo_crm.models import Attachment, Case, CaseWatcher, Comment, Solution

# What a merge moves to the other case.
NOTES: tuple[Any, ...] = (Comment, Attachment)


class CaseWatch(Cases, APIView):
    def post(self, request: Request, pk: UUID) -> Response:
        case = self._visible(pk)
        watcher, added = CaseWatcher.objects.get_or_create(
            case=case, profile=self.profile, defaults={"org": case.org}
        )
        body = {"watching": True, "subscribed_via": watcher.subscribed_via}
        return Response(body, status=201 if added else 200)

    def delete(self, request: Request, pk: UUID) -> Response:
        CaseWatcher.objects.filter(case=self._visible(pk), profile=self.profile).delete()
        return Response(status=204)

    def _visible(self, pk: UUID) -> Case:
        """Unlike elsewhere, a case out of reach is not found."""
        case: Case = get_object_or_404(self.visible().distinct(), pk=pk)
        return case


class CaseWatchers(CaseWatch):
    http_method_names = ["get"]

    def get(self, request: Request, pk: UUID) -> Response:
        rows = CaseWatcher.objects.filter(case=self._visible(pk)).order_by("created_at")
        watchers = [self._row(each) for each in rows.select_related("profile__user")]
        return Response({"watchers": watchers, "count": len(watchers)})

    def _row(self, watcher: CaseWatcher) -> Body:
        user = watcher.profile.user
        return {
            "id": str(watcher.pk),
            "profile_id": str(watcher.profile.pk),
            "user_id": str(user.pk),
            # On purpose the address, as BottleCRM has it.
            "name": user.email,
            "email": user.email,
            "subscribed_via": watcher.subscribed_via,
            "created_at": watcher.created_at,
        }


class CaseSuggestions(Cases, APIView):
    """Published solutions that have a word of the case, or else the latest ones."""

    def get(self, request: Request, pk: UUID) -> Response:
        case: Case = first_or_refuse(
            self.records().filter(pk=pk), Refused(404, {"error": "Case not found"})
        )
        query = request.query_params.get("q", "").strip()
        published = Solution.objects.filter(org=case.org, is_published=True).order_by("-updated_at")
        found = published.filter(mentions([query] if query else words(case)))
        if not query and not found:
            found = published
        results = [self._row(solution) for solution in found[: self._limit()]]
        return Response({"results": results, "count": len(results), "q": query})

    def _limit(self) -> int:
        asked = self.request.query_params.get("limit", "")
        return min(max(int(asked), 1), 20) if asked.isdecimal() else 5

    def _row(self, solution: Solution) -> Body:
        return {
            "id": str(solution.pk),
            "title": solution.title,
            "snippet": Truncator(solution.description.strip()).chars(200),
            "body": solution.description,
            "updated_at": solution.updated_at.isoformat(),
        }


def words(case: Case) -> list[str]:
    """The first ones that are long enough to mean something."""
    found = re.findall(r"[\w-]{4,}", f"{case.name} {case.description or ''}")
    return [word.lower() for word in found[:6]]


def mentions(terms: Iterable[str]) -> Q:
    matches = Q(pk=None)
    for term in terms:
        matches |= Q(title__icontains=term) | Q(description__icontains=term)
    return matches


class CaseMerge(Cases, APIView):
    def post(self, request: Request, pk: UUID, into: UUID) -> Response:
        if pk == into:
            raise invalid("Cannot merge a ticket into itself.")
        source, target = self._case(pk), self._case(into)
        self._require_both(source, target, "merge")
        shown = {"target_case": self.shown(target), "source_case_id": str(source.pk)}
        shown["redirected_url"] = f"/tickets/{target.pk}"
        if source.merged_into_id:
            if source.merged_into != target:
                raise invalid("Source ticket is already merged into a different ticket.")
            return done("Tickets already merged.", already_merged=True, **shown)
        if target.merged_into_id:
            raise invalid("Target ticket has already been merged elsewhere.")
        self._merge(source, target)
        return done("Tickets merged", **shown)

    def _merge(self, source: Case, target: Case) -> None:
        closed_on = source.closed_on and source.closed_on.isoformat()
        record: Body = {"status": source.status, "closed_on": closed_on}
        for model in NOTES:
            kept = model.objects.filter(object_id=source.pk)
            record[model.__name__] = [str(note.pk) for note in kept]
            kept.update(object_id=target.pk)
        source.merge_record, source.merged_into = record, target
        source.status, source.closed_on = "Duplicate", timezone.localdate()
        source.save()

    def _case(self, pk: UUID) -> Any:
        return first_or_refuse(self.records().filter(pk=pk), not_found("Ticket not found."))

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
        self._unmerge(source, source.merged_into, source.merge_record or {})
        return done("Tickets unmerged", source_case=self.shown(source))

    def _unmerge(self, source: Case, target: Case, record: Body) -> None:
        for model in NOTES:
            moved = model.objects.filter(pk__in=record[model.__name__], object_id=target.pk)
            moved.update(object_id=source.pk)
        source.merge_record = source.merged_into = None
        source.status = record["status"]
        source.closed_on = record["closed_on"] and parse_date(record["closed_on"])
        source.save()


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
        return first_or_refuse(Solution.objects.filter(pk=pk), not_found("Solution not found"))


urlpatterns = [
    path("<uuid:pk>/watch/", CaseWatch.as_view()),
    path("<uuid:pk>/watchers/", CaseWatchers.as_view()),
    path("<uuid:pk>/solution-suggestions/", CaseSuggestions.as_view()),
    path("<uuid:pk>/merge/<uuid:into>/", CaseMerge.as_view()),
    path("<uuid:pk>/unmerge/", CaseUnmerge.as_view()),
    path("<uuid:pk>/solutions/", CaseSolutions.as_view()),
    path("<uuid:pk>/solutions/<uuid:solution_pk>/", CaseSolutions.as_view()),
]
