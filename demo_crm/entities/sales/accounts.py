"""Accounts: serializers, views and URLs."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.serializers import ValidationError

from demo_crm import choices
from demo_crm.countries import COUNTRIES
from demo_crm.entities.base import Body, Entity, RecordDetail, RecordList, record_urls
from demo_crm.entities.organisation import dropdowns
from demo_crm.entities.rows import (
    ACCOUNT,
    AccountSerializer,
    CaseSerializer,
    ContactSerializer,
    InvoiceRowSerializer,
    LeadSerializer,
    OpportunitySerializer,
    TaskSerializer,
)
from demo_crm.filters import any_related, contains, instants
from demo_crm.models import Account, Contact, Lead, Tag
from demo_crm.serializers import WriteSerializer


class AccountWriteSerializer(WriteSerializer):
    class Meta:
        model = Account
        fields = (*ACCOUNT, "description", "is_active")

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

    def shown(self, records: Any, **context: Any) -> Any:
        return super().shown(records, rollups=True, **context)


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
            "leads": LeadSerializer.listed(open_leads),
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
    def bundle(self, record: Account) -> Body:
        # On purpose: neither these nor the leads are narrowed to what the caller may see.
        leads = Lead.objects.exclude(status__in=("converted", "closed"))
        return {
            "contacts": ContactSerializer.listed(record.contacts.all()),
            "opportunity_list": OpportunitySerializer.listed(record.opportunities.all()),
            "users": dropdowns.full_members(self.profile),
            "cases": CaseSerializer.listed(record.accounts_cases.all()),
            "teams": dropdowns.teams(),
            "stages": choices.OPPORTUNITY_STAGE,
            "sources": choices.OPPORTUNITY_SOURCE,
            "countries": COUNTRIES,
            "currencies": choices.CURRENCY,
            "case_types": choices.CASE_TYPE,
            "case_priority": choices.CASE_PRIORITY,
            "case_status": choices.CASE_STATUS,
            "comment_permission": True,
            "tasks": TaskSerializer.listed(record.accounts_tasks.all()),
            "invoices": InvoiceRowSerializer.listed(record.invoices.all()),
            "emails": [],
            "users_mention": dropdowns.mentionable(self.profile, record),
            "leads": LeadSerializer.listed(leads),
            "status": ["open", "close"],
            **super().bundle(record),
        }


urlpatterns = record_urls(AccountList, AccountDetail)
