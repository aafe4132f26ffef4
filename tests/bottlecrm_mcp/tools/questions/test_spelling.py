"""Search, references and duplicates, however names and numbers are spelled."""

from functools import partial
from typing import Any

import pytest
from django.db import connection

from bottlecrm_mcp.gateway.in_process import expressions
from bottlecrm_mcp.gateway.shared import folding
from demo_crm.access.row_security import org_context
from demo_crm.models import Account, Case, Contact, Lead
from tests.bottlecrm_mcp.tools.questions.conftest import found, named

DECOMPOSED = "Jose\u0301"


@pytest.fixture(params=[True, False], ids=["pg_trgm", "plain"])
def trigrams(request, monkeypatch, two_orgs) -> bool:
    """With PostgreSQL's pg_trgm and without it."""
    if request.param:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'")
            if not cursor.fetchone()[0]:
                pytest.skip("this PostgreSQL comes without pg_trgm")
            # Any owner of a database may: it is trusted.
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    monkeypatch.setattr(expressions, "has_trigrams", lambda: request.param)
    return request.param


@pytest.fixture
def people(make) -> None:
    for first, last, phone in (
        ("José", "Núñez", "+34 600-123-456"),
        (DECOMPOSED, "Decomposed", ""),
        ("Jose", "Plain", ""),
        ("Ann", "Johnson", "(0)30 / 901 820"),
        ("Łukasz", "Groß", ""),
    ):
        make(Contact, first_name=first, last_name=last, phone=phone)


SEARCHES = [
    ("jose", {"Núñez", "Decomposed", "Plain"}),
    ("JOSÉ", {"Núñez", "Decomposed", "Plain"}),
    (DECOMPOSED, {"Núñez", "Decomposed", "Plain"}),
    ("nunez", {"Núñez"}),
    ("Nunez, Jose", {"Núñez"}),
    ("lukasz gross", {"Groß"}),
    ("+34600123456", {"Núñez"}),
    ("0034 600 123 456", {"Núñez"}),
    ("600123456", {"Núñez"}),
    ("600.123.456", {"Núñez"}),
    ("+49 30 901820", {"Johnson"}),
    ("+49 30 901821", set()),
    ("030901820", {"Johnson"}),
]


@pytest.mark.parametrize(("query", "wanted"), SEARCHES)
def test_search(admin, people, query, wanted) -> None:
    answer = admin("crm_search", entity="contacts", query=query)
    assert found(answer, "last_name") == wanted
    assert answer["total"] == len(wanted)


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({"phone__contains": "600123456"}, {"Núñez"}),
        ({"phone": "+34600123456"}, {"Núñez"}),
        ({"phone": "600 123 456"}, {"Núñez"}),
        ({"phone": "600 123 457"}, set()),
        ({"phone__not": "600123456"}, {"Decomposed", "Plain", "Johnson", "Groß"}),
        ({"last_name": "nunez"}, {"Núñez"}),
        ({"last_name": "GROSS"}, {"Groß"}),
        ({"first_name": "ann"}, {"Johnson"}),
        ({"first_name": "jose"}, {"Núñez", "Decomposed", "Plain"}),
        ({"first_name__contains": "osÉ"}, {"Núñez", "Decomposed", "Plain"}),
        ({"first_name__not": "josé"}, {"Johnson", "Groß"}),
    ],
    ids=named,
)
def test_filters(admin, people, filters, wanted) -> None:
    assert found(admin("crm_search", entity="contacts", filters=filters), "last_name") == wanted


@pytest.mark.parametrize("query", ["jonson", "Johnsno", "jahnson", "ann jonson", "Jonson, Ann"])
def test_typo(admin, people, trigrams, query) -> None:
    answer = admin("crm_search", entity="contacts", query=query)
    assert found(answer, "last_name") == {"Johnson"}
    assert any("spelled alike" in note for note in answer["notes"])


def test_typos_come_last(admin, people, make, trigrams) -> None:
    make(Contact, first_name="Right", last_name="Jonson")
    answer = admin("crm_search", entity="contacts", query="jonson")
    assert [each["last_name"] for each in answer["records"]] == ["Jonson", "Johnson"]
    assert answer["total"] == answer["returned"] == 2


def test_what_is_not_alike_is_not_found(admin, people, trigrams) -> None:
    for query in ("qqqqq", "600123499", "ann peterson", "osnhoj"):
        assert admin("crm_search", entity="contacts", query=query)["total"] == 0


def test_typo_reveals_nothing_hidden(user, make, alpha_user, trigrams) -> None:
    make(Contact, first_name="Secret", last_name="Johnson")
    assert user("crm_search", entity="contacts", query="jonson")["total"] == 0


