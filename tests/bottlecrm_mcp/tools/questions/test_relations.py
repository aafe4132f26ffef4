"""Filters through a relation, names that records show, and relations that the CRM has twice."""

from typing import Any

import pytest

from demo_crm.access.row_security import org_context
from demo_crm.models import Account, Contact, Invoice, Lead, Opportunity, Task
from tests.bottlecrm_mcp.population import unchanged
from tests.bottlecrm_mcp.tools.questions.conftest import found, named

SECRET = "Zanzibar"


@pytest.fixture
def deals(make, alpha_user) -> Any:
    """Two deals that the USER sees: of an account that they see, and of one that they don't."""
    seen = make(Account, name="Seen", industry="BANKING", city="Berlin", assigned_to=[alpha_user])
    hidden = make(
        Account,
        name="Hidden",
        industry="LEGAL",
        city=SECRET,
        annual_revenue=987_654,
        custom_fields={"region": SECRET},
    )
    return [
        make(
            Opportunity,
            name=account.name,
            account=account,
            stage="PROPOSAL",
            amount=amount,
            currency="EUR",
            assigned_to=[alpha_user],
        )
        for account, amount in ((seen, 10), (hidden, 20))
    ]


@pytest.mark.parametrize(
    ("filters", "of_admin", "of_user"),
    [
        ({"account.industry": "BANKING"}, {"Seen"}, {"Seen"}),
        ({"account.industry": "LEGAL"}, {"Hidden"}, set()),
        ({"account.industry": ["LEGAL", "BANKING"]}, {"Seen", "Hidden"}, {"Seen"}),
        ({"account.industry__not": "BANKING"}, {"Hidden"}, set()),
        ({"account.industry__not": "LEGAL"}, {"Seen"}, {"Seen"}),
        ({"account.city__contains": "zanz"}, {"Hidden"}, set()),
        ({"account.city__is_empty": False}, {"Seen", "Hidden"}, {"Seen"}),
        ({"account.email__is_empty": True}, {"Seen", "Hidden"}, {"Seen"}),
        ({"account.annual_revenue__gte": 1}, {"Hidden"}, set()),
        ({"account.name": "hidden", "account.industry": "LEGAL"}, {"Hidden"}, set()),
        ({"account.name": "hidden", "account.industry": "BANKING"}, set(), set()),
        ({"any": [{"account.industry": "LEGAL"}, {"amount": 10}]}, {"Seen", "Hidden"}, {"Seen"}),
        ({"assigned_to.role": "USER"}, {"Seen", "Hidden"}, {"Seen", "Hidden"}),
        ({"assigned_to.role": "ADMIN"}, set(), set()),
    ],
    ids=named,
)
def test_only_what_the_person_sees_counts(admin, user, deals, filters, of_admin, of_user) -> None:
    for call, wanted in ((admin, of_admin), (user, of_user)):
        answer = call("crm_search", entity="opportunities", filters=filters)
        assert found(answer, "name") == wanted
        counted = call("crm_summarize", entity="opportunities", filters=filters)
        assert counted["total"]["count"] == len(wanted)
        shares = call(
            "crm_summarize",
            entity="opportunities",
            filters={"any": [filters, {"name": "nothing is called so"}]}
            if "any" not in filters
            else filters,
        )
        assert shares["total"]["count"] == len(wanted)


@pytest.mark.parametrize("value", [SECRET, "LEGAL", "Berlin", "nonsense"])
def test_every_guess_at_what_is_hidden_gives_one_answer(user, deals, value) -> None:
    """Whether a guess at the hidden account is right shows in no count, group or sentence."""
    answers = []
    for guess in (value, "no such value"):
        filters = {"account.city": guess, "name": "Hidden"}
        answer = user("crm_search", entity="opportunities", filters=filters)
        answer.pop("filters")
        answers.append(answer)
    assert answers[0] == answers[1]


def test_share_through_a_relation_reveals_nothing(admin, user, deals) -> None:
    measure = "share:account.city=Zanzibar"
    for call, share in ((admin, "0.5000"), (user, "0.0000")):
        total = call("crm_summarize", entity="opportunities", measures=[measure])["total"]
        assert total == {measure: share}


def test_groups_through_a_relation(admin, user, deals) -> None:
    asked = {"entity": "opportunities", "group_by": ["account.industry"]}
    groups = admin("crm_summarize", **asked, measures=["sum:amount"])["groups"]
    assert [(each["account.industry"], each["sum:amount"]) for each in groups] == [
        ("LEGAL", "20.00"),
        ("BANKING", "10.00"),
    ]
    answer = user("crm_summarize", **asked)
    assert answer["groups"] == [
        {"account.industry": "BANKING", "count": 1},
        {"account.industry": "(none)", "count": 1},
    ]
    assert any("can't see" in note for note in answer["notes"])
    by_city = user("crm_summarize", entity="opportunities", group_by=["account.city"])
    assert SECRET not in str(by_city)


