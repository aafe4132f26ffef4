"""Seed data: two organisations with enough in them to ask questions about. Relative to today."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import cycle
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone

from demo_crm.access.row_security import org_context
from demo_crm.models import (
    Account,
    ApprovalRule,
    Case,
    Comment,
    Contact,
    CustomFieldDefinition,
    Invoice,
    InvoiceLineItem,
    Lead,
    Opportunity,
    Org,
    Payment,
    Profile,
    Solution,
    Tag,
    Task,
    Team,
    TimeEntry,
    User,
)


@dataclass(frozen=True)
class Company:
    """What makes one organisation of the demo different from the other."""

    org: str
    timezone: str
    currency: str
    domain: str
    admin: str
    user: str
    accounts: tuple[str, ...]


COMPANIES = (
    Company(
        "Bluebird Robotics",
        "America/New_York",
        "USD",
        "bluebird.example",
        "Avery Stone",
        "Sam Ortiz",
        (
            "Acme Corp",
            "Northwind Foods",
            "Globex Logistics",
            "Initech Software",
            "Umbra Energy",
            "Hooli Retail",
            "Stark Metalworks",
            "Wayne Shipping",
        ),
    ),
    Company(
        "Harbour Lane Studio",
        "Europe/London",
        "GBP",
        "harbourlane.example",
        "Mira Chen",
        "Leo Hart",
        (
            "Pendle Architects",
            "Quayside Hotels",
            "Thistle & Sons",
            "Marlowe Press",
            "Fenwick Dairy",
        ),
    ),
)
PEOPLE = (
    ("Nora", "Blake", "Head of Operations"),
    ("Ivan", "Petrov", "Purchasing Manager"),
    ("Lucia", "Romero", "Finance Director"),
    ("Tom", "Whitfield", "Plant Manager"),
    ("Aisha", "Khan", "Chief Technology Officer"),
    ("Jonas", "Weber", "Logistics Lead"),
    ("Grace", "Okafor", "Managing Director"),
    ("Peter", "Lindqvist", "Facilities Manager"),
    ("Yuki", "Tanaka", "Procurement Analyst"),
    ("Clara", "Dubois", "Project Manager"),
    ("Omar", "Haddad", "Engineering Manager"),
    ("Ruth", "Abrams", "Office Manager"),
)
LEADS = (
    # first name, last name, company, status, source, rating, amount, days since it came in
    ("Dana", "Fox", "Redwood Labs", "assigned", "email", "HOT", 42000, 0),
    ("Eli", "Marsh", "Marsh Packaging", "assigned", "call", "WARM", 12500, 1),
    ("Helen", "Cho", "Brightside Clinics", "in process", "partner", "HOT", 78000, 1),
    ("Victor", "Ng", "Ng & Partners", "assigned", "email", "COLD", 5000, 2),
    ("Paula", "Reyes", "Reyes Textiles", "in process", "call", "WARM", 23000, 4),
    ("Martin", "Keller", "Keller Brewing", "assigned", "public relations", "COLD", 9000, 9),
    ("Sofia", "Rossi", "Rossi Ceramics", "in process", "existing customer", "WARM", 31000, 15),
    ("Ben", "Carter", "Carter Farms", "recycled", "email", "COLD", 4000, 28),
    ("Ingrid", "Olsen", "Fjord Seafood", "assigned", "partner", "HOT", 56000, 35),
    ("Raj", "Mehta", "Mehta Pharma", "closed", "call", "COLD", 15000, 50),
    ("Amelia", "Grant", "Grant Interiors", "closed", "other", "WARM", 8000, 64),
)
DEALS = (
    # name, stage, amount, probability, days until it closes
    ("Warehouse automation", "PROPOSAL", 120000, 60, 21),
    ("Service contract", "NEGOTIATION", 36000, 75, 9),
    ("Sensor upgrade", "PROSPECTING", 18000, 20, 60),
    ("Line expansion", "QUALIFICATION", 210000, 35, 75),
    ("Pilot installation", "CLOSED_WON", 48000, 100, -12),
    ("Spare parts for a year", "CLOSED_WON", 22000, 100, -40),
    ("Training package", "CLOSED_LOST", 9500, 0, -25),
    ("Support renewal", "NEGOTIATION", 27000, 80, 4),
)
TASKS = (
    # title, status, priority, days until it is due
    ("Call back about the quote", "New", "High", 0),
    ("Send the revised proposal", "In Progress", "High", 1),
    ("Prepare the quarterly review", "New", "Medium", 6),
    ("Check the delivery address", "New", "Low", -3),
    ("Follow up on the unpaid invoice", "New", "High", -8),
    ("Book the site visit", "In Progress", "Medium", 3),
    ("Update the contact list", "Completed", "Low", -10),
    ("Write the case study", "New", "Low", 20),
)
CASES = (
    # name, status, priority, kind
    ("Robot arm stops after warm-up", "New", "Urgent", "Incident"),
    ("Wrong part delivered", "Assigned", "High", "Problem"),
    ("How to reset the controller", "New", "Low", "Question"),
    ("Invoice shows the old address", "Pending", "Normal", "Problem"),
    ("Firmware update fails", "Assigned", "High", "Incident"),
    ("Request for spare manuals", "Closed", "Low", "Question"),
)
INVOICES = (
    # title, status, price, days since it was issued
    ("Pilot installation", "Paid", 48000, 60),
    ("Maintenance, last quarter", "Sent", 6400, 47),
    ("Spare parts", "Overdue", 3150, 70),
    ("Consulting days", "Partially_Paid", 9000, 40),
    ("Maintenance, this quarter", "Sent", 6400, 6),
    ("Training workshop", "Draft", 2200, 1),
)
SOLUTIONS = (
    ("Resetting the controller", "Hold both keys for five seconds.", "approved", True),
    ("Reading the error lights", "Two red flashes mean low pressure.", "approved", False),
    ("Preparing a site visit", "Ask for the access form a week ahead.", "reviewed", False),
    ("Cleaning the sensors", "Only with a dry cloth.", "draft", False),
)
TAGS = ("Priority", "Renewal", "Trade fair", "Newsletter")


def seed(password: str | None = None) -> list[Profile]:
    """Everyone of the demo, made on the first call together with all records."""
    return [profile for company in COMPANIES for profile in seeded(company, password)]


def seeded(company: Company, password: str | None) -> Iterable[Profile]:
    org = Org.objects.filter(name=company.org).first()
    if org is None:
        with transaction.atomic():
            org = make_org(company, password)
    return org.profiles.select_related("user", "org").order_by("role")


def make_org(company: Company, password: str | None) -> Org:
    org = Org.objects.create(
        name=company.org, timezone=company.timezone, default_currency=company.currency
    )
    admin, user = (
        Profile.objects.create(
            user=User.objects.create_user(email_of(name, company), password, name=name),
            org=org,
            role=role,
        )
        for name, role in ((company.admin, Profile.Role.ADMIN), (company.user, Profile.Role.USER))
    )
    with org_context(org), timezone.override(ZoneInfo(company.timezone)):
        Records(company, org, admin, user).make()
    return org


def email_of(name: str, company: Company) -> str:
    return f"{name.split()[0].lower()}@{company.domain}"


class Records:
    """Every fourth record was made by the user, another fourth is assigned to them."""

    def __init__(self, company: Company, org: Org, admin: Profile, user: Profile) -> None:
        self.company, self.org, self.admin, self.user = company, org, admin, user
        self.today = timezone.localdate()
        self.turn = cycle([(admin, admin), (user, user), (admin, None), (admin, user)])

    def make(self) -> None:
        self.tags = [self.add(Tag, name=name) for name in TAGS]
        self.make_teams()
        self.accounts = [self.make_account(*each) for each in enumerate(self.company.accounts)]
        # Both work with the first of them.
        self.accounts[0].assigned_to.add(self.user)
        self.contacts = [self.make_contact(*each) for each in enumerate(PEOPLE)]
        self.make_leads()
        self.deals = [self.make_deal(*each) for each in enumerate(DEALS)]
        self.cases = [self.make_case(*each) for each in enumerate(CASES)]
        self.make_time_entry()
        self.make_approval_rule()
        self.make_tasks()
        for index, invoice in enumerate(INVOICES):
            self.make_invoice(index, *invoice)
        self.make_solutions()
        self.make_custom_field()

    def add(self, model: Any, creator: Profile | None = None, **values: Any) -> Any:
        owner = {"org": self.org, "created_by": (creator or self.admin).user}
        return model.objects.create(**owner, **values)

    def owned(self, model: Any, **values: Any) -> Any:
        """A record whose creator and assignee take turns."""
        creator, assignee = next(self.turn)
        record = self.add(model, creator, **values)
        if assignee:
            record.assigned_to.add(assignee)
        return record

    def day(self, offset: int) -> date:
        return self.today + timedelta(days=offset)

    def backdate(self, record: Any, days: int) -> None:
        moment = timezone.now() - timedelta(days=days)
        type(record).objects.filter(pk=record.pk).update(created_at=moment)

    def comment(self, record: Any, text: str) -> None:
        kind = ContentType.objects.get_for_model(record)
        kept = {"content_type": kind, "object_id": record.pk}
        self.add(Comment, comment=text, commented_by=self.admin, **kept)

    def make_teams(self) -> None:
        sales = self.add(Team, name="Sales", description="New business")
        sales.users.add(self.admin, self.user)
        support = self.add(Team, name="Support", description="Cases and maintenance")
        support.users.add(self.admin)
        self.sales, self.support = sales, support

    def make_account(self, index: int, name: str) -> Account:
        domain = f"{name.split()[0].lower()}.example"
        account: Account = self.owned(
            Account,
            name=name,
            email=f"info@{domain}",
            website=f"https://www.{domain}",
            phone=f"+1 555 01{index:02}",
            industry=("MANUFACTURING", "FOOD & BEVERAGE", "TRANSPORTATION")[index % 3],
            currency=self.company.currency,
            number_of_employees=40 * (index + 1),
            annual_revenue=Decimal(750_000 * (index + 1)),
            city=("Springfield", "Riverton", "Lakeside")[index % 3],
            country="US" if self.company.currency == "USD" else "GB",
        )
        account.teams.add(self.sales)
        account.tags.add(self.tags[index % len(self.tags)])
        self.backdate(account, 30 * (index + 1))
        return account

    def make_contact(self, index: int, person: tuple[str, str, str]) -> Contact:
        first, last, title = person
        account = self.accounts[index % len(self.accounts)]
        contact: Contact = self.owned(
            Contact,
            first_name=first,
            last_name=last,
            title=title,
            email=f"{first}.{last}@{account.name.split()[0]}.example".lower(),
            phone=f"+1 555 02{index:02}",
            organization=account.name,
            account=account,
        )
        account.contacts.add(contact)
        contact.tags.add(self.tags[index % len(self.tags)])
        return contact

    def make_leads(self) -> None:
        for first, last, company, status, source, rating, amount, age in LEADS:
            lead: Lead = self.owned(
                Lead,
                title=f"{company}: first enquiry",
                first_name=first,
                last_name=last,
                company_name=company,
                email=f"{first}@{company.split()[0]}.example".lower(),
                status=status,
                source=source,
                rating=rating,
                opportunity_amount=amount,
                currency=self.company.currency,
                close_date=self.day(45 - age),
                next_follow_up=self.day(2) if age < 10 else None,
                last_contacted=self.day(-age // 2) if age else None,
            )
            lead.tags.add(self.tags[age % len(self.tags)])
            self.backdate(lead, age)
            if rating == "HOT":
                self.comment(lead, f"{first} asked for prices and a visit.")

    def make_deal(self, index: int, deal: tuple[str, str, int, int, int]) -> Opportunity:
        name, stage, amount, probability, closes = deal
        account = self.accounts[index % len(self.accounts)]
        opportunity: Opportunity = self.owned(
            Opportunity,
            name=f"{account.name}: {name}",
            account=account,
            stage=stage,
            amount=amount,
            probability=probability,
            closed_on=self.day(closes),
            currency=self.company.currency,
            opportunity_type="NEW_BUSINESS" if index % 2 else "EXISTING_BUSINESS",
            lead_source="WEBSITE",
        )
        opportunity.contacts.add(*account.contacts.all())
        opportunity.teams.add(self.sales)
        self.backdate(opportunity, 20 + index)
        return opportunity

    def make_case(self, index: int, case: tuple[str, str, str, str]) -> Case:
        name, status, priority, kind = case
        account = self.accounts[index % len(self.accounts)]
        closed = status == "Closed"
        made: Case = self.owned(
            Case,
            name=name,
            status=status,
            priority=priority,
            case_type=kind,
            account=account,
            closed_on=self.day(-2) if closed else None,
            resolved_at=timezone.now() - timedelta(days=2) if closed else None,
            description=f"Reported by {account.name}.",
        )
        made.contacts.add(*account.contacts.all())
        made.teams.add(self.support)
        self.backdate(made, index + 1)
        self.comment(made, "The customer was told that we are on it.")
        return made

    def make_time_entry(self) -> None:
        started = timezone.now() - timedelta(days=1)
        self.add(
            TimeEntry,
            case=self.cases[0],
            profile=self.admin,
            started_at=started,
            ended_at=started + timedelta(minutes=45),
            description="Looked into it with the customer",
            billable=True,
            currency=self.company.currency,
        )

    def make_approval_rule(self) -> None:
        """Switched off: whoever tries the demo can close a case without a second person."""
        self.add(
            ApprovalRule,
            name="Urgent cases need a second look",
            match_priority="Urgent",
            is_active=False,
        )

    def make_tasks(self) -> None:
        parents = cycle(("account", "opportunity", "case", None))
        for index, (title, status, priority, due) in enumerate(TASKS):
            parent = next(parents)
            of_kind: dict[str, list[Any]] = {
                "account": self.accounts,
                "opportunity": self.deals,
                "case": self.cases,
            }
            link = {parent: of_kind[parent][index % 5]} if parent else {}
            values = {"title": title, "status": status, "priority": priority, **link}
            self.owned(Task, due_date=self.day(due), **values)

    def make_invoice(self, index: int, title: str, status: str, price: int, age: int) -> None:
        account = self.accounts[index % len(self.accounts)]
        contact = account.contacts.earliest("first_name")
        invoice: Invoice = self.owned(
            Invoice,
            invoice_title=f"{account.name}: {title}",
            account=account,
            contact=contact,
            client_name=str(contact),
            client_email=contact.email or "",
            currency=self.company.currency,
            issue_date=self.day(-age),
            sent_at=None if status == "Draft" else timezone.now() - timedelta(days=age),
        )
        item = InvoiceLineItem(invoice=invoice, org=self.org, name=title, unit_price=Decimal(price))
        item.compute()
        item.save()
        invoice.recalculate()
        share = {"Paid": 1, "Partially_Paid": Decimal("0.5")}.get(status)
        if share:
            self.pay(invoice, invoice.total_amount * share)
        else:
            invoice.status = status
            invoice.save()
        self.backdate(invoice, age)

    def pay(self, invoice: Invoice, amount: Decimal) -> None:
        self.add(
            Payment,
            invoice=invoice,
            amount=amount,
            payment_date=self.day(-10),
            payment_method="BANK_TRANSFER",
        )
        invoice.apply_payments()

    def make_solutions(self) -> None:
        for index, (title, description, status, published) in enumerate(SOLUTIONS):
            article = {"title": title, "description": description, "status": status}
            creator = self.user if index == len(SOLUTIONS) - 1 else self.admin
            solution = self.add(Solution, creator, is_published=published, **article)
            solution.cases.add(self.cases[2]) if index == 0 else None

    def make_custom_field(self) -> None:
        regions = ("North", "South", "East", "West")
        self.add(
            CustomFieldDefinition,
            target_model="Lead",
            key="region",
            label="Region",
            field_type="dropdown",
            options=[{"label": name, "value": name.lower()} for name in regions],
            is_filterable=True,
        )
        for index, lead in enumerate(Lead.objects.order_by("email")):
            lead.custom_fields = {"region": regions[index % 4].lower()}
            lead.save()
