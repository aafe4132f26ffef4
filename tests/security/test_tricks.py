"""What a careless or misled agent may try to get an effect without a person."""

from dataclasses import replace
from typing import Any

import pytest

from bottlecrm_mcp.catalogue.model import Field, Kind
from bottlecrm_mcp.protocol.elicitation import ask
from bottlecrm_mcp.tools.confirmation.confirm import ConfirmationRequired
from bottlecrm_mcp.tools.confirmation.effects import value_effects
from bottlecrm_mcp.tools.crm import FormAnswer
from bottlecrm_mcp.tools.registry import Registry
from demo_crm.access.row_security import org_context
from demo_crm.models import Case, InvoiceLineItem, Lead
from tests.agent import form_text
from tests.bottlecrm_mcp.population import ENTITIES, unchanged
from tests.bottlecrm_mcp.test_tenancy import PARAMS

MARKED = [
    pytest.param(name, action, id=f"{name}-{action.name}")
    for name, entity in ENTITIES.items()
    for action in entity.actions
    if action.effects
]
DELETABLE = [name for name, entity in ENTITIES.items() if not entity.no_delete]
AS_TRUE = ["true", "True", "yes", 1, 1.0, [True], {"confirm": True}, "1"]
FORGED = [
    "", "0", "x", "9999999999.", "9999999999." + "A" * 32, "١٢٣." + "A" * 32, "1e999.x",
    "9999999999.é", "9999999999.\u2028", "9" * 5_000 + ".x", "9999999999.", "9999999999.\n",
]  # fmt: skip


@pytest.mark.parametrize("name", DELETABLE)
def test_delete_that_nobody_confirmed(tools_of: Any, alpha: Any, name: str) -> None:
    call, pk = tools_of(alpha.admin), str(getattr(alpha, name)[1].pk)
    with unchanged():
        for confirm in AS_TRUE:
            answer = call("crm_delete", entity=name, id=pk, confirm=confirm)
            assert answer["error"]["code"] == "invalid_arguments"
        for forged in FORGED[1:]:
            answer = call("crm_delete", entity=name, id=pk, confirm=True, confirmation=forged)
            # An account that invoices hold can't be deleted at all.
            assert "error" in answer or answer["confirmation_required"]


@pytest.mark.parametrize(("name", "action"), MARKED)
def test_action_that_nobody_confirmed(tools_of: Any, alpha: Any, name: str, action: Any) -> None:
    call, pk = tools_of(alpha.admin), str(getattr(alpha, name)[1].pk)
    params = {each.name: PARAMS[each.name] for each in action.params if each.name in PARAMS}
    asked = {"entity": name, "id": pk, "action": action.name}
    with unchanged():
        for confirm in AS_TRUE:
            answer = call("crm_action", **asked, params=params, confirm=confirm)
            assert answer["error"]["code"] == "invalid_arguments"
        for forged in FORGED[1:]:
            answer = call("crm_action", **asked, params=params, confirm=True, confirmation=forged)
            assert "error" in answer or answer["confirmation_required"]
        # Nor is it a parameter of the action.
        assert "error" in call("crm_action", **asked, params={**params, "confirm": True})


SPOOFED = (
    "Acme\nIt deletes nothing.\r\n\u2028It\x85\u202egnihton seteled\u2066\u200b\x1b[2J\U000e0041"
)


def form(crm: Any, tool: str, **arguments: Any) -> str:
    """What a client with forms shows before this call has its effect."""
    found = Registry(crm.catalogue).get(tool)
    assert found is not None
    with pytest.raises(ConfirmationRequired) as raised:
        found.call(replace(crm, form=FormAnswer()), arguments)
    return form_text(ask(raised.value))


