"""How records look in answers: as rows of a list, in full, and inside one another."""

from datetime import timedelta
from typing import Any

from django.db.models import Count, Min, Q, Sum
from django.utils import timezone
from django.utils.timesince import timesince
from rest_framework import serializers

from demo_crm import choices
from demo_crm.entities.base import Body
from demo_crm.entities.line_items import AMOUNTS, LineItemSerializer
from demo_crm.models import (
    Account,
    Case,
    Contact,
    Invoice,
    Lead,
    Opportunity,
    OpportunityLineItem,
    Solution,
    Task,
)
from demo_crm.serializers import (
    Brief,
    Constant,
    OrgSerializer,
    ProfileSerializer,
    RowSerializer,
    TagSerializer,
    TeamSerializer,
    UserSerializer,
    names,
)
from demo_crm.services.time_summary import time_summary

ADDRESS = ("address_line", "city", "state", "postcode", "country")
CONTACT = names(
    "first_name last_name email phone organization title department do_not_call linkedin_url",
    ADDRESS,
)
ACCOUNT = names(
    "name email phone website industry number_of_employees annual_revenue currency", ADDRESS
)
LEAD = names(
    "title salutation first_name last_name email phone job_title website linkedin_url status",
    "source industry rating opportunity_amount currency probability close_date",
    ADDRESS,
)
TASK_PARENTS = ("account", "opportunity", "case", "lead")
PEOPLE = ("assigned_to__user", "teams__users__user", "teams__created_by", "tags")
STALLED_AFTER = timedelta(days=30)


class RecordSerializer(RowSerializer):
    """A record with people, teams, tags and organisation in full."""

    assigned_to = ProfileSerializer(many=True, read_only=True)
    teams = TeamSerializer(many=True, read_only=True)
    tags: Any = TagSerializer(many=True, read_only=True)
    created_by: Any = UserSerializer(read_only=True)
    org = OrgSerializer(read_only=True)


class ContactSerializer(RecordSerializer):
    """On purpose: tags and creator are bare ids here, and objects everywhere else."""

    prefetch = (*PEOPLE, "org", "account", "account_contacts")

    tags = created_by = None
    account_detail = Brief("name", source="account")
    linked_accounts = Brief("name", source="account_contacts", many=True)

    class Meta:
        model = Contact
        fields = names(
            "id",
            CONTACT,
            "assigned_to teams tags description created_by created_at updated_at is_active org",
            "account account_detail linked_accounts custom_fields",
        )


CONTACTS = tuple(f"contacts__{name}" for name in ContactSerializer.prefetch)


class LeadSerializer(RecordSerializer):
    prefetch = (*PEOPLE, "created_by", *CONTACTS)

    contacts = ContactSerializer(many=True, read_only=True)
    is_sample = Constant(False)
    stage = Constant()

    class Meta:
        model = Lead
        fields = names(
            "id",
            LEAD,
            "assigned_to teams last_contacted next_follow_up description contacts tags created_by",
            "created_at updated_at is_active is_sample company_name stage kanban_order",
            "custom_fields",
        )


class AccountSerializer(RecordSerializer):
    prefetch = names(PEOPLE, "created_by org accounts_cases accounts_tasks opportunities", CONTACTS)

    country_display = serializers.SerializerMethodField()
    contacts = ContactSerializer(many=True, read_only=True)
    cases = Brief("name", source="accounts_cases", many=True)
    tasks = Brief("title", source="accounts_tasks", many=True)
    opportunities = Brief("name", "stage", "amount", many=True)
    rollups = serializers.SerializerMethodField()

    class Meta:
        model = Account
        fields = names(
            "id",
            ACCOUNT,
            "country_display assigned_to teams contacts tags description cases tasks",
            "opportunities rollups created_by created_at is_active org custom_fields",
        )

    def get_country_display(self, account: Account) -> str | None:
        return account.get_country_display() if account.country else None

    def get_rollups(self, account: Account) -> Body | None:
        """Only where the account itself is asked for, not inside another record."""
        return rollups(account) if self.context.get("rollups") else None


def rollups(account: Account) -> Body:
    won, closed = Q(stage="CLOSED_WON"), Q(stage__in=choices.CLOSED_STAGES)
    figures = account.opportunities.aggregate(
        won_amount=Sum("amount", filter=won, default=0.0),
        won_count=Count("pk", filter=won),
        open_pipeline=Sum("amount", filter=~closed, default=0.0),
        open_deal_count=Count("pk", filter=~closed),
        first_won_on=Min("closed_on", filter=won),
    )
    unpaid = account.invoices.filter(status__in=choices.UNPAID_STATUSES)
    overdue = [invoice.amount_due for invoice in unpaid if invoice.is_overdue]
    open_tickets = account.accounts_cases.filter(is_active=True).exclude(status="Closed").count()
    return {**figures, "overdue_amount": float(sum(overdue)), "open_tickets": open_tickets}


ACCOUNTS = tuple(f"account__{name}" for name in AccountSerializer.prefetch)


