import pytest

from bottlecrm_mcp.tools.truncation import size
from demo_crm.access.row_security import org_context
from demo_crm.models import CustomFieldDefinition
from tests.bottlecrm_mcp.population import ENTITIES, NAMES
from tests.whole_crm.catalogue import CATALOGUE


def field(described, name):
    return next(each for each in described["fields"] if each["name"] == name)


@pytest.mark.parametrize("name", NAMES)
def test_every_field(user, name) -> None:
    described = user("crm_describe", entity=name)
    assert described["source"] == "live"
    writable = [each.name for each in ENTITIES[name].writable_fields]
    assert [each["name"] for each in described["fields"]][: len(writable)] == writable
    published = {each.name for each in ENTITIES[name].fields}
    assert set(described["read_only"]) == published - set(writable)
    required = {each["name"] for each in described["fields"] if each.get("required")}
    assert required >= {each.name for each in ENTITIES[name].fields if each.required}


def test_choices_and_limits_are_the_serializers(user) -> None:
    leads = user("crm_describe", entity="leads")
    assert "in process" in str(field(leads, "status")["choices"])
    assert field(leads, "probability")["maximum"] == 100
    assert field(user("crm_describe", entity="cases"), "name")["max_length"] == 64


def test_custom_fields_of_the_organisation(user, two_orgs) -> None:
    for org, key in ((two_orgs.alpha, "region"), (two_orgs.beta, "secret")):
        with org_context(org):
            CustomFieldDefinition.objects.create(
                org=org, target_model="Lead", key=key, label=key, field_type="text"
            )
    names = [each["name"] for each in user("crm_describe", entity="leads")["fields"]]
    assert "custom_fields.region" in names
    assert "custom_fields.secret" not in names


def test_effects_are_announced(user) -> None:
    notes = " ".join(user("crm_describe", entity="leads")["notes"])
    assert "converted" in notes
    listed = user("list_actions", entity="invoices")["actions"]["invoices"]
    actions = {each["name"]: each for each in listed}
    assert actions["send"]["needs_confirmation"] is True
    assert actions["add_comment"]["needs_confirmation"] is False


def test_list_actions(user) -> None:
    every = user("list_actions")["actions"]
    for entity in CATALOGUE.entities:
        in_short = [names for on, names in every.items() if entity.name in on.split(", ")]
        short = {name.removesuffix("!") for names in in_short for name in names}
        full = user("list_actions", entity=entity.name)["actions"][entity.name]
        assert [each["name"] for each in full] == [each.name for each in entity.actions]
        assert short == {each["name"] for each in full}


def test_shared_actions_are_told_once(user) -> None:
    answer = user("list_actions")
    assert str(answer).count("delete_attachment") == 1
    assert "convert!" in answer["actions"]["leads"]
    assert size(answer) <= 5_000


def test_choices_come_bare_where_their_labels_say_no_more(user) -> None:
    invoices = user("crm_describe", entity="invoices")
    assert "EUR" in field(invoices, "currency")["choices"]
    assert "tax_rate" in invoices["read_only"]["total_amount"]


@pytest.mark.parametrize("tool", ["crm_describe", "list_actions"])
def test_unknown_entity(user, tool) -> None:
    error = user(tool, entity="caze")["error"]
    assert error["code"] == "unknown_entity"
    assert "'cases'" in error["message"]


def test_no_entity_is_all_but_an_empty_one_is_none(admin) -> None:
    assert len(admin("list_actions")["actions"]) > 1
    error = admin("list_actions", entity="")["error"]
    assert error["code"] == "unknown_entity"
    assert "leads" in error["message"]
