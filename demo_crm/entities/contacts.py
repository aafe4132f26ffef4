from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.serializers import ModelSerializer

from demo_crm.countries import COUNTRIES
from demo_crm.entities import dropdowns
from demo_crm.entities.base import Body, Entity, RecordDetail, RecordList, record_urls
from demo_crm.filters import any_related, contains, instants, true_or_false
from demo_crm.models import Account, Contact
from demo_crm.serializers import (
    Brief,
    OrgSerializer,
    ProfileSerializer,
    TeamSerializer,
    WriteSerializer,
)

ADDRESS = ("address_line", "city", "state", "postcode", "country")


class ContactSerializer(ModelSerializer[Contact]):
    assigned_to = ProfileSerializer(many=True, read_only=True)
    teams = TeamSerializer(many=True, read_only=True)
    org = OrgSerializer(read_only=True)
    account_detail = Brief("name", source="account")
    linked_accounts = Brief("name", source="account_contacts", many=True)

    class Meta:
        model = Contact
        # On purpose: tags are bare ids here, and objects everywhere else.
        fields = (
            "id",
            "first_name",
            "last_name",
            "email",
            "phone",
            "organization",
            "title",
            "department",
            "do_not_call",
            "linkedin_url",
            *ADDRESS,
            "assigned_to",
            "teams",
            "tags",
            "description",
            "created_by",
            "created_at",
            "updated_at",
            "is_active",
            "org",
            "account",
            "account_detail",
            "linked_accounts",
            "custom_fields",
        )


class ContactWriteSerializer(WriteSerializer):
    class Meta:
        model = Contact
        fields = (
            "first_name",
            "last_name",
            "email",
            "phone",
            "organization",
            "title",
            "department",
            "do_not_call",
            "linkedin_url",
            *ADDRESS,
            "description",
            "account",
            "is_active",
        )

    def validate_email(self, email: str | None) -> str | None:
        return self.require_unique("email", email, "Contact already exists with this email")


class Contacts(Entity):
    model = Contact
    row = ContactSerializer
    write = ContactWriteSerializer
    label = "Contact"
    object_key = "contact_obj"
    comments_are_checked = True
    relations = ("teams", "assigned_to", "tags")
    unchecked_on_create = ("tags",)
    created = "Contact created Successfuly"
    prefetch = (
        "assigned_to__user",
        "teams__users__user",
        "teams__created_by",
        "tags",
        "org",
        "account",
        "account_contacts",
    )

    def readable(self) -> Q:
        return self.owned() | Q(account__assigned_to=self.profile)

    def writable(self) -> Q:
        return self.readable()

    def relate(self, record: Contact, names: tuple[str, ...], *, created: bool = False) -> None:
        """An account to which a contact belongs also lists it among its contacts."""
        super().relate(record, names, created=created)
        if record.account:
            record.account.contacts.add(record)


class ContactList(Contacts, RecordList):
    order = ("-created_at",)
    filters = {
        "search": contains("first_name", "last_name", "email", "phone"),
        "name": contains("first_name", "last_name"),
        "city": contains("city"),
        "phone": contains("phone"),
        "email": contains("email"),
        "assigned_to": any_related("assigned_to"),
        "tags": any_related("tags"),
        "is_active": true_or_false("is_active"),
        **instants("created_at"),
    }

    def envelope(self, records: QuerySet[Any]) -> Body:
        page = self.page(records, "results", "count")
        return {
            "active_count": self.visible().filter(is_active=True).distinct().count(),
            "inactive_count": self.visible().filter(is_active=False).distinct().count(),
            **self.page_numbers(),
            **page,
            # On purpose: the same rows and the same count a second time.
            "contacts_count": page["count"],
            "contact_obj_list": page["results"],
            "countries": COUNTRIES,
            "users": dropdowns.members(self.profile),
        }


class ContactDetail(Contacts, RecordDetail):
    def bundle(self, record: Contact) -> Body:
        return {
            "address_obj": {name: getattr(record, name) for name in ADDRESS},
            "countries": COUNTRIES,
            "assigned_data": dropdowns.assigned(record),
            "tasks": list(record.task_contacts.values("id", "title", "status", "due_date")),
            "users_mention": dropdowns.mentionable(self.profile, record),
            "opportunities": list(
                record.opportunity_contacts.values("id", "name", "stage", "amount", "closed_on")
            ),
            "cases": list(record.case_contacts.values("id", "name", "status", "priority")),
            "colleagues": self._colleagues(record),
            **super().bundle(record),
        }

    def _colleagues(self, record: Contact) -> list[dict[str, Any]]:
        accounts = Account.objects.filter(contacts=record)
        others = self.visible().filter(account_contacts__in=accounts).exclude(pk=record.pk)
        return list(others.values("id", "first_name", "last_name", "email").distinct())


urlpatterns = record_urls(ContactList, ContactDetail)
