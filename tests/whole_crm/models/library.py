"""What a team keeps for reuse: documents, texts for answers, and goals to reach."""

from decimal import Decimal

from django.db import models
from django.db.models import Q, Sum
from django.utils import timezone

from demo_crm.models.base import OrgOwned, link, money
from demo_crm.models.people import Profile, Team
from demo_crm.models.sales import Opportunity
from tests.whole_crm import choices


class Document(OrgOwned):
    """On purpose without its file: nothing here serves one."""

    title = models.TextField(null=True, blank=True)
    file_name = models.CharField(max_length=255)
    size_bytes = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=64, choices=choices.DOCUMENT_STATUS, default="active")
    shared_to = models.ManyToManyField(Profile, related_name="document_shared_to")
    teams = models.ManyToManyField(Team, related_name="document_teams")

    def __str__(self) -> str:
        return self.title or self.file_name


class Macro(OrgOwned):
    """A text with placeholders: everybody's, or its owner's alone."""

    title = models.CharField(max_length=255)
    body = models.TextField()
    scope = models.CharField(max_length=10, choices=choices.MACRO_SCOPE, default="org")
    owner = link("demo_crm.Profile", "personal_macros", on_delete=models.CASCADE)
    is_active = models.BooleanField(default=True)
    usage_count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(scope="org", owner__isnull=True)
                | Q(scope="personal", owner__isnull=False),
                name="macro_has_the_owner_of_its_scope",
            ),
        )

    def __str__(self) -> str:
        return self.title


class SalesGoal(OrgOwned):
    name = models.CharField(max_length=255)
    goal_type = models.CharField(max_length=20, choices=choices.GOAL_TYPE)
    target_value = money()
    period_type = models.CharField(max_length=20, choices=choices.PERIOD_TYPE)
    period_start = models.DateField()
    period_end = models.DateField()
    assigned_to = link("demo_crm.Profile", "sales_goals")
    team = link("demo_crm.Team", "sales_goals")
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name

    @property
    def progress(self) -> Decimal:
        """What was won in the period, by the person or the team if it names one."""
        won = Opportunity.objects.filter(
            org=self.org, stage="CLOSED_WON", closed_on__range=(self.period_start, self.period_end)
        )
        if self.assigned_to:
            won = won.filter(assigned_to=self.assigned_to)
        elif self.team:
            won = won.filter(assigned_to__in=self.team.users.all())
        if self.goal_type == "REVENUE":
            return won.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
        return Decimal(won.count())

    @property
    def progress_percent(self) -> int:
        return min(int(self.progress / self.target_value * 100), 100)

    @property
    def status(self) -> str:
        percent = self.progress_percent
        if percent >= 100:
            return "completed"
        days = (self.period_end - self.period_start).days or 1
        gone = (timezone.localdate() - self.period_start).days
        expected = max(0, min(100, gone / days * 100))
        if percent >= expected:
            return "on_track"
        return "at_risk" if percent >= expected * 0.8 else "behind"
