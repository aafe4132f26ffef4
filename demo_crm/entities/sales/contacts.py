"""Contacts: serializers, views and URLs."""

from typing import Any

from django.db.models import Q, QuerySet

from demo_crm.countries import COUNTRIES
from demo_crm.entities.base import Body, Entity, RecordDetail, RecordList, record_urls
from demo_crm.entities.organisation import dropdowns
from demo_crm.entities.rows import ADDRESS, CONTACT, ContactSerializer
from demo_crm.filters import any_related, contains, instants, true_or_false
from demo_crm.models import Account, Contact
from demo_crm.serializers import WriteSerializer, names


class ContactWriteSerializer(WriteSerializer):
    class Meta:
        model = Contact
        fields = names(CONTACT, "description account is_active")

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
