"""An effect happens once, for who was shown it, as it was shown, and soon after."""

import time
from types import SimpleNamespace
from typing import Any

import mcp_types as types
import pytest
from django.core.cache import cache
from mcp.server import request_state
from mcp.shared.exceptions import MCPError

from bottlecrm_mcp.tools.confirmation import seal
from demo_crm.access.row_security import org_context
from demo_crm.models import Invoice, InvoiceLineItem, Lead, Task
from pat_tokens.models import Event
from tests.agent import LEGACY, Agent, Json, Person, form_text, text_of

REFUSED = "Invalid or expired requestState"


@pytest.fixture
def sealed(settings: Any) -> None:
    """The policy under which the confirmation string has to come back."""
    settings.BOTTLECRM_MCP = {**settings.BOTTLECRM_MCP, "CONFIRMATION": "sealed"}


@pytest.fixture
def shared(alpha: Any) -> SimpleNamespace:
    """A lead, a task and an invoice that both members of the organisation may change."""
    with org_context(alpha.org):
        return SimpleNamespace(
            lead=str(alpha.leads[2].pk), other=str(alpha.leads[1].pk), task=str(alpha.tasks[2].pk)
        )


def convert(lead: str) -> Json:
    return {"entity": "leads", "id": lead, "action": "convert"}


def convert_by_update(lead: str) -> Json:
    return {"entity": "leads", "id": lead, "data": {"status": "converted"}}


def status(alpha: Any, lead: str) -> str | None:
    with org_context(alpha.org):
        return Lead.objects.get(pk=lead).status


def rename(alpha: Any, lead: str) -> None:
    with org_context(alpha.org):
        Lead.objects.filter(pk=lead).update(last_name="Married")


def later(monkeypatch: Any, module: Any, seconds: int) -> None:
    monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: time.time() + seconds))


def shown_to(live: Any, profile: Any, tool: str, **arguments: Any) -> str:
    """The confirmation string of a preview that this person was shown."""

    async def steps(agent: Agent) -> str:
        shown = await agent(tool, **arguments)
        assert shown["confirmation_required"]
        return shown["confirmation"]

    return live(profile, steps, era=LEGACY)


def confirmed(live: Any, profile: Any, tool: str, **arguments: Any) -> Json:
    async def steps(agent: Agent) -> Json:
        return await agent(tool, **arguments, confirm=True)

    return live(profile, steps, era=LEGACY)


def test_confirm_alone_is_enough_by_default(live: Any, alpha: Any, shared: Any) -> None:
    answer = confirmed(live, alpha.user, "crm_action", **convert(shared.lead))
    assert answer["result"]["account_id"]
    assert status(alpha, shared.lead) == "converted"


def test_confirm_alone_is_not_enough_when_sealed(
    live: Any, alpha: Any, shared: Any, sealed: None
) -> None:
    answer = confirmed(live, alpha.user, "crm_action", **convert(shared.lead))
    assert answer["confirmation_required"]
    assert status(alpha, shared.lead) != "converted"


def test_confirmation_alone_is_not_enough(live: Any, alpha: Any, shared: Any) -> None:
    given = shown_to(live, alpha.user, "crm_action", **convert(shared.lead))
    again = {**convert(shared.lead), "confirmation": given}
    assert shown_to(live, alpha.user, "crm_action", **again)
    assert status(alpha, shared.lead) != "converted"


def test_confirmation_that_fits(live: Any, alpha: Any, shared: Any, sealed: None) -> None:
    given = shown_to(live, alpha.user, "crm_action", **convert(shared.lead))
    answer = confirmed(live, alpha.user, "crm_action", **convert(shared.lead), confirmation=given)
    assert answer["result"]["account_id"]