def test_custom_field_through_a_relation(admin, user, deals, make) -> None:
    from demo_crm.models import CustomFieldDefinition

    make(CustomFieldDefinition, target_model="Account", key="region", label="R", field_type="text")
    asked = {"entity": "opportunities", "filters": {"account.custom_fields.region": SECRET}}
    assert found(admin("crm_search", **asked), "name") == {"Hidden"}
    assert found(user("crm_search", **asked), "name") == set()
    by = {"entity": "opportunities", "group_by": ["account.custom_fields.region"]}
    assert SECRET in str(admin("crm_summarize", **by)["groups"])
    assert SECRET not in str(user("crm_summarize", **by)["groups"])


def test_other_organisation_s_records_are_no_better(admin, stranger, deals, beta) -> None:
    answer = stranger(
        "crm_search", entity="opportunities", filters={"account.industry": "LEGAL"}, limit=50
    )
    assert "Hidden" not in str(answer["records"])


def test_scope_of_what_is_looked_into(tools_of, alpha_admin, deals) -> None:
    narrow = tools_of(alpha_admin, scopes=["opportunities:read"])
    for call in (
        {"tool": "crm_search", "filters": {"account.industry": "LEGAL"}},
        {"tool": "crm_summarize", "group_by": ["account.industry"]},
        {"tool": "crm_summarize", "measures": ["share:account.industry=LEGAL"]},
        {"tool": "crm_search", "filters": {"any": [{"account.industry": "LEGAL"}]}},
    ):
        error = narrow(call.pop("tool"), entity="opportunities", **call)["error"]
        assert error["code"] == "insufficient_scope"
        assert "accounts:read" in error["message"]


@pytest.mark.parametrize(
    "filters",
    [
        {"account.created_by.email": "x"},
        {"account.opportunities.name": "x"},
        {"name.length": 1},
        {"org.name": "Beta"},
        {"created_by.password": "x"},
        {"account.org": "x"},
        {"account.any": [{"name": "x"}]},
        {"account__industry": "LEGAL"},
        {"account.": "x"},
    ],
    ids=named,
)
def test_only_published_fields_one_step_away(admin, deals, filters) -> None:
    error = admin("crm_search", entity="opportunities", filters=filters)["error"]
    assert error["code"] == "invalid_filter"


def test_dates_open_and_people_behind_a_relation(admin, make, alpha_user) -> None:
    deal = make(Opportunity, name="D", stage="PROPOSAL", closed_on="2026-11-30")
    late = make(Task, title="of D", status="New", priority="Low", opportunity=deal)
    make(Task, title="of nothing", status="New", priority="Low")
    for filters in (
        {"opportunity.closed_on": "2026-11"},
        {"opportunity.is_open": True},
        {"opportunity.stage": "proposal"},
    ):
        assert found(admin("crm_search", entity="tasks", filters=filters), "title") == {late.title}


# --- Names that records show.


@pytest.fixture
def billed(make, alpha_user) -> Any:
    """An invoice that the USER sees, of an account that the USER doesn't."""
    account = make(Account, name="Hidden Ltd", email="boss@hidden.test")
    other = make(Account, name="Hidden Elsewhere")
    make(Invoice, invoice_title="Not theirs", account=other, invoice_number="I-2")
    return make(
        Invoice,
        invoice_title="Theirs",
        account=account,
        invoice_number="I-1",
        created_by=alpha_user.user,
    )


def test_account_that_only_the_invoice_shows(user, billed) -> None:
    account = billed.account
    assert user("crm_get", entity="accounts", id=str(account.pk))["error"]
    for meant in ("Hidden Ltd", "hidden ltd", "Hidden", str(account.pk)):
        answer = user("crm_search", entity="invoices", filters={"account": meant})
        assert found(answer, "invoice_number") == {"I-1"}
        assert answer["filters"]["account"] == {
            "id": str(account.pk),
            "name": "Hidden Ltd",
            "note": "known from invoices only",
        }
    # What no record of theirs shows stays unknown, whatever it is called.
    for unseen in ("Hidden Elsewhere", "boss@hidden.test", "Nobody"):
        error = user("crm_search", entity="invoices", filters={"account": unseen})["error"]
        assert "account" in error["fields"]
        assert "Elsewhere" not in str(error["fields"]).replace(unseen, "")


def test_what_a_record_does_not_show_of_it_is_no_way_to_guess(user, admin, billed, make) -> None:
    contact = make(Contact, first_name="Cleo", last_name="Hidden", email="cleo@hidden.test")
    with org_context(billed.org):
        Invoice.objects.filter(pk=billed.pk).update(contact=contact)
    by_name = user("crm_search", entity="invoices", filters={"contact": "Cleo Hidden"})
    assert by_name["total"] == 1
    for guess in ("cleo@hidden.test", "hidden.test", "cleo"):
        answer = user("crm_search", entity="invoices", filters={"contact": guess})
        assert ("error" in answer) is (guess != "cleo")
    by_mail = {"contact": "cleo@hidden.test"}
    assert admin("crm_search", entity="invoices", filters=by_mail)["total"] == 1


