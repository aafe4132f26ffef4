"""Models of approvals: the rules, and the requests under them."""

from django.db import models

from demo_crm import choices
from demo_crm.models.base import OrgOwned, link, optional_text
from demo_crm.models.people import Profile
from demo_crm.models.service import Case


class ApprovalRule(OrgOwned):
    """While active, the cases that it matches are closed only with an approval."""

    name = models.CharField(max_length=128)
    trigger_event = models.CharField(
        max_length=16, choices=choices.APPROVAL_TRIGGER, default="pre_close"
    )
    match_priority = optional_text(32, choices=choices.CASE_PRIORITY)
    match_case_type = optional_text(32, choices=choices.CASE_TYPE)
    match_team = link("demo_crm.Team", "approval_rules")
    approver_role = models.CharField(max_length=16, choices=choices.APPROVER_ROLE, default="ADMIN")
    approvers = models.ManyToManyField(Profile, blank=True, related_name="approval_rules")
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Approval(OrgOwned):
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="approvals")
    rule = models.ForeignKey(ApprovalRule, on_delete=models.PROTECT, related_name="requests")
    requested_by = models.ForeignKey(
        Profile, on_delete=models.CASCADE, related_name="approvals_requested"
    )
    approver = link("demo_crm.Profile", "approvals_decided")
    state = models.CharField(max_length=16, choices=choices.APPROVAL_STATE, default="pending")
    note = models.TextField(blank=True, default="")
    reason = models.TextField(blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.rule} for {self.case}: {self.state}"