@pytest.mark.parametrize("case", ["caller", "tool", "arguments", "version", "age", "made up"])
def test_confirmation_that_does_not_fit(
    live: Any, alpha: Any, shared: Any, monkeypatch: Any, case: str
) -> None:
    lead = shared.lead
    given = shown_to(live, alpha.user, "crm_action", **convert(lead))
    if case == "caller":
        given = shown_to(live, alpha.admin, "crm_action", **convert(lead))
    elif case == "tool":
        given = shown_to(live, alpha.user, "crm_update", **convert_by_update(lead))
    elif case == "arguments":
        given = shown_to(live, alpha.user, "crm_action", **convert(shared.other))
    elif case == "version":
        rename(alpha, lead)
    elif case == "age":
        later(monkeypatch, seal, seal.LIFETIME + 1)
    else:
        given = given[:-1] + ("A" if given[-1] != "A" else "B")
    before = status(alpha, lead)
    answer = confirmed(live, alpha.user, "crm_action", **convert(lead), confirmation=given)
    assert answer["confirmation_required"]
    assert status(alpha, lead) == before


def sent_invoice(alpha: Any) -> str:
    """An invoice that was sent before: sending it again changes none of its fields."""
    with org_context(alpha.org):
        invoice = alpha.invoices[1]
        Invoice.objects.filter(pk=invoice.pk).update(
            status="Sent", client_email="buyer@customer.test", contact=alpha.contacts[1]
        )
    return str(invoice.pk)


def sends(alpha: Any) -> Any:
    with org_context(alpha.org):
        return Invoice.objects.get(pk=alpha.invoices[1].pk).sent_at


def test_effect_that_mails_takes_a_confirmation_once(live: Any, alpha: Any) -> None:
    send = {"entity": "invoices", "id": sent_invoice(alpha), "action": "send"}
    given = shown_to(live, alpha.admin, "crm_action", **send)
    first = confirmed(live, alpha.admin, "crm_action", **send, confirmation=given)
    assert first["result"]["record"]["status"] == "Sent"
    moment = sends(alpha)
    second = confirmed(live, alpha.admin, "crm_action", **send, confirmation=given)
    assert second["confirmation_required"]
    assert sends(alpha) == moment


def test_change_of_what_lists_do_not_show(live: Any, alpha: Any) -> None:
    """The notes of an invoice are in no list, and the customer gets them."""
    send = {"entity": "invoices", "id": sent_invoice(alpha), "action": "send"}
    given = shown_to(live, alpha.admin, "crm_action", **send)
    with org_context(alpha.org):
        Invoice.objects.filter(pk=send["id"]).update(notes="Pay to another account!")
    answer = confirmed(live, alpha.admin, "crm_action", **send, confirmation=given)
    assert answer["confirmation_required"]


def test_change_of_what_lists_do_not_show_before_a_delete(
    live: Any, alpha: Any, shared: Any
) -> None:
    delete = {"entity": "tasks", "id": shared.task}
    given = shown_to(live, alpha.admin, "crm_delete", **delete)
    with org_context(alpha.org):
        Task.objects.filter(pk=shared.task).update(description="Do not delete, see Sam.")
    answer = confirmed(live, alpha.admin, "crm_delete", **delete, confirmation=given)
    assert answer["confirmation_required"]


YES = {"confirm": types.ElicitResult(action="accept", content={"confirm": True})}


async def asked(agent: Agent, tool: str, **arguments: Any) -> str:
    """The state of the form that the client is asked to show."""
    result = await agent.client.session.call_tool(tool, arguments, allow_input_required=True)
    assert isinstance(result, types.InputRequiredResult)
    assert result.request_state
    return result.request_state


async def answered(
    agent: Agent, state: str | None, tool: str, *, form: Any = YES, **arguments: Any
) -> types.CallToolResult | types.InputRequiredResult:
    return await agent.client.session.call_tool(
        tool, arguments, input_responses=form, request_state=state, allow_input_required=True
    )


@pytest.fixture
def modern(live: Any, alpha: Any) -> Any:
    """Runs steps with an agent whose client has forms; the test answers them itself."""

    def run(steps: Any, profile: Any = None) -> Any:
        return live(profile or alpha.user, steps, person=Person())

    return run


def test_form_that_fits(modern: Any, alpha: Any, shared: Any) -> None:
    async def steps(agent: Agent) -> Any:
        state = await asked(agent, "crm_action", **convert(shared.lead))
        return await answered(agent, state, "crm_action", **convert(shared.lead))

    result = modern(steps)
    assert result.structured_content["result"]["account_id"]