def test_wildcards_are_text(admin, people) -> None:
    for query in ("%", "_", "j_se", "jos%", r"\m", "jos."):
        assert admin("crm_search", entity="contacts", query=query)["total"] == 0


def test_references(admin, make) -> None:
    account = make(Account, name="Café Zürich")
    for meant in ("cafe zurich", "CAFÉ ZÜRICH", "Cafe\u0301 Zu\u0308rich"):
        answer = admin("crm_search", entity="contacts", filters={"account": meant})
        assert answer["filters"]["account"]["id"] == str(account.pk)
    assert admin("crm_get", entity="accounts", id="cafe zurich")["id"] == str(account.pk)
    person = make(Contact, first_name="José", last_name="Núñez")
    assert admin("crm_get", entity="contacts", id="nunez, jose")["id"] == str(person.pk)


@pytest.mark.parametrize(
    ("held", "written"),
    [
        ("Compagnie d\u2019Énergie", "Compagnie d'Énergie"),
        ("Compagnie d'Energie", "compagnie d\u2019energie"),
        ("Traders \u2013 ERP", "Traders - ERP"),
        ("Traders - ERP", "Traders \u2014 ERP"),
    ],
)
def test_quotes_and_dashes_of_a_keyboard(admin, make, held, written) -> None:
    account = make(Account, name=held)
    assert admin("crm_get", entity="accounts", id=written)["id"] == str(account.pk)
    for wanted in ({"query": written}, {"filters": {"name": written}}):
        assert found(admin("crm_search", entity="accounts", **wanted), "name") == {held}
    part = {"name__contains": written[3:]}
    assert found(admin("crm_search", entity="accounts", filters=part), "name") == {held}


def test_typo_is_no_reference_but_named(admin, make, trigrams) -> None:
    make(Account, name="Johnson Brothers")
    error = admin("crm_search", entity="contacts", filters={"account": "Jonson Brothers"})["error"]
    assert "Johnson Brothers" in str(error["fields"])


def test_possible_duplicates(admin, people, trigrams) -> None:
    def same(**data: str) -> list[tuple[str, list[str]]]:
        answer = admin("crm_create", entity="contacts", data={"last_name": "New", **data})
        twins = answer.get("possible_duplicates", ())
        admin("crm_delete", entity="contacts", id=answer["id"], confirm=True)
        return [(each["name"], each["same"]) for each in twins]

    assert same(first_name="Jose", last_name="Nunez") == [
        ("José Núñez", ["first_name", "last_name"])
    ]
    assert same(first_name="X", phone="0034600123456") == [("José Núñez", ["phone"])]
    assert same(first_name="Ann", last_name="Jonson") == [("Ann Johnson", ["name, spelled alike"])]
    assert same(first_name="Pete") == []


@pytest.fixture
def twins(make) -> list[Any]:
    return [
        make(Lead, first_name="Ann", last_name="Lee", email="ann@x.test", phone="+34 600 123 456"),
        make(Lead, first_name="ANN", last_name="Lée"),
        make(Lead, first_name="A.", last_name="L.", email="ANN@X.TEST"),
        make(Lead, first_name="Other", last_name="Number", phone="600123456"),
        make(Lead, first_name="Bob", last_name="Ray"),
    ]


def test_duplicates_of_a_record(admin, twins) -> None:
    answer = admin("crm_search", entity="leads", duplicates_of="Bob Ray")
    assert (answer["total"], answer["records"]) == (0, [])
    answer = admin("crm_search", entity="leads", duplicates_of=str(twins[0].pk))
    same = {each["name"]: each["same"] for each in answer["records"]}
    assert same == {
        "A. L.": ["email"],
        "ANN Lée": ["first_name", "last_name"],
        "Other Number": ["phone"],
    }


@pytest.mark.parametrize(
    ("one", "other", "nearly"),
    [
        ("Printer on floor 2 is broken", "Broken printer, floor 2", True),
        ("Invoice shows the wrong total", "Invoise shows wrong total", True),
        ("Übergabe Drucker Büro", "Ubergabe: Drucker (Buro)", True),
        ("Printer on floor 2 is broken", "Printer on floor 3 is broken", False),
        ("Invoice 1001 is wrong", "Invoice 1002 is wrong", False),
        ("Cannot log in to the portal", "Cannot open the door", False),
        ("Help", "Help me", False),
        ("No go", "Not a go", False),
        ("Bug in app", "An app bug", False),
        ("App is slow", "App is not up", False),
        ("Printer broken", "Printer works again, thank you", False),
    ],
)
def test_subjects_that_say_nearly_the_same(one, other, nearly) -> None:
    assert folding.say_nearly_the_same(one, other) is nearly
    assert folding.say_nearly_the_same(other, one) is nearly


