"""A demo CRM of any size: organisations, people and records for the benchmarks to run on."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any, NamedTuple

from django.db import connection, transaction

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway
from bottlecrm_mcp.hosted.authentication import authenticate
from bottlecrm_mcp.hosted.execution import seal
from bottlecrm_mcp.tools.crm import Crm
from demo_crm import models
from demo_crm.access.row_security import org_context
from pat_tokens.models import Token

# The entities that `fill` fills.
FILLED = (
    "leads",
    "contacts",
    "accounts",
    "opportunities",
    "tasks",
    "cases",
    "invoices",
    "solutions",
)
STAGES = ("PROSPECTING", "QUALIFICATION", "PROPOSAL", "NEGOTIATION", "CLOSED_WON", "CLOSED_LOST")


def organisation(name: str) -> tuple[models.Org, models.Profile, models.Profile]:
    """An organisation with an administrator and a user."""
    org = models.Org.objects.create(name=name)
    people = []
    for role in (models.Profile.Role.ADMIN, models.Profile.Role.USER):
        email = f"{role}@{name}.example".lower()
        user = models.User.objects.create_user(email, "secret", name=f"{name} {role}")
        people.append(models.Profile.objects.create(user=user, org=org, role=role))
    return org, people[0], people[1]


def crm_of(profile: models.Profile) -> tuple[Crm, str]:
    """What the tools work with as this person, and the token's secret."""
    with org_context(profile.org):
        _, secret = Token.create(owner=profile, name="benchmark")
    caller = authenticate(secret)
    catalogue = mcp_settings().catalogue
    return Crm(caller, catalogue, InProcessGateway(catalogue, caller, secret), seal()), secret


class Member(NamedTuple):
    """What the tools work with as a person, and the secret of their token."""

    crm: Crm
    secret: str


@cache
def people(name: str, size: int) -> tuple[Member, Member]:
    """The administrator and the user of an organisation with so many records, made once."""
    org, admin, user = organisation(name)
    fill(org, admin, user, size)
    analyze()
    return Member(*crm_of(admin)), Member(*crm_of(user))


def first_lead(name: str) -> str:
    org = models.Org.objects.get(name=name)
    with org_context(org):
        lead = models.Lead.objects.order_by("pk").first()
    assert lead is not None
    return str(lead.pk)


@transaction.atomic
def fill(org: models.Org, admin: models.Profile, user: models.Profile, size: int) -> None:
    """`size` records of each entity; a fifth of them is the user's, half have tags."""
    dice = random.Random(size)
    with org_context(org):
        tags = [models.Tag.objects.create(org=org, name=f"Tag {each}") for each in range(10)]
        owner = {"org": org, "created_by": admin.user, "updated_by": admin.user}
        accounts = _made(
            models.Account,
            (
                {
                    "name": f"Account {index}",
                    "email": f"office{index}@account.example",
                    "industry": "SOFTWARE",
                    "city": "Boston",
                    "annual_revenue": 1000 * index,
                    "currency": "USD",
                    **owner,
                }
                for index in range(size)
            ),
        )
        contacts = _made(
            models.Contact,
            (
                {
                    "first_name": "Person",
                    "last_name": f"Number {index}",
                    "email": f"person{index}@account.example",
                    "account": accounts[index],
                    **owner,
                }
                for index in range(size)
            ),
        )
        leads = _made(
            models.Lead,
            (
                {
                    "first_name": "Lead",
                    "last_name": f"Number {index}",
                    "email": f"lead{index}@lead.example",
                    "company_name": f"Company {index % 500}",
                    "status": dice.choice(("assigned", "in process", "closed")),
                    "source": dice.choice(("call", "email", "partner")),
                    "description": "A few words on where this came from. " * 3,
                    **owner,
                }
                for index in range(size)
            ),
        )
        opportunities = _made(
            models.Opportunity,
            (
                {
                    "name": f"Deal {index}",
                    "account": accounts[index],
                    "stage": dice.choice(STAGES),
                    "amount": dice.randrange(1000, 90000),
                    "currency": dice.choice(("USD", "EUR")),
                    **owner,
                }
                for index in range(size)
            ),
        )
        tasks = _made(
            models.Task,
            (
                {
                    "title": f"Task {index}",
                    "status": dice.choice(("New", "In Progress", "Completed")),
                    "priority": dice.choice(("Low", "Medium", "High")),
                    "due_date": date.today() + timedelta(days=dice.randrange(-30, 30)),
                    **owner,
                }
                for index in range(size)
            ),
        )
        cases = _made(
            models.Case,
            (
                {
                    "name": f"Case {index}",
                    "status": dice.choice(("New", "Assigned", "Pending")),
                    "priority": dice.choice(("Low", "Normal", "High", "Urgent")),
                    "account": accounts[index],
                    **owner,
                }
                for index in range(size)
            ),
        )
        _made(
            models.Invoice,
            (
                {
                    "invoice_number": f"INV-{org.pk.hex[:6]}-{index}",
                    "invoice_title": f"Invoice {index}",
                    "account": accounts[index],
                    "contact": contacts[index],
                    "client_name": "Person",
                    "client_email": "person@account.example",
                    "issue_date": date.today(),
                    "due_date": date.today() + timedelta(days=dice.randrange(-30, 30)),
                    "total_amount": dice.randrange(100, 9000),
                    "currency": "USD",
                    **owner,
                }
                for index in range(size)
            ),
        )
        _made(
            models.Solution,
            (
                {"title": f"Solution {index}", "description": "Do this. Then that.", **owner}
                for index in range(size)
            ),
        )
        for records in (accounts, contacts, leads, opportunities, tasks, cases):
            _share(records, user, tags, dice)