def test_whole_name_that_a_record_shows_before_a_part_of_another(
    user, billed, make, alpha_user
) -> None:
    make(Account, name="Hidden Ltd Sales", assigned_to=[alpha_user])
    answer = user("crm_search", entity="invoices", filters={"account": "Hidden Ltd"})
    assert found(answer, "invoice_number") == {"I-1"}


# --- Deactivated people.


@pytest.fixture
def gone(alpha, make) -> Any:
    """A deactivated person who still has a lead."""
    person = alpha.people[2]
    person.is_active = False
    person.save()
    make(Lead, first_name="Left", assigned_to=[person])
    with org_context(alpha.org):
        person.leads = Lead.objects.filter(assigned_to=person).count()
    return person


def test_deactivated_people_filter(admin, gone) -> None:
    for meant in ("Alpha Colleague0", "colleague0, alpha", gone.user.email, str(gone.pk)):
        answer = admin("crm_search", entity="leads", filters={"assigned_to": meant})
        assert answer["total"] == gone.leads
        assert answer["filters"]["assigned_to"]["note"] == "deactivated"
        assert answer["filters"]["assigned_to"]["id"] == str(gone.pk)


def test_deactivated_people_are_not_assigned_to(admin, gone) -> None:
    for meant in ("Alpha Colleague0", gone.user.email, str(gone.pk)):
        with unchanged():
            answer = admin(
                "crm_create", entity="leads", data={"company_name": "X", "assigned_to": meant}
            )
        assert "assigned_to" in answer["error"]["fields"]


def test_active_person_before_a_deactivated_one_of_the_same_name(admin, gone, alpha) -> None:
    alpha.people[3].user.name = "Alpha Colleague0"
    alpha.people[3].user.save()
    answer = admin("crm_search", entity="leads", filters={"assigned_to": "Alpha Colleague0"})
    assert answer["filters"]["assigned_to"] == {
        "id": str(alpha.people[3].pk),
        "name": "Alpha Colleague0",
    }


# --- The account of a contact, which the CRM has twice.


@pytest.fixture
def joined(make) -> Any:
    """Contacts of an account by their own key, by the account's list, by both, and by neither."""
    account = make(Account, name="Acme")
    own = make(Contact, first_name="Own", last_name="X", account=account)
    listed = make(Contact, first_name="Listed", last_name="X")
    both = make(Contact, first_name="Both", last_name="X", account=account)
    make(Contact, first_name="Neither", last_name="X")
    with org_context(account.org):
        account.contacts.add(listed, both)
    return account, own, listed


def test_contacts_of_an_account_by_either_form(admin, joined) -> None:
    account, _, _ = joined
    included = admin("crm_get", entity="accounts", id="Acme", include=["contacts"])["contacts"]
    assert {each["first_name"] for each in included["records"]} == {"Own", "Listed", "Both"}
    assert included["total"] == 3
    for filters, wanted in (
        ({"account": "Acme"}, {"Own", "Listed", "Both"}),
        ({"account": [str(account.pk)]}, {"Own", "Listed", "Both"}),
        ({"account__not": "Acme"}, {"Neither"}),
        ({"account__is_empty": True}, {"Neither"}),
        ({"account__is_empty": False}, {"Own", "Listed", "Both"}),
        ({"account.name": "acme"}, {"Own", "Listed", "Both"}),
        ({"linked_accounts": "Acme"}, {"Listed", "Both"}),
    ):
        assert found(admin("crm_search", entity="contacts", filters=filters)) == wanted


def test_accounts_of_a_contact_by_either_form(admin, joined) -> None:
    """An account shows those that it lists; a contact names both kinds."""
    _, own, listed = joined
    for contact, names in ((own, set()), (listed, {"Acme"})):
        answer = admin("crm_search", entity="accounts", filters={"contacts": str(contact.pk)})
        assert found(answer, "name") == names
    assert (
        admin("crm_get", entity="contacts", id=str(own.pk))["record"]["account"]["name"] == "Acme"
    )
    record = admin("crm_get", entity="contacts", id=str(listed.pk))["record"]
    assert [each["name"] for each in record["linked_accounts"]] == ["Acme"]


@pytest.mark.parametrize("group", ["account", "account.industry"])
def test_groups_say_which_of_two_relations_they_go_by(admin: Any, alpha: Any, group: str) -> None:
    (note,) = admin("crm_summarize", entity="contacts", group_by=[group])["notes"]
    assert "record's own account" in note
    assert "linked_accounts" in note
