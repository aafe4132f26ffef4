"""Leads: serializers, views and URLs."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from demo_crm import choices
from demo_crm.answers import done, forbidden, invalid
from demo_crm.countries import COUNTRIES
from demo_crm.entities.base import Body, Entity, RecordDetail, RecordList, record_urls
from demo_crm.entities.organisation import dropdowns
from demo_crm.entities.rows import LEAD, LeadSerializer
from demo_crm.filters import any_known, any_related, contains, days, exact, exact_day, instants
from demo_crm.models import Contact, Lead
from demo_crm.serializers import LeadCommentSerializer, WriteSerializer, names
from demo_crm.services.conversion import Converted, convert


class LeadWriteSerializer(WriteSerializer):
    probability = serializers.IntegerField(max_value=100, required=False, allow_null=True)

    class Meta:
        model = Lead
        fields = names(LEAD, "last_contacted next_follow_up description company_name is_active")
        # On purpose: null is taken, an empty text is not.
        extra_kwargs = {name: {"allow_blank": False} for name in ("first_name", "last_name")}

    def validate_email(self, email: str | None) -> str | None:
        return self.require_unique("email", email, "Another lead already has this e-mail address.")

    def validate_status(self, status: str | None) -> str | None:
        if self.instance and self.instance.status == "converted":
            raise serializers.ValidationError("This lead is converted, which can't be undone.")
        return status

    def validate(self, attrs: Body) -> Body:
        if attrs.get("status") == "converted" and not self.resulting(attrs, "email"):
            raise serializers.ValidationError({"email": ["A lead is converted by its e-mail."]})
        return attrs


class Leads(Entity):
    model = Lead
    row = LeadSerializer
    write = LeadWriteSerializer
    comment_row = LeadCommentSerializer
    label = "Lead"
    object_key = "lead_obj"
    updated = "Lead updated Successfully"
    deleted = "Lead deleted Successfully"
    not_deletable = "you don't have permission to delete this lead"


class LeadList(Leads, RecordList):
    filters = {
        "search": contains("first_name", "last_name", "company_name", "email"),
        "name": contains("first_name", "last_name"),
        "salutation": contains("salutation"),
        "source": exact("source"),
        "status": any_known("status", choices.LEAD_STATUS),
        "rating": exact("rating"),
        "assigned_to": any_related("assigned_to"),
        "tags": any_related("tags"),
        "city": contains("city"),
        "email": contains("email"),
        "next_follow_up": exact_day(),
        **instants("created_at"),
        **days("close_date"),
    }

    def visible(self) -> QuerySet[Any]:
        """On purpose: a converted lead is in no list, and can only be had by its id."""
        return super().visible().exclude(status="converted")

    def envelope(self, records: QuerySet[Any]) -> Body:
        unclosed = records.exclude(status="closed")
        open_leads = self.page(unclosed, "open_leads", "leads_count")
        # On purpose: counted before the second list is paginated.
        totals = {"count": unclosed.count(), "unworked_over_a_week": unworked(unclosed).count()}
        closed = self.page(records.filter(status="closed"), "close_leads", "leads_count")
        contacts = Contact.objects.filter(org=self.profile.org)
        if not self.profile.is_admin:
            contacts = contacts.filter(self.owned()).distinct()
        return {
            **self.page_numbers(),
            "open_leads": open_leads,
            "totals": totals,
            "close_leads": closed,
            "contacts": list(contacts.values("id", "first_name")),
            "status": choices.LEAD_STATUS,
            "source": choices.LEAD_SOURCE,
            "tags": dropdowns.tags(),
            "users": dropdowns.members(self.profile),
            "countries": COUNTRIES,
            "industries": choices.INDUSTRY,
        }

    def create(self, data: Any) -> Any:
        try:
            return super().create(data)
        except IntegrityError as error:
            # On purpose misleading: a probability below zero ends here.
            raise invalid("A lead with these details already exists.") from error

    def answer_created(self, record: Lead) -> Response:
        if record.status == "converted":
            return _converted(convert(record, self.profile))
        # On purpose: no id.
        return done(self.message(self.created))


class LeadDetail(Leads, RecordDetail):
    def bundle(self, record: Lead) -> Body:
        users = dropdowns.full_members(self.profile)
        in_teams = {
            str(pk) for pk in filter(None, record.teams.values_list("users__id", flat=True))
        }
        return {
            "users_mention": dropdowns.mentionable(self.profile, record),
            "assigned_data": dropdowns.assigned(record),
            "users": users,
            "users_excluding_team": [user for user in users if user["id"] not in in_teams],
            "source": choices.LEAD_SOURCE,
            "status": choices.LEAD_STATUS,
            "teams": dropdowns.teams(),
            "countries": COUNTRIES,
            **super().bundle(record),
        }

    def to_comment(self, pk: UUID) -> Lead:
        # On purpose: an id that isn't found is a server error here.
        lead: Lead = self.records().get(pk=pk)
        if not self.allows(lead, self.owned()):
            raise forbidden(self.not_deletable)
        return lead

    def patch(self, request: Request, pk: UUID) -> Response:
        """On purpose: what else comes with a conversion is dropped, custom fields excepted."""
        if not (
            self.request.data.get("is_converted") or self.request.data.get("status") == "converted"
        ):
            return super().patch(request, pk)
        lead = self.to_write(pk)
        self.checked({"status": "converted"}, lead, partial=True)
        for name, value in self.custom(self.request.data, lead).items():
            setattr(lead, name, value)
        return _converted(convert(lead, self.profile))

    def update(
        self, record: Lead, data: Any, relations: tuple[str, ...], *, partial: bool = False
    ) -> Response:
        answer = super().update(record, data, relations, partial=partial)
        if data.get("status") == "converted":
            return _converted(convert(record, self.profile))
        return answer


def _converted(made: Converted) -> Response:
    return done(
        "Lead Converted Successfully",
        account_id=str(made.account.pk),
        contact_id=str(made.contact.pk) if made.contact else None,
        opportunity_id=str(made.opportunity.pk) if made.opportunity else None,
    )


urlpatterns = record_urls(LeadList, LeadDetail)


def unworked(leads: QuerySet[Any]) -> QuerySet[Any]:
    """Those that nobody has been in touch with for a week."""
    week_ago = timezone.localdate() - timedelta(days=7)
    never = Q(last_contacted=None, created_at__date__lt=week_ago)
    return leads.filter(Q(last_contacted__lt=week_ago) | never)