def test_duplicates_of_a_case(admin, make) -> None:
    """Nearly the same subject of one customer, open ones first; the same of another is none."""
    acme, globex = make(Account, name="Acme"), make(Account, name="Globex")
    ada = make(Contact, first_name="Ada", last_name="Lee")
    subject = "Printer on floor 2 is broken"
    case = partial(make, Case, priority="Low")
    done = case(name=subject, account=acme, status="Closed")
    near = case(name="Broken printer, floor 2", account=acme, status="New")
    case(name=subject, account=globex, status="New")
    case(name="Printer on floor 3 is broken", account=acme, status="New")
    nobodys = case(name=subject.upper(), status="New")
    hers = case(name="The printer on floor 2 broken again", status="Pending")
    hers.contacts.add(ada)

    new = {"name": "Printer on floor 2 broken!", "status": "New", "priority": "Low"}
    related = {"account": "Acme", "contacts": [str(ada.pk)]}
    made = admin("crm_create", entity="cases", data={**new, **related})
    nearly = ["name, nearly"]
    hinted = [(each["id"], each["same"]) for each in made["possible_duplicates"]]
    assert sorted(hinted[:2]) == sorted([(str(near.pk), nearly), (str(hers.pk), nearly)])
    assert hinted[2] == (str(done.pk), nearly)

    found = admin("crm_search", entity="cases", duplicates_of=str(done.pk))["records"]
    same = {each["id"]: each["same"] for each in found}
    assert same == {str(nobodys.pk): ["name"], str(near.pk): nearly, made["id"]: nearly}
    assert {"status", "account"} <= found[-1].keys()
    assert "contacts" not in found[-1]


def test_groups_of_duplicates(admin, twins) -> None:
    answer = admin("crm_search", entity="leads", duplicates_of="all")
    groups = [
        (sorted(each["same"]), {row["name"] for row in each["records"]})
        for each in answer["records"]
    ]
    assert (["email"], {"Ann Lee", "A. L."}) in groups
    assert (["first_name", "last_name"], {"Ann Lee", "ANN Lée"}) in groups
    assert all("Bob Ray" not in names for _, names in groups)


def test_groups_of_duplicates_are_of_what_is_seen(user, twins) -> None:
    assert user("crm_search", entity="leads", duplicates_of="all")["records"] == []


@pytest.mark.parametrize("others", [{"query": "x"}, {"filters": {"status": "assigned"}}])
def test_duplicates_take_nothing_else(admin, others) -> None:
    error = admin("crm_search", entity="leads", duplicates_of="all", **others)["error"]
    assert error["code"] == "invalid_arguments"


def test_all_says_why(admin, make) -> None:
    make(Lead, first_name="Ann", last_name="Lee", company_name="Zephyr GmbH")
    make(Contact, first_name="Bob", last_name="Ray", email="bob@zephyr.test")
    make(Contact, first_name="Cleo", last_name="Sun", organization="Zéphyr")
    make(Account, name="Zephyr", phone="+49 30 901820")
    answer = admin("crm_search", entity="all", query="zephyr")
    why = {each["name"]: each.get("matched") for each in answer["records"]}
    assert why == {
        "Zephyr": None,
        "Ann Lee": ["company_name"],
        "Bob Ray": ["email"],
        "Cleo Sun": ["organization"],
    }
    shown = {each["name"]: each for each in answer["records"]}
    assert shown["Ann Lee"]["company_name"] == "Zephyr GmbH"
    by_phone = admin("crm_search", entity="all", query="030 901820")
    assert [(each["name"], each["matched"]) for each in by_phone["records"]] == [
        ("Zephyr", ["phone"])
    ]


def test_all_finds_typos_where_nothing_else_is(admin, make, trigrams) -> None:
    make(Account, name="Zephyr")
    answer = admin("crm_search", entity="all", query="zepyhr")
    assert [each["name"] for each in answer["records"]] == ["Zephyr"]
    assert any("spelled alike" in note for note in answer["notes"])


def test_odd_custom_value_in_text(admin, make, alpha_admin) -> None:
    with org_context(alpha_admin.org):
        make(Contact, first_name="ﬁne", last_name="Ligature")
    assert found(admin("crm_search", entity="contacts", query="fine"), "last_name") == {"Ligature"}


def test_word_is_looked_for_once() -> None:
    assert folding.words_of("Ann ann ÁNN Lee, Ann") == ["ann", "lee"]
