"""Approvals of case closures: their rules, requests and decisions."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.urls import path
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from demo_crm.answers import Refused, first_or_refuse, forbidden, invalid, not_found
from demo_crm.entities.base import Body
from demo_crm.entities.service.cases import Cases
from demo_crm.ids import one_id
from demo_crm.models import Approval, ApprovalRule, Case, Profile, Team
from demo_crm.serializers import Brief, names
from demo_crm.services.approvals import matches, rule_for


class ApprovalRuleSerializer(serializers.ModelSerializer[ApprovalRule]):
    match_team = Brief("name")
    match_team_id = serializers.PrimaryKeyRelatedField[Team](
        source="match_team",
        queryset=Team.objects.none(),
        write_only=True,
        required=False,
        allow_null=True,
    )
    approvers = Brief("email", many=True)
    approver_ids = serializers.PrimaryKeyRelatedField[Profile](
        source="approvers",
        queryset=Profile.objects.none(),
        many=True,
        write_only=True,
        required=False,
    )

    class Meta:
        model = ApprovalRule
        fields = names(
            "id name trigger_event match_priority match_case_type match_team match_team_id",
            "approver_role approvers approver_ids is_active created_at updated_at",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if org := self.context.get("org"):
            team: Any = self.fields["match_team_id"]
            team.queryset = Team.objects.filter(org=org)
            approvers: Any = self.fields["approver_ids"]
            approvers.child_relation.queryset = Profile.objects.filter(org=org)


class ApprovalSerializer(serializers.ModelSerializer[Approval]):
    """On purpose, only a list knows who is asking: elsewhere nobody can act on a request."""

    case_summary = serializers.SerializerMethodField()
    rule_summary = serializers.SerializerMethodField()
    requested_by = Brief("email")
    approver = Brief("email")
    can_act = serializers.SerializerMethodField()
    is_own_request = serializers.SerializerMethodField()

    class Meta:
        model = Approval
        fields = names(
            "id state note reason decided_at case_summary rule_summary requested_by",
            "approver can_act is_own_request created_at updated_at",
        )

    def get_case_summary(self, approval: Approval) -> Body:
        case = approval.case
        account = case.account and {"id": str(case.account.pk), "name": case.account.name}
        named = {"id": str(case.pk), "name": case.name, "status": case.status}
        return {**named, "priority": case.priority, "account": account}

    def get_rule_summary(self, approval: Approval) -> Body:
        rule = ApprovalRuleSerializer(approval.rule).data
        shown = ("id", "name", "trigger_event", "approver_role", "approvers")
        return {name: rule[name] for name in shown}

    def get_can_act(self, approval: Approval) -> bool:
        asking: Profile | None = self.context.get("profile")
        if asking is None or asking == approval.requested_by:
            return False
        return approval.state == "pending" and is_approver(approval, asking)

    def get_is_own_request(self, approval: Approval) -> bool:
        return approval.requested_by == self.context.get("profile")


def is_approver(approval: Approval, profile: Profile) -> bool:
    rule = approval.rule
    return profile.role == rule.approver_role or rule.approvers.filter(pk=profile.pk).exists()


class Rules(Cases, APIView):
    def rules(self) -> QuerySet[ApprovalRule]:
        return ApprovalRule.objects.filter(org=self.profile.org).order_by("-created_at")

    def rule(self, pk: UUID) -> ApprovalRule:
        return first_or_refuse(self.rules().filter(pk=pk), not_found("Rule not found"))

    def require_admin(self) -> None:
        if not self.profile.is_admin:
            raise forbidden("Admin access required")

    def saved(self, rule: ApprovalRule | None = None) -> Any:
        serializer = ApprovalRuleSerializer(
            rule, data=self.request.data, partial=bool(rule), context={"org": self.profile.org}
        )
        if not serializer.is_valid():
            raise invalid(serializer.errors)
        return ApprovalRuleSerializer(serializer.save(org=self.profile.org)).data


class ApprovalRuleList(Rules):
    def get(self, request: Request) -> Response:
        pending = Count("requests", filter=Q(requests__state="pending"))
        rules = self.rules().annotate(pending_count=pending)
        rows = [
            {**ApprovalRuleSerializer(rule).data, "pending_count": rule.pending_count}
            for rule in rules
        ]
        totals = {
            "count": len(rows),
            "active": sum(row["is_active"] for row in rows),
            "pending": sum(row["pending_count"] for row in rows),
        }
        return Response({"rules": rows, "totals": totals})

    def post(self, request: Request) -> Response:
        self.require_admin()
        return Response(self.saved(), status=201)


class ApprovalRuleDetail(Rules):
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(ApprovalRuleSerializer(self.rule(pk)).data)

    def put(self, request: Request, pk: UUID) -> Response:
        """On purpose partial."""
        self.require_admin()
        return Response(self.saved(self.rule(pk)))

    def delete(self, request: Request, pk: UUID) -> Response:
        """A rule that somebody asked by is only switched off."""
        self.require_admin()
        rule = self.rule(pk)
        if not rule.requests.exists():
            rule.delete()
            return Response(status=204)
        rule.is_active = False
        rule.save()
        return Response({"id": str(rule.pk), "is_active": False})


class ApprovalRequest(Cases, APIView):
    def post(self, request: Request, pk: UUID) -> Response:
        case = self.to_write(pk)
        rule = self._rule(case)
        pending = Approval.objects.filter(case=case, rule=rule, state="pending").first()
        if pending:
            message = "An approval is already pending for this case."
            body = {"error": True, "errors": message, "approval_id": str(pending.pk)}
            raise Refused(409, body)
        approval = Approval.objects.create(
            case=case,
            rule=rule,
            requested_by=self.profile,
            note=self.request.data.get("note") or "",
            org=self.profile.org,
        )
        return Response(ApprovalSerializer(approval).data, status=201)

    def _rule(self, case: Case) -> ApprovalRule:
        if rule_id := self.request.data.get("rule_id"):
            return self._asked_for(case, one_id(rule_id, "rule_id"))
        rule = rule_for(case)
        if rule is None:
            raise invalid("No active approval rule matches this case.")
        return rule

    def _asked_for(self, case: Case, pk: UUID) -> ApprovalRule:
        rule = first_or_refuse(
            ApprovalRule.objects.filter(pk=pk, org=case.org, is_active=True),
            invalid("Rule not found or inactive."),
        )
        if not matches(rule, case):
            raise invalid("Rule does not match this case.")
        return rule


class ApprovalList(Cases, APIView):
    """Requests about cases that the caller may read, and those to be decided or made by them.

    On purpose, an approver reads the name and account of a case that they may not open.
    """

    def get(self, request: Request) -> Response:
        params = request.query_params
        approvals = self._visible().order_by("-created_at")
        state = (params.get("state") or "pending").lower()
        if state != "all":
            approvals = approvals.filter(state=state)
        if case := params.get("case"):
            approvals = approvals.filter(case=one_id(case, "case"))
        rows = ApprovalSerializer(approvals, many=True, context={"profile": self.profile}).data
        if params.get("mine", "").lower() in ("true", "1", "yes"):
            rows = [row for row in rows if row["can_act"]]  # type: ignore[assignment]
        return Response({"approvals": rows})

    def _visible(self) -> QuerySet[Approval]:
        profile = self.profile
        approvals = Approval.objects.filter(org=profile.org)
        decides = Q(rule__approvers=profile) | Q(rule__approver_role=profile.role)
        concerned = decides | Q(requested_by=profile) | Q(case__in=self.visible().values("pk"))
        return approvals if profile.is_admin else approvals.filter(concerned).distinct()


class ApprovalDecision(Cases, APIView):
    """Approving; rejecting and cancelling differ in what they store and who may."""

    state = "approved"
    verb = "approve"

    @transaction.atomic
    def post(self, request: Request, pk: UUID) -> Response:
        self.check_body()
        approval = first_or_refuse(
            Approval.objects.select_for_update().filter(pk=pk, org=self.profile.org),
            not_found("Approval not found"),
        )
        if approval.state != "pending":
            raise invalid(f"Approval already {approval.state}.")
        self.check_right(approval)
        self.decide(approval)
        approval.state, approval.decided_at = self.state, timezone.now()
        approval.save()
        return Response(ApprovalSerializer(approval).data)

    def check_body(self) -> None:
        """Comes before everything else."""

    def check_right(self, approval: Approval) -> None:
        if not is_approver(approval, self.profile):
            raise forbidden("You are not an approver for this rule.")
        if approval.requested_by == self.profile:
            raise forbidden(f"You cannot {self.verb} your own request.")

    def decide(self, approval: Approval) -> None:
        approval.approver = self.profile
        approval.note = self.request.data.get("note") or approval.note


class ApprovalReject(ApprovalDecision):
    state = "rejected"
    verb = "reject"

    def reason(self) -> str:
        return (self.request.data.get("reason") or "").strip()

    def check_body(self) -> None:
        if not self.reason():
            raise invalid("Rejection reason is required.")

    def decide(self, approval: Approval) -> None:
        approval.approver, approval.reason = self.profile, self.reason()


class ApprovalCancel(ApprovalDecision):
    state = "cancelled"

    def check_right(self, approval: Approval) -> None:
        if not self.profile.is_admin and approval.requested_by != self.profile:
            raise forbidden("Only the requester can cancel.")

    def decide(self, approval: Approval) -> None:
        """Nobody decided."""


urlpatterns = [
    path("approval-rules/", ApprovalRuleList.as_view()),
    path("approval-rules/<uuid:pk>/", ApprovalRuleDetail.as_view()),
    path("approvals/", ApprovalList.as_view()),
    path("approvals/<uuid:pk>/approve/", ApprovalDecision.as_view()),
    path("approvals/<uuid:pk>/reject/", ApprovalReject.as_view()),
    path("approvals/<uuid:pk>/cancel/", ApprovalCancel.as_view()),
    path("<uuid:pk>/request-approval/", ApprovalRequest.as_view()),
]
