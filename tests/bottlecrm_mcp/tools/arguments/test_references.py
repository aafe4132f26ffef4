import pytest

from demo_crm.access.row_security import org_context
from demo_crm.models import Account, Contact, Profile, User
from tests.bottlecrm_mcp.population import unchanged


def assigned(call, who):
    answer = call("crm_search", entity="leads", filters={"assigned_to": who})
    return answer.get("filters", {}).get("assigned_to", answer.get("error"))


@pytest.mark.parametrize(
    ("who", "name"),
    [
        ("me", "Alpha User"),
        ("Me", "Alpha User"),
        ("alpha.admin@example.com", "Alpha Admin"),
        ("ALPHA.ADMIN@EXAMPLE.COM", "Alpha Admin"),
        ("Alpha Colleague1", "Alpha Colleague1"),
        (" alpha colleague1 ", "Alpha Colleague1"),
        ("colleague1", "Alpha Colleague1"),
        ("adm", "Alpha Admin"),
    ],
)
def test_people(user, alpha, who, name) -> None:
    assert assigned(user, who)["name"] == name


def test_person_by_id(user, alpha) -> None:
    pk = str(alpha.people[3].pk)
    for value in (pk, pk.upper(), {"id": pk}):
        assert assigned(user, value) == {"id": pk, "name": "Alpha Colleague1"}


def test_several_people(user, alpha) -> None:
    names = [each["name"] for each in assigned(user, ["me", "alpha.admin@example.com"])]
    assert names == ["Alpha User", "Alpha Admin"]


def test_creator_is_a_user(user, alpha) -> None:
    answer = user("crm_search", entity="leads", filters={"created_by": "me"})
    assert answer["filters"]["created_by"]["id"] == str(alpha.user.user.pk)
    assert answer["total"] == 4


def test_ambiguous_person(user, alpha) -> None:
    error = assigned(user, "Alpha Colleague")
    assert error["code"] == "ambiguous"
    told = {(each["name"], each["email"]) for each in error["candidates"]}
    assert ("Alpha Colleague1", "alpha.colleague1@example.com") in told
    assert len(told) == 3


def test_namesakes_are_told_apart_by_e_mail(user, alpha) -> None:
    for number in range(2):
        namesake = User.objects.create(email=f"twin{number}@example.com", name="Ann Twin")
        Profile.objects.create(user=namesake, org=alpha.org)
    error = assigned(user, "Ann Twin")
    assert error["code"] == "ambiguous"
    assert {each["email"] for each in error["candidates"]} == {
        "twin0@example.com",
        "twin1@example.com",
    }
    assert assigned(user, "twin1@example.com")["name"] == "Ann Twin"


def test_unknown_person(user, alpha) -> None:
    message = str(assigned(user, "Alpha Coleague1"))
    assert "Nearest" in message
    assert "Alpha Colleague1" in message


def test_inactive_people_are_not_offered(user, alpha) -> None:
    Profile.objects.filter(pk=alpha.people[4].pk).update(is_active=False)
    data = {"company_name": "X", "assigned_to": "Colleague2"}
    assert "error" in user("crm_create", entity="leads", data=data)


@pytest.mark.parametrize("value", ["Alpha tag 1", "alpha TAG 1"])
def test_tag(user, alpha, value) -> None:
    answer = user("crm_search", entity="leads", filters={"tags": value})
    assert answer["filters"]["tags"] == {"id": str(alpha.tags[1].pk), "name": "Alpha tag 1"}


def test_nearest_tag(user, alpha) -> None:
    answer = user("crm_search", entity="leads", filters={"tags": "Alpha tug 1"})
    assert "Alpha tag 1" in str(answer["error"]["fields"])


def accounts(alpha, *names, creator=None):
    owner = {"org": alpha.org, "created_by": (creator or alpha.user).user}
    with org_context(alpha.org):
        return [Account.objects.create(name=name, **owner) for name in names]


def contact_of(call, account):
    data = {"first_name": "Ann", "last_name": "Lee", "account": account}
    return call("crm_create", entity="contacts", data=data)


def test_exact_name_wins_over_longer_ones(user, alpha) -> None:
    accounts(alpha, "Acme Corp", "Acme Corp Holding", "Acme Corp Europe")
    assert contact_of(user, "ACME corp")["record"]["account"]["name"] == "Acme Corp"


def test_exact_name_wins_over_many_newer_ones(user, alpha) -> None:
    accounts(alpha, "Acme Corp", *(f"Acme Corp {number}" for number in range(12)))
    assert contact_of(user, "Acme Corp")["record"]["account"]["name"] == "Acme Corp"


def test_single_match_by_its_beginnings(user, alpha) -> None:
    accounts(alpha, "Acme Corporation")
    assert contact_of(user, "acme corp")["record"]["account"]["name"] == "Acme Corporation"


def test_ambiguous_account(user, alpha) -> None:
    accounts(alpha, *(f"Acme {number}" for number in range(7)))
    with unchanged():
        error = contact_of(user, "Acme")["error"]
    assert error["code"] == "ambiguous"
    assert len(error["candidates"]) == 5
    assert len({each["name"] for each in error["candidates"]}) == 5


def test_namesakes_are_told_apart_by_other_fields(user, alpha) -> None:
    owner = {"org": alpha.org, "created_by": alpha.user.user}
    with org_context(alpha.org):
        for number in range(2):
            Contact.objects.create(
                first_name="Ann", last_name="Twin", email=f"twin{number}@x.test", **owner
            )
    data = {"name": "Deal", "contacts": ["Ann Twin"]}
    error = user("crm_create", entity="opportunities", data=data)["error"]
    assert {each["email"] for each in error["candidates"]} == {"twin0@x.test", "twin1@x.test"}


def test_unknown_account_names_the_nearest(user, alpha) -> None:
    accounts(alpha, "Acme Corporation")
    with unchanged():
        error = contact_of(user, "Acme Korporation")["error"]
    assert "Acme Corporation" in str(error)


def test_account_out_of_role_is_neither_used_nor_named(user, alpha) -> None:
    accounts(alpha, "Acme Corp", creator=alpha.admin)
    with unchanged():
        for name in ("Acme Corp", "Acme Korp", "acme"):
            error = contact_of(user, name)["error"]
            assert "Acme Corp" not in str(error).replace(f"'{name}'", "")


def test_name_that_looks_like_an_id(user, alpha) -> None:
    error = contact_of(user, "123e4567-e89b-12d3-a456")["error"]
    assert error["code"] == "invalid_value"


def test_parameter_by_name(user, alpha) -> None:
    case = {"entity": "cases", "id": str(alpha.cases[1].pk), "action": "link_solution"}
    answer = user("crm_action", **case, params={"solution_id": "alphaseen title odd 1"})
    assert answer["action"] == "link_solution"


def test_ambiguous_parameter(user, alpha) -> None:
    case = {"entity": "cases", "id": str(alpha.cases[1].pk), "action": "link_solution"}
    with unchanged():
        error = user("crm_action", **case, params={"solution_id": "alphaseen title"})["error"]
    assert error["code"] == "ambiguous"
    assert len(error["candidates"]) == 5
