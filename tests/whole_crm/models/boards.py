from django.db import models
from django.utils import timezone

from demo_crm.models.base import OrgOwned, link
from demo_crm.models.people import Profile
from tests.whole_crm import choices


class Board(OrgOwned):
    name = models.CharField(max_length=255)
    description = models.TextField(null=True, blank=True)
    owner = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="owned_boards")
    is_archived = models.BooleanField(default=False)
    members = models.ManyToManyField(Profile, through="BoardMember", related_name="boards")

    def __str__(self) -> str:
        return self.name


class BoardMember(OrgOwned):
    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="memberships")
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="board_memberships")
    role = models.CharField(max_length=20, choices=choices.BOARD_ROLE, default="member")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["board", "profile"], name="one_membership_per_board"),
        )

    def __str__(self) -> str:
        return f"{self.profile} of {self.board}"


class BoardColumn(OrgOwned):
    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="columns")
    name = models.CharField(max_length=100)
    order = models.PositiveIntegerField(default=0)
    color = models.CharField(max_length=7, default="#6B7280")
    limit = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ("order",)
        constraints = (
            models.UniqueConstraint(fields=["board", "name"], name="one_column_per_name"),
        )

    def __str__(self) -> str:
        return self.name


class BoardTask(OrgOwned):
    column = models.ForeignKey(BoardColumn, on_delete=models.CASCADE, related_name="tasks")
    title = models.CharField(max_length=255)
    description = models.TextField(null=True, blank=True)
    order = models.PositiveIntegerField(default=0)
    priority = models.CharField(max_length=10, choices=choices.CARD_PRIORITY, default="medium")
    due_date = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    account = link("demo_crm.Account", "board_tasks")
    contact = link("demo_crm.Contact", "board_tasks")
    opportunity = link("demo_crm.Opportunity", "board_tasks")
    assigned_to = models.ManyToManyField(Profile, related_name="assigned_board_tasks", blank=True)

    class Meta:
        ordering = ("order",)

    def __str__(self) -> str:
        return self.title

    @property
    def is_completed(self) -> bool:
        return self.completed_at is not None

    @property
    def is_overdue(self) -> bool:
        return not self.is_completed and bool(self.due_date and self.due_date < timezone.now())
