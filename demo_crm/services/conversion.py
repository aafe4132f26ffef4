"""Conversion of a lead: the account, contact and opportunity that it becomes."""

from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType

from demo_crm.models import Account, Attachment, Comment, Contact, Lead, Opportunity, Profile

ADDRESS = ("phone", "description", "address_line", "city", "state", "postcode", "country")


@dataclass
class Converted:
    account: Account
    contact: Contact | None
    opportunity: Opportunity | None


def convert(lead: Lead, profile: Profile) -> Converted:
    owner = {"org": profile.org, "created_by": profile.user}
    account = _account(lead, owner)
    contact = _contact(lead, account, owner) if lead.email else None
    opportunity = _opportunity(lead, account, contact, owner)
    _move_notes(lead, account)
    lead.status = "converted"
    lead.save()
    return Converted(account, contact, opportunity)


def _account(lead: Lead, owner: dict[str, Any]) -> Account:
    name = lead.company_name or f"{lead.first_name} {lead.last_name}"
    account = Account.objects.filter(name__iexact=name).first()
    if account is None:
        details = {field: getattr(lead, field) for field in (*ADDRESS, "email")}
        account = Account.objects.create(name=name, website=lead.website, **details, **owner)
    for relation in ("tags", "teams", "assigned_to", "contacts"):
        getattr(account, relation).add(*getattr(lead, relation).all())
    return account


def _contact(lead: Lead, account: Account, owner: dict[str, Any]) -> Contact:
    contact = Contact.objects.filter(email__iexact=lead.email).first()
    if contact is None:
        contact = Contact.objects.create(
            first_name=lead.first_name or "",
            last_name=lead.last_name or "",
            email=lead.email,
            organization=lead.company_name or "",
            title=lead.job_title,
            account=account,
            **{field: getattr(lead, field) for field in ADDRESS},
            **owner,
        )
        contact.assigned_to.set(lead.assigned_to.all())
    elif contact.account is None:
        contact.account = account
        contact.save()
    account.contacts.add(contact)
    return contact


def _opportunity(
    lead: Lead, account: Account, contact: Contact | None, owner: dict[str, Any]
) -> Opportunity | None:
    person = " ".join(name for name in (lead.first_name, lead.last_name) if name)
    if not (lead.opportunity_amount or lead.first_name or lead.company_name):
        return None
    opportunity = Opportunity.objects.create(
        name=" - ".join(part for part in (lead.company_name, person) if part) or f"From {lead.pk}",
        account=account,
        amount=lead.opportunity_amount,
        probability=lead.probability,
        closed_on=lead.close_date,
        lead_source=lead.source,
        description=lead.description,
        stage="QUALIFICATION",
        **owner,
    )
    for relation in ("tags", "teams", "assigned_to"):
        getattr(opportunity, relation).set(getattr(lead, relation).all())
    if contact:
        opportunity.contacts.add(contact)
    return opportunity


def _move_notes(lead: Lead, account: Account) -> None:
    kinds = ContentType.objects.get_for_models(Lead, Account)
    for model in (Comment, Attachment):
        notes = model.objects.filter(content_type=kinds[Lead], object_id=lead.pk)
        notes.update(content_type=kinds[Account], object_id=account.pk)