@pytest.mark.parametrize("case", ["tampered", "caller", "tool", "arguments", "age"])
def test_state_that_does_not_fit(
    modern: Any, alpha: Any, shared: Any, monkeypatch: Any, case: str
) -> None:
    lead = shared.lead

    async def foreign(agent: Agent) -> str:
        return await asked(agent, "crm_action", **convert(lead))

    other = modern(foreign, alpha.admin)

    async def steps(agent: Agent) -> MCPError:
        state = await asked(agent, "crm_action", **convert(lead))
        if case == "tampered":
            state = state[:20] + ("A" if state[20] != "A" else "B") + state[21:]
        elif case == "caller":
            state = other
        elif case == "tool":
            state = await asked(agent, "crm_update", **convert_by_update(lead))
        elif case == "arguments":
            state = await asked(agent, "crm_action", **convert(shared.other))
        else:
            later(monkeypatch, request_state, 601)
        with pytest.raises(MCPError) as raised:
            await answered(agent, state, "crm_action", **convert(lead))
        return raised.value

    before = status(alpha, lead)
    error = modern(steps)
    assert (error.code, error.message) == (types.INVALID_PARAMS, REFUSED)
    assert status(alpha, lead) == before


def test_form_about_an_older_version_is_shown_again(modern: Any, alpha: Any, shared: Any) -> None:
    states: list[str] = []

    async def first(agent: Agent) -> None:
        states.append(await asked(agent, "crm_action", **convert(shared.lead)))

    async def second(agent: Agent) -> Any:
        return await answered(agent, states[0], "crm_action", **convert(shared.lead))

    modern(first)
    rename(alpha, shared.lead)
    again = modern(second)
    assert isinstance(again, types.InputRequiredResult)
    assert "Married" in form_text(again)
    assert status(alpha, shared.lead) != "converted"


def test_form_of_an_effect_that_mails_counts_once(modern: Any, alpha: Any) -> None:
    send = {"entity": "invoices", "id": sent_invoice(alpha), "action": "send"}

    async def steps(agent: Agent) -> Any:
        state = await asked(agent, "crm_action", **send)
        first = await answered(agent, state, "crm_action", **send)
        assert isinstance(first, types.CallToolResult)
        assert first.structured_content["result"]["record"]["status"] == "Sent"
        return await answered(agent, state, "crm_action", **send)

    assert isinstance(modern(steps, alpha.admin), types.InputRequiredResult)


DECLINED = [
    {"confirm": types.ElicitResult(action="decline")},
    {"confirm": types.ElicitResult(action="cancel")},
    {"confirm": types.ElicitResult(action="accept", content={"confirm": False})},
    {"confirm": types.ElicitResult(action="accept", content={})},
    {"confirm": types.ElicitResult(action="accept", content={"confirm": "true"})},
]


@pytest.mark.parametrize("form", DECLINED)
def test_declined_means_declined(modern: Any, alpha: Any, shared: Any, form: Any) -> None:
    arguments = {**convert(shared.lead), "confirm": True}

    async def steps(agent: Agent) -> Any:
        # The argument of the agent decides nothing where the person has a form.
        state = await asked(agent, "crm_action", **arguments)
        return await answered(agent, state, "crm_action", form=form, **arguments)

    result = modern(steps)
    # A form that is closed may have been seen by nobody.
    is_closed = form["confirm"].action == "cancel"
    assert result.structured_content["declined"] is not is_closed
    told = "Ask the person" if is_closed else "The person declined"
    assert told in result.structured_content["next"]
    assert status(alpha, shared.lead) != "converted"
    with org_context(alpha.org):
        assert [each.outcome for each in Event.objects.filter(kind="write")] == ["declined"]


@pytest.mark.parametrize("form", DECLINED)
def test_form_that_was_declined_is_not_agreed_to_later(
    modern: Any, alpha: Any, shared: Any, form: Any
) -> None:
    states: list[str] = []

    async def decline(agent: Agent) -> Any:
        states.append(await asked(agent, "crm_action", **convert(shared.lead)))
        return await answered(agent, states[0], "crm_action", form=form, **convert(shared.lead))

    async def agree(agent: Agent) -> Any:
        return await answered(agent, states[0], "crm_action", **convert(shared.lead))

    modern(decline)
    again = modern(agree)
    assert isinstance(again, types.InputRequiredResult), "a new form, for another answer"
    assert status(alpha, shared.lead) != "converted"