class OpportunityLineItemSerializer(LineItemSerializer):
    belongs_to = "opportunity"

    class Meta:
        model = OpportunityLineItem
        fields = names("id", AMOUNTS, "formatted_unit_price formatted_total created_at updated_at")


class OpportunitySerializer(RecordSerializer):
    prefetch = names(PEOPLE, "created_by org closed_by__user line_items", CONTACTS, ACCOUNTS)

    account = AccountSerializer(read_only=True)
    contacts = ContactSerializer(many=True, read_only=True)
    line_items = OpportunityLineItemSerializer(many=True, read_only=True)
    line_items_total = serializers.SerializerMethodField()
    closed_by = ProfileSerializer(read_only=True)
    created_on_arrow = serializers.SerializerMethodField()
    days_in_stage = serializers.SerializerMethodField()
    aging_status = serializers.SerializerMethodField()

    class Meta:
        model = Opportunity
        fields = names(
            "id name account stage opportunity_type currency amount amount_source probability",
            "closed_on lead_source contacts line_items line_items_total assigned_to teams",
            "closed_by tags description created_by created_at is_active org created_on_arrow",
            "stage_changed_at days_in_stage aging_status custom_fields",
        )

    def get_line_items_total(self, opportunity: Opportunity) -> Any:
        return sum(item.total for item in opportunity.line_items.all())

    def get_created_on_arrow(self, opportunity: Opportunity) -> str:
        return f"{timesince(opportunity.created_at)} ago"

    def get_days_in_stage(self, opportunity: Opportunity) -> int:
        return (timezone.now() - opportunity.stage_changed_at).days

    def get_aging_status(self, opportunity: Opportunity) -> str:
        stalled = timezone.now() - opportunity.stage_changed_at > STALLED_AFTER
        return "red" if stalled else "green"


class TaskRowSerializer(RecordSerializer):
    prefetch = ("assigned_to__user", "tags", *TASK_PARENTS)

    account = Brief("name")
    opportunity = Brief("name")
    case = Brief("name")
    lead = serializers.SerializerMethodField()

    class Meta:
        model = Task
        fields = names(
            "id title status priority due_date", TASK_PARENTS, "assigned_to tags created_at"
        )

    def get_lead(self, task: Task) -> Body | None:
        lead = task.lead
        if lead is None:
            return None
        name = f"{lead.first_name or ''} {lead.last_name or ''}".strip()
        return {"id": str(lead.pk), "name": name or lead.email or ""}


class TaskSerializer(TaskRowSerializer):
    contacts = ContactSerializer(many=True, read_only=True)

    class Meta(TaskRowSerializer.Meta):
        fields = names(
            TaskRowSerializer.Meta.fields, "description created_by contacts teams custom_fields"
        )


class CaseSerializer(RecordSerializer):
    prefetch = names(PEOPLE, "created_by org parent", CONTACTS, ACCOUNTS)

    account = AccountSerializer(read_only=True)
    contacts = ContactSerializer(many=True, read_only=True)
    parent_summary = Brief("name", "status", source="parent")
    child_count = serializers.IntegerField(source="children.count", read_only=True)
    last_escalation_fired_at = Constant()
    sla_paused_at = Constant()
    first_response_sla_deadline = serializers.DateTimeField(read_only=True)
    resolution_sla_deadline = serializers.DateTimeField(read_only=True)
    time_summary = serializers.SerializerMethodField()

    class Meta:
        model = Case
        fields = names(
            "id name status priority case_type closed_on description created_by created_at",
            "is_active account contacts teams assigned_to tags org custom_fields",
            "escalation_count last_escalation_fired_at sla_first_response_hours",
            "sla_resolution_hours first_response_at resolved_at sla_paused_at",
            "first_response_sla_deadline resolution_sla_deadline is_sla_first_response_breached",
            "is_sla_resolution_breached parent is_problem parent_summary child_count time_summary",
        )

    def get_time_summary(self, case: Case) -> Body:
        return time_summary(case)


class InvoiceRowSerializer(RowSerializer):
    prefetch = ("account", "contact", "line_items")

    account_name = serializers.CharField(source="account.name", read_only=True)
    contact_name = serializers.SerializerMethodField()
    line_items_count = serializers.IntegerField(source="line_items.count", read_only=True)

    class Meta:
        model = Invoice
        fields = names(
            "id invoice_number invoice_title status account account_name contact contact_name",
            "client_name client_email issue_date due_date total_amount amount_due amount_paid",
            "currency is_overdue line_items_count created_at",
        )

    def get_contact_name(self, invoice: Invoice) -> str:
        return str(invoice.contact) if invoice.contact else ""


class SolutionSerializer(RowSerializer):
    prefetch = ("org", "created_by", "cases")

    org = OrgSerializer(read_only=True)
    case_count = serializers.IntegerField(source="cases.count", read_only=True)
    author = serializers.SerializerMethodField()

    class Meta:
        model = Solution
        fields = names(
            "id title description status is_published org case_count author created_at",
            "updated_at created_by updated_by",
        )

    def get_author(self, solution: Solution) -> str | None:
        return str(solution.created_by) if solution.created_by else None
