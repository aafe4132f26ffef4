"""Models of service: cases, time entries, tasks and solutions."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from demo_crm import choices
from demo_crm.models.base import OrgOwned, link, optional_text
from demo_crm.models.people import Profile, Tag, Team
from demo_crm.models.sales import Contact

# Hours until a first response and until a solution, by priority.
SLA_HOURS = {"Low": (24, 72), "Normal": (8, 48), "High": (4, 24), "Urgent": (1, 4)}


class Case(OrgOwned):
    name = models.CharField(max_length=64)
    status = models.CharField(max_length=64, choices=choices.CASE_STATUS)
    priority = models.CharField(max_length=64, choices=choices.CASE_PRIORITY)
    case_type = optional_text(choices=choices.CASE_TYPE)
    closed_on = models.DateField(null=True, blank=True)
    first_response_at = models.DateTimeField(null=True, blank=True)
    sla_first_response_hours = models.PositiveIntegerField(default=8)
    sla_resolution_hours = models.PositiveIntegerField(default=48)
    escalation_count = models.PositiveIntegerField(default=0)
    resolved_at = models.DateTimeField(null=True, blank=True)
    description = models.TextField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    is_problem = models.BooleanField(default=False)
    account = link("demo_crm.Account", "accounts_cases", on_delete=models.CASCADE)
    parent = link("self", "children")
    merged_into = link("self", "merged_from_cases")
    # What a merge moved and changed, so that it can be taken back.
    merge_record = models.JSONField(null=True, blank=True)
    kanban_order = models.DecimalField(max_digits=15, decimal_places=6, default=0)
    custom_fields = models.JSONField(default=dict, blank=True)
    contacts = models.ManyToManyField(Contact, related_name="case_contacts")
    assigned_to = models.ManyToManyField(Profile, related_name="case_assigned_users")
    teams = models.ManyToManyField(Team, related_name="cases_teams")
    tags = models.ManyToManyField(Tag, related_name="case_tags")
    watchers = models.ManyToManyField(Profile, through="CaseWatcher", related_name="case_watching")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """On purpose: what was promised stays when the priority changes."""
        if self._state.adding:
            self.sla_first_response_hours, self.sla_resolution_hours = SLA_HOURS[self.priority]
        super().save(*args, **kwargs)

    @property
    def first_response_sla_deadline(self) -> datetime:
        return self.created_at + timedelta(hours=self.sla_first_response_hours)

    @property
    def resolution_sla_deadline(self) -> datetime:
        return self.created_at + timedelta(hours=self.sla_resolution_hours)

    @property
    def is_sla_first_response_breached(self) -> bool:
        return not self.first_response_at and timezone.now() > self.first_response_sla_deadline

    @property
    def is_sla_resolution_breached(self) -> bool:
        return not self.resolved_at and timezone.now() > self.resolution_sla_deadline


class CaseWatcher(OrgOwned):
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="watcher_rows")
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="watched_cases")
    subscribed_via = models.CharField(max_length=16, default="manual")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["case", "profile"], name="one_watcher_per_profile"),
        )

    def __str__(self) -> str:
        return f"{self.profile} watches {self.case}"


class TimeEntry(OrgOwned):
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="time_entries")
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="time_entries")
    started_at = models.DateTimeField()
    # None while the timer runs.
    ended_at = models.DateTimeField(null=True, blank=True)
    duration_minutes = models.PositiveIntegerField(default=0)
    description = models.TextField(blank=True, default="")
    billable = models.BooleanField(default=False)
    hourly_rate = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, choices=choices.CURRENCY, default="USD")
    invoice = link("demo_crm.Invoice", "time_entries")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["profile"], condition=Q(ended_at__isnull=True), name="one_timer_per_profile"
            ),
        )

    def __str__(self) -> str:
        return f"{self.duration_minutes} min on {self.case}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        spent = self.ended_at - self.started_at if self.ended_at else timedelta()
        self.duration_minutes = max(int(spent.total_seconds() // 60), 0)
        super().save(*args, **kwargs)


class Task(OrgOwned):
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=50, choices=choices.TASK_STATUS)
    priority = models.CharField(max_length=50, choices=choices.TASK_PRIORITY)
    due_date = models.DateField(null=True, blank=True)
    description = models.TextField(null=True, blank=True)
    account = link("demo_crm.Account", "accounts_tasks")
    opportunity = link("demo_crm.Opportunity", "opportunity_tasks")
    case = link("demo_crm.Case", "case_tasks")
    lead = link("demo_crm.Lead", "lead_tasks")
    kanban_order = models.DecimalField(max_digits=15, decimal_places=6, default=0)
    custom_fields = models.JSONField(default=dict, blank=True)
    contacts = models.ManyToManyField(Contact, related_name="task_contacts")
    assigned_to = models.ManyToManyField(Profile, related_name="task_assigned_users")
    teams = models.ManyToManyField(Team, related_name="tasks_teams")
    tags = models.ManyToManyField(Tag, related_name="task_tags")

    def __str__(self) -> str:
        return self.title


class Solution(OrgOwned):
    title = models.CharField(max_length=255)
    description = models.TextField()
    status = models.CharField(max_length=20, choices=choices.SOLUTION_STATUS, default="draft")
    is_published = models.BooleanField(default=False)
    cases = models.ManyToManyField(Case, related_name="solutions")

    def __str__(self) -> str:
        return self.title