def test_declined_although_nothing_needs_a_confirmation_any_more(modern: Any, alpha: Any) -> None:
    """What the form was about is gone, and the change would now be made without one."""
    pk = str(alpha.invoices[8].pk)
    with org_context(alpha.org):
        Invoice.objects.filter(pk=pk).update(status="Draft")
        line = InvoiceLineItem.objects.create(invoice_id=pk, org=alpha.org, name="Robot arm")
    change = {"entity": "invoices", "id": pk, "data": {"line_items": [{"name": "Gripper"}]}}
    states: list[str] = []

    async def ask(agent: Agent) -> None:
        states.append(await asked(agent, "crm_update", **change))

    async def decline(agent: Agent) -> Any:
        return await answered(agent, states[0], "crm_update", form=DECLINED[0], **change)

    modern(ask, alpha.admin)
    with org_context(alpha.org):
        line.delete()
    assert modern(decline, alpha.admin).structured_content["declined"] is True
    with org_context(alpha.org):
        assert not InvoiceLineItem.objects.filter(invoice_id=pk).exists()


@pytest.mark.parametrize("form", [YES, DECLINED[0]])
def test_answer_that_can_not_be_remembered(
    modern: Any, alpha: Any, shared: Any, monkeypatch: Any, form: Any
) -> None:
    def down(*args: Any, **options: Any) -> None:
        raise ConnectionError("no cache")

    async def steps(agent: Agent) -> Any:
        state = await asked(agent, "crm_action", **convert(shared.lead))
        with monkeypatch.context() as patch:
            patch.setattr(cache, "add", down)
            return await answered(agent, state, "crm_action", form=form, **convert(shared.lead))

    result = modern(steps)
    assert result.is_error
    assert '"unavailable"' in text_of(result)
    assert status(alpha, shared.lead) != "converted"


@pytest.mark.parametrize("effect", ["convert", "send"])
def test_confirmation_counts_once(live: Any, alpha: Any, effect: str) -> None:
    """Of what mails and of what does not: the record is as it was when it is used again."""
    if effect == "convert":
        record = alpha.leads[1]
        tool, arguments = "crm_update", convert_by_update(str(record.pk))
    else:
        sent_invoice(alpha)
        record = alpha.invoices[1]
        send = {"entity": "invoices", "id": str(record.pk), "action": "send"}
        tool, arguments = "crm_action", send
    given = shown_to(live, alpha.admin, tool, **arguments)
    with org_context(alpha.org):
        (before,) = type(record).objects.filter(pk=record.pk).values()
    confirmed(live, alpha.admin, tool, **arguments, confirmation=given)
    with org_context(alpha.org):
        type(record).objects.filter(pk=record.pk).update(**before)
    again = confirmed(live, alpha.admin, tool, **arguments, confirmation=given)
    assert again["confirmation_required"]


@pytest.mark.parametrize("stateless", [True, False])
def test_answer_to_no_question(modern: Any, alpha: Any, shared: Any, stateless: bool) -> None:
    """An agreement without its state, and a state without its agreement."""

    async def steps(agent: Agent) -> Any:
        state = await asked(agent, "crm_action", **convert(shared.lead))
        form = YES if stateless else {"something": YES["confirm"]}
        return await answered(
            agent, None if stateless else state, "crm_action", form=form, **convert(shared.lead)
        )

    assert isinstance(modern(steps), types.InputRequiredResult)
    assert status(alpha, shared.lead) != "converted"


def test_preview_of_the_arguments_is_no_answer_to_a_form(
    live: Any, modern: Any, alpha: Any, shared: Any
) -> None:
    """A confirmation string from a client without forms does not stand in for the form."""
    given = shown_to(live, alpha.user, "crm_action", **convert(shared.lead))

    async def steps(agent: Agent) -> str:
        seal = {"confirm": True, "confirmation": given}
        return await asked(agent, "crm_action", **convert(shared.lead), **seal)

    assert modern(steps)
    assert status(alpha, shared.lead) != "converted"