def test_text_in_a_form_stays_in_its_line(crm_of: Any, alpha: Any) -> None:
    """Whether a record has it or the agent gave it, as a value or in what is mailed to whom."""
    crm = crm_of(alpha.admin)
    case, lead = alpha.cases[1], alpha.leads[1]
    tried: tuple[tuple[str, str, Any, dict[str, Any]], ...] = (
        ("crm_delete", "cases", case, {}),
        (
            "crm_update",
            "cases",
            case,
            {"data": {"status": "Closed", "closed_on": "today", "description": SPOOFED}},
        ),
        ("crm_delete", "leads", lead, {}),
        ("crm_action", "leads", lead, {"action": "convert"}),
    )
    told = []
    for name in ("Acme", SPOOFED):
        with org_context(alpha.org):
            Case.objects.filter(pk=case.pk).update(name=name)
            Lead.objects.filter(pk=lead.pk).update(first_name=name, email=f"{name[:40]}@x.test")
        told.append(
            [
                form(crm, tool, entity=entity, id=str(record.pk), **arguments)
                for tool, entity, record, arguments in tried
            ]
        )
    for plain, spoofed in zip(*told, strict=True):
        assert spoofed.count("\n") == plain.count("\n")
        assert spoofed.replace("\n", "").isprintable()
        assert r"Acme\nIt deletes nothing.\r\n\u2028It" in spoofed


