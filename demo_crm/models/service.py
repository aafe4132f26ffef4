from django.db import models

from demo_crm import choices
from demo_crm.models.base import OrgOwned, link, optional_text
from demo_crm.models.people import Profile, Tag, Team
from demo_crm.models.sales import Contact


class Case(OrgOwned):
    name = models.CharField(max_length=64)
    status = models.CharField(max_length=64, choices=choices.CASE_STATUS)
    priority = models.CharField(max_length=64, choices=choices.CASE_PRIORITY)
    case_type = optional_text(choices=choices.CASE_TYPE)
    closed_on = models.DateField(null=True, blank=True)
    first_response_at = models.DateTimeField(null=True, blank=True)
    escalation_count = models.PositiveIntegerField(default=0)
    resolved_at = models.DateTimeField(null=True, blank=True)
    description = models.TextField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    is_problem = models.BooleanField(default=False)
    account = link("demo_crm.Account", "accounts_cases", on_delete=models.CASCADE)
    parent = link("self", "children")
    status_before_merge = models.CharField(max_length=64, blank=True, default="")
    merged_into = link("self", "merged_from_cases")
    kanban_order = models.DecimalField(max_digits=15, decimal_places=6, default=0)
    custom_fields = models.JSONField(default=dict, blank=True)
    contacts = models.ManyToManyField(Contact, related_name="case_contacts")
    assigned_to = models.ManyToManyField(Profile, related_name="case_assigned_users")
    teams = models.ManyToManyField(Team, related_name="cases_teams")
    tags = models.ManyToManyField(Tag, related_name="case_tags")
    watchers = models.ManyToManyField(Profile, related_name="case_watching")

    def __str__(self) -> str:
        return self.name


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
