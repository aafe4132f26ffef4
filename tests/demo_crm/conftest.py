from types import SimpleNamespace
from typing import Any

import pytest

from demo_crm.access.row_security import org_context
from demo_crm.models import (
    Account,
    Case,
    Contact,
    Invoice,
    InvoiceLineItem,
    Lead,
    Opportunity,
    Profile,
    Solution,
    Tag,
    Task,
    Team,
)
from tests.bottlecrm_mcp.conftest import crm_of, tools_of  # noqa: F401 (fixtures)

ENTITIES = (
    "leads",
    "contacts",
    "accounts",
    "opportunities",
    "tasks",
    "cases",
    "invoices",
    "solutions",
)


def url(entity: str, *parts: Any) -> str:
    base = "/api/cases/solutions/" if entity == "solutions" else f"/api/{entity}/"
    return base + "".join(f"{part}/" for part in parts)


def make_records(profile: Profile, name: str) -> SimpleNamespace:
    """One record of every kind, made by this person; `name` makes them distinguishable."""
    owner = {"org": profile.org, "created_by": profile.user}
    with org_context(profile.org):
        account = Account.objects.create(name=f"{name} Ltd", country="GB", **owner)
        contact = Contact.objects.create(
            first_name=name, last_name="Contact", email=f"{name}@customer.test", **owner
        )
        account.contacts.add(contact)
        lead = Lead.objects.create(
            first_name=name, last_name="Lead", email=f"{name}@lead.test", status="assigned", **owner
        )
        opportunity = Opportunity.objects.create(name=f"{name} deal", account=account, **owner)
        case = Case.objects.create(
            name=f"{name} case", status="New", priority="High", account=account, **owner
        )
        case.contacts.add(contact)
        task = Task.objects.create(title=f"{name} task", status="New", priority="Low", **owner)
        invoice = Invoice.objects.create(
            invoice_title=f"{name} invoice",
            account=account,
            contact=contact,
            client_email=f"{name}@customer.test",
            **owner,
        )
        item = InvoiceLineItem(invoice=invoice, name="Work", quantity=2, unit_price=50, **owner)
        item.compute()
        item.save()
        invoice.recalculate()
        solution = Solution.objects.create(title=f"{name} article", description="How", **owner)
        tag = Tag.objects.create(name=f"{name} tag", **owner)
        team = Team.objects.create(name=f"{name} team", **owner)
        team.users.add(profile)
    return SimpleNamespace(
        leads=lead,
        contacts=contact,
        accounts=account,
        opportunities=opportunity,
        tasks=task,
        cases=case,
        invoices=invoice,
        solutions=solution,
        tag=tag,
        team=team,
        profile=profile,
    )


@pytest.fixture
def by_admin(alpha_admin: Profile) -> SimpleNamespace:
    return make_records(alpha_admin, "admins")


@pytest.fixture
def by_user(alpha_user: Profile) -> SimpleNamespace:
    return make_records(alpha_user, "users")


@pytest.fixture
def in_beta(beta_admin: Profile) -> SimpleNamespace:
    return make_records(beta_admin, "betas")
