"""Teams: administrators read and write them here; other members see them among the look-ups."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.response import Response

from demo_crm.answers import done, invalid
from demo_crm.entities.organisation.lookups import Member
from demo_crm.models import Profile, Team
from demo_crm.serializers import TeamSerializer, WriteSerializer

# On purpose no others: BottleCRM's task ends in an error when it comes to the deals.
ASSIGNED = ("account_teams", "contact_teams", "lead_teams")


class TeamWriteSerializer(WriteSerializer):
    class Meta:
        model = Team
        fields = ("name", "description")

    def validate_name(self, name: str) -> str | None:
        return self.require_unique("name", name, "Team already exists with this name")


class TeamView(Member):
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.require_admin("You don't have permission to perform this action.")

    @property
    def teams(self) -> QuerySet[Team]:
        return Team.objects.filter(org=self.profile.org).order_by("-id")

    def find(self, pk: UUID) -> Team:
        return get_object_or_404(self.teams, pk=pk)

    def save(self, data: Any, team: Team | None = None, *, partial: bool = False) -> Team:
        serializer = TeamWriteSerializer(team, data=data, partial=partial, request_obj=self.request)
        if not serializer.is_valid():
            raise invalid(serializer.errors)
        creator = {} if team else {"org": self.profile.org, "created_by": self.profile.user}
        saved: Team = serializer.save(**creator)
        return saved

    def add(self, team: Team, ids: Any) -> None:
        team.users.add(*Profile.objects.filter(org=self.profile.org, pk__in=ids))


def assign_members(team: Team) -> None:
    """On purpose: who is in the team gets its records, and who leaves keeps them."""
    members = team.users.all()
    for name in ASSIGNED:
        for record in getattr(team, name).all():
            record.assigned_to.add(*members)


class Teams(TeamView, LimitOffsetPagination):  # type: ignore[misc]
    def get(self, request: Request) -> Response:
        teams = self.paginate_queryset(self.teams, request, view=self)
        rows = TeamSerializer(teams, many=True).data
        return Response({"teams": rows, "teams_count": self.count})

    def post(self, request: Request) -> Response:
        """On purpose: the members are in `users`, and taken only if `assign_users` says so."""
        sent: Any = request.data
        team = self.save(sent)
        if sent.get("assign_users"):
            self.add(team, sent.get("users"))
        return done("Team Created Successfully")


class OneTeam(TeamView):
    def get(self, request: Request, pk: UUID) -> Response:
        return Response({"team": TeamSerializer(self.find(pk)).data})

    def put(self, request: Request, pk: UUID) -> Response:
        """On purpose: members that `assign_users` does not name leave the team."""
        sent: Any = request.data
        team = self.save(sent, self.find(pk))
        team.users.clear()
        self.add(team, sent.get("assign_users") or ())
        assign_members(team)
        return done("Team Updated Successfully")

    def patch(self, request: Request, pk: UUID) -> Response:
        """On purpose: the members stay as they are."""
        self.save(request.data, self.find(pk), partial=True)
        return done("Team Updated Successfully")

    def delete(self, request: Request, pk: UUID) -> Response:
        self.find(pk).delete()
        return done("Team Deleted Successfully")


urlpatterns = [path("", Teams.as_view()), path("<uuid:pk>/", OneTeam.as_view())]