def _made(model: Any, rows: Any) -> list[Any]:
    return list(model.objects.bulk_create((model(**row) for row in rows), batch_size=1000))


def _share(records: list[Any], user: models.Profile, tags: list[Any], dice: random.Random) -> None:
    model = type(records[0])
    for name, targets, part in (("assigned_to", [user], 0.2), ("tags", tags, 0.5)):
        through = model._meta.get_field(name).remote_field.through
        source, target = (
            field.attname
            for field in (
                through._meta.get_field(model._meta.get_field(name).m2m_field_name()),
                through._meta.get_field(model._meta.get_field(name).m2m_reverse_field_name()),
            )
        )
        links = (
            through(**{source: each.pk, target: dice.choice(targets).pk})
            for each in records
            if dice.random() < part
        )
        through.objects.bulk_create(links, batch_size=1000)


def foreign_leads(org: models.Org, admin: models.Profile, count: int) -> None:
    """`count` leads of another organisation."""
    with org_context(org):
        template = models.Lead.objects.create(
            org=org, created_by=admin.user, updated_by=admin.user, last_name="Foreign"
        )
        _copies(template, count - 1, {})


def more_leads(org: models.Org, user: models.Profile, count: int) -> None:
    """So many leads more, over two years: a fifth of them is the user's, half have a tag."""
    varied = {
        "created_at": "now() - number * interval '1 minute'",
        "last_name": "'Number ' || number",
        "status": "(array['assigned', 'in process', 'closed', 'recycled'])[1 + number %% 4]",
        "source": "(array['call', 'email', 'partner'])[1 + number %% 3]",
    }
    with org_context(org):
        _copies(models.Lead.objects.all()[0], count, varied)
        tags = [each.pk for each in models.Tag.objects.all()]
        for name, others, share in (("assigned_to", [user.pk], 0.2), ("tags", tags, 0.5)):
            relation: Any = models.Lead._meta.get_field(name)
            ours, theirs = relation.m2m_column_name(), relation.m2m_reverse_name()
            with connection.cursor() as cursor:
                cursor.execute(
                    f'INSERT INTO "{relation.remote_field.through._meta.db_table}" '
                    f'("{ours}", "{theirs}") '
                    "SELECT id, (%s::uuid[])[1 + floor(random() * %s)] "
                    f'FROM "{models.Lead._meta.db_table}" WHERE random() < %s '
                    "ON CONFLICT DO NOTHING",
                    [others, len(others), share],
                )


def _copies(lead: models.Lead, count: int, varied: Mapping[str, str]) -> None:
    """So many copies of a lead, made by the database itself; `varied` are SQL of a `number`."""
    table = models.Lead._meta.db_table
    columns = [str(field.column) for field in models.Lead._meta.concrete_fields]
    names = [each for each in columns if each != "id"]
    values = ", ".join(varied.get(each, f'copied."{each}"') for each in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" ("id", {", ".join(names)}) '
            f'SELECT gen_random_uuid(), {values} FROM "{table}" copied, '
            f'generate_series(1, %s) number WHERE copied."id" = %s',
            [count, lead.pk],
        )


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