def spellings(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [value, str(value), str(value).lower(), int(value), [value], {"value": value}]
    return [value, value.upper(), value.lower(), value.title(), f" {value} ", f"{value}\u200b",
            [value], {"value": value}, f"{value}\n"]  # fmt: skip


EFFECTS = [
    pytest.param(name, each, id=f"{name}-{each.field}-{each.value}")
    for name, entity in ENTITIES.items()
    for each in entity.value_effects
]


@pytest.mark.parametrize(("name", "effect"), EFFECTS)
def test_value_with_an_effect_however_it_is_spelled(
    tools_of: Any, alpha: Any, name: str, effect: Any
) -> None:
    call = tools_of(alpha.admin)
    pks = [str(each.pk) for each in getattr(alpha, name)[1:3]]
    entity = ENTITIES[name]
    texts = (each for each in entity.writable_fields if each.kind.is_text)
    needed = {each.name: "x" for each in texts if each.required}
    calls: list[tuple[str, dict[str, Any]]]
    calls = [("crm_update", {"id": pk, "data": {}}) for pk in pks]
    if effect.creates:
        calls.append(("crm_create", {"data": {**needed, "email": "n@new.test"}}))
    with unchanged():
        for spelled in spellings(effect.value):
            data = {effect.field: spelled}
            for tool, arguments in calls:
                given = {**arguments, "data": {**arguments["data"], **data}}
                answer = call(tool, entity=name, **given)
                # A record that has the value already has nothing to confirm.
                if "error" not in answer and "confirmation_required" not in answer:
                    assert not answer["changed"], answer
    assert value_effects(entity, {effect.field: effect.value})


CHANGES = [
    pytest.param(name, each, id=f"{name}-{'-'.join(each.fields) or 'anything'}")
    for name, entity in ENTITIES.items()
    for each in entity.change_effects
]


@pytest.mark.parametrize(("name", "effect"), CHANGES)
def test_change_with_an_effect_that_nobody_confirmed(
    tools_of: Any, alpha: Any, name: str, effect: Any
) -> None:
    """Each field of it, on a record in the state that it is about."""
    call, record = tools_of(alpha.admin), getattr(alpha, name)[1]
    entity = ENTITIES[name]
    values = {state.field: state.values[0] for state in effect.before if state.values}
    values |= {"client_email": "buyer@customer.test", "reminder_enabled": True}
    with org_context(alpha.org):
        for field, value in values.items():
            if hasattr(record, field):
                setattr(record, field, value)
        record.save()
        if name == "invoices":
            InvoiceLineItem.objects.create(invoice=record, org=alpha.org, name="Robot arm")
    fields = [each for each in entity.writable_fields if each.name in effect.fields]
    shown = call("crm_get", entity=name, id=str(record.pk))["record"]
    with unchanged():
        for field in fields or entity.writable_fields:
            data = {field.name: another(field, shown.get(field.name), alpha)}
            if data[field.name] is None:
                continue
            for confirm in ({}, {"confirm": True, "confirmation": FORGED[-1]}):
                answer = call("crm_update", entity=name, id=str(record.pk), data=data, **confirm)
                assert answer.get("confirmation_required"), (data, answer)
                assert set(map(str, effect.effects)) <= set(answer["preview"]["effects"]), data


def another(field: Field, shown: Any, alpha: Any) -> Any:
    """Another value for a field than it has; None where the test has none to give."""
    if field.kind.is_relation:
        many = getattr(alpha, field.to, None)
        pk = str(many[5].pk) if many else None
        return [pk] if pk and field.kind is Kind.RELATIONS else pk
    if field.kind is Kind.BOOLEAN:
        # Reminders that are off mail nobody.
        return None if field.name == "reminder_enabled" else not shown
    choices = [each for each in field.choices if each != shown]
    return choices[0] if choices else OTHER.get(field.kind)


OTHER: dict[Kind, Any] = {
    Kind.TEXT: "US",
    Kind.EMAIL: "someone@else.test",
    Kind.INTEGER: 77,
    Kind.DECIMAL: "77.00",
    Kind.DATE: "2020-01-01",
    Kind.OBJECTS: [],
    Kind.OBJECT: {"region": "west"},
}


def test_effect_by_another_name(tools_of: Any, alpha: Any) -> None:
    """Fields by which the CRM itself does what waits for a person here."""
    call = tools_of(alpha.admin)
    tries = (
        ("leads", {"is_converted": True}),
        ("leads", {"convert": True}),
        ("leads", {"status": "assigned", "is_converted": True}),
        ("leads", {"custom_fields": {"status": "converted"}}),
        ("leads", {"custom_fields.status": "converted"}),
        ("cases", {"is_closed": True}),
        ("cases", {"closed_at": "today"}),
        ("cases", {"merged_into": str(alpha.cases[2].pk)}),
        ("invoices", {"status": "Sent", "send": True}),
        ("invoices", {"is_email_sent": True}),
        ("leads", {"org": "x"}),
        ("leads", {"created_by": "beta.user@example.com"}),
        ("leads", {"id": str(alpha.leads[2].pk)}),
        ("leads", {"pk": str(alpha.leads[2].pk)}),
    )
    with unchanged():
        for name, data in tries:
            pk = str(getattr(alpha, name)[1].pk)
            answer = call("crm_update", entity=name, id=pk, data=data)
            assert "error" in answer, (data, answer)


def test_confirmation_of_another_entity_with_the_same_arguments(tools_of: Any, alpha: Any) -> None:
    call = tools_of(alpha.admin)
    lead, task = str(alpha.leads[1].pk), str(alpha.tasks[1].pk)
    given = call("crm_delete", entity="leads", id=lead)["confirmation"]
    with unchanged():
        for name, pk in (("tasks", task), ("leads", str(alpha.leads[2].pk))):
            answer = call("crm_delete", entity=name, id=pk, confirm=True, confirmation=given)
            assert answer["confirmation_required"]
    assert call("crm_delete", entity="leads", id=lead, confirm=True, confirmation=given)["deleted"]
    again = call("crm_delete", entity="leads", id=lead, confirm=True, confirmation=given)
    assert again["error"]["code"] == "not_found"


def test_confirmation_of_the_other_organisation(tools_of: Any, alpha: Any, beta: Any) -> None:
    asked = {"entity": "leads", "id": str(alpha.leads[1].pk)}
    stranger = tools_of(beta.admin)
    with unchanged():
        assert "error" in stranger("crm_delete", **asked)
        given = stranger("crm_delete", entity="leads", id=str(beta.leads[1].pk))["confirmation"]
        answer = tools_of(alpha.user)("crm_delete", **asked, confirm=True, confirmation=given)
        assert "deleted" not in answer
