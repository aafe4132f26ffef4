"""Kanban boards of their own cards: seen by their members, administrators or not."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from demo_crm.answers import Refused, invalid
from demo_crm.entities.base import Body, Entity, RecordDetail, RecordList
from demo_crm.filters import contains
from demo_crm.models import Profile
from demo_crm.serializers import Brief, ProfileSerializer, RowSerializer, WriteSerializer, names
from tests.whole_crm.models import Board, BoardColumn, BoardMember, BoardTask

MANAGERS = ("owner", "admin")
FIRST_COLUMNS = (("To Do", "#EF4444"), ("In Progress", "#F59E0B"), ("Done", "#10B981"))


class CardSerializer(serializers.ModelSerializer[BoardTask]):
    assigned_to = ProfileSerializer(many=True, read_only=True)
    assigned_to_ids = serializers.ListField(
        child=serializers.UUIDField(), write_only=True, required=False
    )
    account = Brief("name")
    is_completed = serializers.BooleanField(read_only=True)
    is_overdue = serializers.BooleanField(read_only=True)

    class Meta:
        model = BoardTask
        fields = "__all__"
        read_only_fields = names(
            "org column created_by updated_by contact opportunity completed_at"
        )


class ColumnSerializer(serializers.ModelSerializer[BoardColumn]):
    tasks = CardSerializer(many=True, read_only=True)
    task_count = serializers.IntegerField(source="tasks.count", read_only=True)

    class Meta:
        model = BoardColumn
        fields = "__all__"
        read_only_fields = ("board", "org", "created_by", "updated_by")


class MemberSerializer(serializers.ModelSerializer[BoardMember]):
    profile = ProfileSerializer(read_only=True)

    class Meta:
        model = BoardMember
        fields = "__all__"


class BoardSerializer(RowSerializer):
    owner = ProfileSerializer(read_only=True)
    columns = Brief("name", "order", "color", "limit", many=True)
    members = MemberSerializer(source="memberships", many=True, read_only=True)

    class Meta:
        model = Board
        fields = "__all__"


class BoardRowSerializer(RowSerializer):
    prefetch = ("owner__user",)

    owner = ProfileSerializer(read_only=True)

    class Meta:
        model = Board
        fields = names("id name description owner is_archived created_at updated_at")


class BoardWriteSerializer(WriteSerializer):
    class Meta:
        model = Board
        fields = ("name", "description", "is_archived")


class Boards(Entity):
    model = Board
    row: ClassVar[Any] = BoardSerializer
    write = BoardWriteSerializer
    label = "Board"
    relations = ()

    def owned(self) -> Q:
        return Q(owner=self.profile) | Q(members=self.profile)

    def visible(self) -> QuerySet[Any]:
        """On purpose: being an administrator opens no board."""
        return self.records().filter(self.owned())

    def allows(self, record: Any, rule: Q) -> bool:
        return self.visible().filter(pk=record.pk).exists()

    def denied(self) -> APIException:
        return Refused(404, {"error": "Board not found or access denied"})

    def role(self, board: Board) -> str:
        own = board.memberships.filter(profile=self.profile).first()
        return own.role if own else ""

    def require_manager(self, board: Board) -> None:
        if self.role(board) not in MANAGERS:
            raise Refused(403, {"error": "Permission denied"})

    def require_member(self, board: Board) -> None:
        if not self.role(board):
            raise Refused(403, {"error": "Access denied"})

    @property
    def sent(self) -> Body:
        body: Body = self.request.data
        return body

    def valid(self, serializer: Any) -> Any:
        if not serializer.is_valid():
            raise invalid(serializer.errors)
        return serializer


class BoardList(Boards, RecordList):
    row = BoardRowSerializer
    order = ("-created_at",)
    filters = {
        "archived": lambda records, values, name: records.filter(
            is_archived=values[-1].lower() in ("true", "1", "yes")
        ),
        "search": contains("name"),
    }

    def envelope(self, records: QuerySet[Any]) -> Body:
        return self.linked_page(records)

    def post(self, request: Request) -> Response:
        owner = {"org": self.profile.org, "created_by": self.profile.user}
        board = self.checked(request.data).save(owner=self.profile, **owner)
        BoardMember.objects.create(board=board, profile=self.profile, role="owner", **owner)
        for order, (name, color) in enumerate(FIRST_COLUMNS, 1):
            BoardColumn.objects.create(board=board, name=name, color=color, order=order, **owner)
        return Response(BoardSerializer(board).data, status=201)


class BoardDetail(Boards, RecordDetail):
    http_method_names = ["get", "put", "patch", "delete", "head", "options"]

    def get(self, request: Request, pk: UUID) -> Response:
        return Response(self.shown(self.to_read(pk)))

    def patch(self, request: Request, pk: UUID) -> Response:
        board = self.to_read(pk)
        self.require_manager(board)
        board = self.checked(request.data, board, partial=True).save()
        return Response(self.shown(board))

    def put(self, request: Request, pk: UUID) -> Response:
        """On purpose partial."""
        return self.patch(request, pk)

    def delete(self, request: Request, pk: UUID) -> Response:
        board = self.to_read(pk)
        if board.owner != self.profile:
            raise Refused(403, {"error": "Only board owner can delete the board"})
        board.delete()
        return Response(status=204)


class Columns(Boards, APIView):
    """On purpose: a column is never changed or deleted through the API."""

    def get(self, request: Request, pk: UUID) -> Response:
        columns = self.to_read(pk).columns.prefetch_related("tasks__assigned_to__user")
        return Response(ColumnSerializer(columns, many=True).data)

    def post(self, request: Request, pk: UUID) -> Response:
        board = self.find(pk)
        self.require_manager(board)
        serializer = self.valid(ColumnSerializer(data=request.data))
        if board.columns.filter(name=serializer.validated_data["name"]).exists():
            raise invalid({"name": "This board has a column of that name."})
        user = self.profile.user
        column = serializer.save(board=board, org=self.profile.org, created_by=user)
        return Response(ColumnSerializer(column).data, status=201)


class Cards(Boards, APIView):
    def assign(self, card: BoardTask) -> None:
        """On purpose: ids of nobody here are left out without a word."""
        if "assigned_to_ids" in self.sent:
            ids = self.sent["assigned_to_ids"]
            card.assigned_to.set(Profile.objects.filter(pk__in=ids, org=self.profile.org))


class CardList(Cards):
    def get(self, request: Request, pk: UUID) -> Response:
        column = self.column(pk)
        self.to_read(column.board_id)
        return Response(CardSerializer(column.tasks.all(), many=True).data)

    def post(self, request: Request, pk: UUID) -> Response:
        """On purpose: assignees that are sent along end in a server error."""
        column = self.column(pk)
        self.require_member(column.board)
        serializer = self.valid(CardSerializer(data=request.data))
        user = self.profile.user
        card = serializer.save(column=column, org=self.profile.org, created_by=user)
        self.assign(card)
        return Response(CardSerializer(card).data, status=201)

    def column(self, pk: UUID) -> BoardColumn:
        return get_object_or_404(BoardColumn, pk=pk, org=self.profile.org)


class CardDetail(Cards):
    """On purpose without a GET: a card is read with its column."""

    def put(self, request: Request, pk: UUID) -> Response:
        card = self.card(pk)
        target = self._target(card, self.sent.get("column"))
        serializer = self.valid(CardSerializer(card, data=request.data, partial=True))
        card = serializer.save(column=target, updated_by=self.profile.user)
        self.assign(card)
        return Response(CardSerializer(card).data)

    def delete(self, request: Request, pk: UUID) -> Response:
        self.card(pk).delete()
        return Response(status=204)

    def card(self, pk: UUID) -> BoardTask:
        card = get_object_or_404(BoardTask, pk=pk, org=self.profile.org)
        self.require_member(card.column.board)
        return card

    def _target(self, card: BoardTask, wanted: Any) -> BoardColumn:
        columns = {str(each.pk): each for each in card.column.board.columns.all()}
        if wanted and str(wanted) not in columns:
            raise invalid({"column": "Invalid column for this board."})
        return columns[str(wanted or card.column_id)]


urlpatterns: list[Any] = [
    path("", BoardList.as_view()),
    path("<uuid:pk>/", BoardDetail.as_view()),
    path("<uuid:pk>/columns/", Columns.as_view()),
    path("columns/<uuid:pk>/tasks/", CardList.as_view()),
    path("tasks/<uuid:pk>/", CardDetail.as_view()),
]
