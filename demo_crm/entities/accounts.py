from typing import Any

from django.db.models import Count, Min, Q, QuerySet, Sum
from rest_framework.serializers import (
    ModelSerializer,
    SerializerMethodField,
    ValidationError,
)

from demo_crm import choices
from demo_crm.countries import COUNTRIES
from demo_crm.entities import dropdowns
from demo_crm.entities.base import Body, Entity, RecordDetail, RecordList, record_urls
from demo_crm.entities.contacts import ADDRESS, Contacts, ContactSerializer
from demo_crm.entities.leads import Leads, LeadSerializer
from demo_crm.filters import any_related, contains, instants
from demo_crm.models import Account, Contact, Invoice, Lead, Tag
from demo_crm.serializers import (
    Brief,
    OrgSerializer,
    ProfileSerializer,
    TagSerializer,
    TeamSerializer,
    UserSerializer,
    WriteSerializer,
)

DETAILS = (
    "name",
    "email",
    "phone",
    "website",
    "industry",
    "number_of_employees",
    "annual_revenue",
    "currency",
    *ADDRESS,
)


class AccountSerializer(ModelSerializer[Account]):
    country_display = SerializerMethodField()
    assigned_to = ProfileSerializer(many=True, read_only=True)
    teams = TeamSerializer(many=True, read_only=True)
    contacts = ContactSerializer(many=True, read_only=True)
    tags = TagSerializer(many=True, read_only=True)
    cases = Brief("name", source="accounts_cases", many=True)
    tasks = Brief("title", source="accounts_tasks", many=True)
    opportunities = Brief("name", "stage", "amount", many=True)
    rollups = SerializerMethodField()
    created_by = UserSerializer(read_only=True)
    org = OrgSerializer(read_only=True)

    class Meta:
        model = Account
        fields = (
            "id",
            *DETAILS,
            "country_display",
            "assigned_to",
            "teams",
            "contacts",
            "tags",
            "description",
            "cases",
            "tasks",
            "opportunities",
            "rollups",
            "created_by",
            "created_at",
            "is_active",
            "org",
            "custom_fields",
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


class AccountWriteSerializer(WriteSerializer):
    class Meta:
        model = Account
        fields = (*DETAILS, "description", "is_active")

    def validate_name(self, name: str) -> str | None:
        return self.require_unique("name", name, "Account already exists with this name")

    def validate_annual_revenue(self, revenue: Any) -> Any:
        if revenue is not None and revenue < 0:
            raise ValidationError("A revenue is not less than zero.")
        return revenue


class Accounts(Entity):
    model = Account
    row = AccountSerializer
    write = AccountWriteSerializer
    label = "Account"
    object_key = "account_obj"
    comments_are_checked = True
    relations = ("contacts", "tags", "teams", "assigned_to")
    unchecked_on_create = ("contacts",)
    prefetch = (
        "assigned_to__user",
        "teams__users__user",
        "teams__created_by",
        "tags",
        "created_by",
        "org",
        "accounts_cases",
        "accounts_tasks",
        "opportunities",
        *(f"contacts__{name}" for name in Contacts.prefetch),
    )


class AccountList(Accounts, RecordList):
    filters = {
        "search": contains("name"),
        "name": contains("name"),
        "city": contains("city"),
        "industry": contains("industry"),
        "tags": any_related("tags"),
        "assigned_to": any_related("assigned_to"),
        **instants("created_at"),
    }

    def shown(self, records: Any, **context: Any) -> Any:
        return super().shown(records, rollups=True, **context)

    def envelope(self, records: QuerySet[Any]) -> Body:
        open_leads = Lead.objects.exclude(status__in=("converted", "closed"))
        return {
            **self.page_numbers(),
            "active_accounts": self.page(
                records.filter(is_active=True), "open_accounts", "open_accounts_count"
            ),
            "contacts": list(Contact.objects.values("id", "first_name")),
            "closed_accounts": self.page(
                records.filter(is_active=False), "close_accounts", "close_accounts_count"
            ),
            "teams": dropdowns.teams(),
            "countries": COUNTRIES,
            "industries": choices.INDUSTRY,
            "tags": dropdowns.tags(),
            "users": dropdowns.members(self.profile),
            # On purpose: every open lead of the organisation, in full, to whoever asks.
            "leads": LeadSerializer(open_leads.prefetch_related(*Leads.prefetch), many=True).data,
            "status": ["open", "close"],
        }

    def _named(self, name: str, *, created: bool) -> Any:
        """On purpose: a new account's tags are names, which are made when nobody has them yet.

        They are looked for by slug, but slugs have hyphens where names have spaces: the name of a
        tag such as "At Risk" is a server error.
        """
        if name != "tags":
            return super()._named(name, created=created)
        names = self.request.data.get("tags") or []
        return [self._tag(each) for each in ([names] if isinstance(names, str) else names)]

    def _tag(self, name: str) -> Tag:
        owner = {"org": self.profile.org, "created_by": self.profile.user}
        return Tag.objects.filter(slug=name.lower()).first() or Tag.objects.create(
            name=name, **owner
        )


class AccountDetail(Accounts, RecordDetail):
    def shown(self, records: Any, **context: Any) -> Any:
        return super().shown(records, rollups=True, **context)

    def bundle(self, record: Account) -> Body:
        from demo_crm.entities.cases import CaseSerializer
        from demo_crm.entities.invoices import InvoiceRowSerializer
        from demo_crm.entities.opportunities import OpportunitySerializer
        from demo_crm.entities.tasks import TaskSerializer

        # On purpose: neither these nor the leads are narrowed to what the caller may see.
        invoices = Invoice.objects.filter(account=record).annotate(items=Count("line_items"))
        leads = Lead.objects.exclude(status__in=("converted", "closed"))
        return {
            "contacts": ContactSerializer(record.contacts.all(), many=True).data,
            "opportunity_list": OpportunitySerializer(record.opportunities.all(), many=True).data,
            "users": dropdowns.full_members(self.profile),
            "cases": CaseSerializer(record.accounts_cases.all(), many=True).data,
            "teams": dropdowns.teams(),
            "stages": choices.OPPORTUNITY_STAGE,
            "sources": choices.OPPORTUNITY_SOURCE,
            "countries": COUNTRIES,
            "currencies": choices.CURRENCY,
            "case_types": choices.CASE_TYPE,
            "case_priority": choices.CASE_PRIORITY,
            "case_status": choices.CASE_STATUS,
            "comment_permission": True,
            "tasks": TaskSerializer(record.accounts_tasks.all(), many=True).data,
            "invoices": InvoiceRowSerializer(invoices, many=True).data,
            "emails": [],
            "users_mention": dropdowns.mentionable(self.profile, record),
            "leads": LeadSerializer(leads.prefetch_related(*Leads.prefetch), many=True).data,
            "status": ["open", "close"],
            **super().bundle(record),
        }


urlpatterns = record_urls(AccountList, AccountDetail)
