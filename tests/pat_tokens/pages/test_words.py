"""What the pages say of events and of the policy."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pat_tokens.models import Event, Policy, Token
from pat_tokens.pages.event_words import said_of
from pat_tokens.rls import in_organisation
from pat_tokens.services.policy import policy_of
from pat_tokens.services.policy_effects import effects_of

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("facts", "text", "more"),
    [
        (
            {"tool": "crm_update", "entity": "opportunities", "outcome": "done", "detail": "stage"},
            "Claude changed the stage of an opportunity",
            "",
        ),
        (
            {
                "tool": "crm_update",
                "entity": "tasks",
                "outcome": "done",
                "detail": "title, due_date, assigned_to, custom_fields.region",
            },
            "Claude changed 4 fields of a task",
            "Title, due date, assignees, region",
        ),
        (
            {"tool": "crm_action", "entity": "cases", "outcome": "done", "detail": "close"},
            "Claude did “close” on a case",
            "",
        ),
        (
            {"tool": "crm_update", "entity": "contacts", "outcome": "done"},
            "Claude changed nothing of a contact",
            "",
        ),
        (
            {"tool": "crm_update", "entity": "contacts", "outcome": "conflict"},
            "Claude tried to change a contact: the state of the record did not allow it",
            "",
        ),
        (
            {"tool": "crm_create", "entity": "tasks", "outcome": "policy"},
            "Claude tried to add a task: the organisation lets no token do that now",
            "",
        ),
        (
            {"tool": "crm_create", "entity": "leads", "outcome": "done", "detail": "title, email"},
            "Claude added a lead",
            "Title, email",
        ),
        (
            {"tool": "crm_action", "entity": "leads", "outcome": "done"},
            "Claude acted on a lead",
            "",
        ),
        (
            {"tool": "crm_delete", "entity": "leads", "outcome": "declined"},
            "Claude tried to delete a lead: the person said no",
            "",
        ),
        (
            {"tool": "crm_action", "entity": "cases", "outcome": "some_code"},
            "Claude tried to act on a case: some code",
            "",
        ),
        (
            {
                "tool": "crm_action",
                "entity": "invoices",
                "outcome": "declined",
                "detail": "add_payment",
            },
            "Claude tried to do “add payment” on an invoice: the person said no",
            "",
        ),
        (
            {"tool": "crm_create", "entity": "tasks", "outcome": "repeated"},
            "Claude added a task before; the same call again did nothing",
            "",
        ),
    ],
)
def test_writes(facts, text, more) -> None:
    said = said_of(Event(kind=Event.Kind.WRITE, token_name="Claude", **facts))
    assert (said.text, said.more) == (text, more)


def test_change_of_the_policy() -> None:
    detail = (
        "agents: on → off, max_lifetime_days: None → 45, client_hosts: [] → ['a.example', 'b'], "
        "clients: any → listed, max_deletes: 30 → None"
    )
    said = said_of(Event(kind=Event.Kind.POLICY, detail=detail))
    assert said.more == (
        "What tokens may do: Read and write → Nothing: tokens are switched off; "
        "Longest life of a token: no limit → 45 days; "
        "Hosts whose clients may connect: none → a.example, b; "
        "Who may connect by signing a person in: Any client → Clients of listed hosts; "
        "Deletes of one token in a day: 30 → the server's default"
    )


@pytest.mark.parametrize(
    ("kind", "detail", "more"),
    [
        (
            "connected",
            "claude.ai: leads:read leads:write task",
            "Vouched for by claude.ai. It may do: Leads: read and write",
        ),
        ("connected", "unverified: *:read", "Its name is unverified. It may do: Read only"),
        ("refused", "This token lacks the scope leads:write.", "This token may not change leads."),
        (
            "refused",
            "This token lacks the scope custom-fields:read.",
            "This token may not look at custom fields.",
        ),
        ("refused", "This token is paused.", "This token is paused."),
    ],
)
def test_no_scopes_are_named(kind, detail, more) -> None:
    assert said_of(Event(kind=kind, detail=detail)).more == more


def test_record_is_linked_where_its_page_is_known(settings) -> None:
    facts = {"entity": "opportunities", "record_id": "3f2a0c1b-0000-4000-8000-000000000000"}
    event = Event(kind=Event.Kind.WRITE, tool="crm_update", outcome="done", **facts)
    assert (said_of(event).record, said_of(event).record_url) == ("Opportunity 3f2a0c1b", "")
    settings.FRONTEND_URL = "https://app.example.com/"
    address = f"https://app.example.com/pipeline/{facts['record_id']}"
    assert said_of(event).record_url == address
    event.tool = "crm_delete"
    assert not said_of(event).record_url


def test_counted_refusals() -> None:
    event = Event(kind=Event.Kind.REFUSED)
    event.times = 12
    assert said_of(event).text == "12 times refused"


def test_every_kind_is_in_words() -> None:
    for kind in Event.Kind.values:
        assert said_of(Event(kind=kind)).text


@pytest.mark.parametrize(
    ("agent", "shown"),
    [(CHROME, "Chrome 140"), ("Mozilla/5.0", "A browser"), ("curl/8", "curl/8"), ("", "")],
)
def test_program(agent, shown) -> None:
    assert said_of(Event(kind=Event.Kind.CREATED, client=agent)).client == shown


def test_effects_of_a_policy(issue, alpha_admin, alpha_user, beta_user) -> None:
    issue(alpha_user, scopes=["*:read"])
    issue(alpha_user, scopes=["*:read", "leads:write"])
    issue(alpha_user, scopes=["*:read"], expires_at=timezone.now())
    old, _ = issue(alpha_admin)
    issue(beta_user)
    with in_organisation(alpha_user.org_id):
        long_ago = timezone.now() - timedelta(days=100)
        Token.objects.filter(pk=old.pk).update(created_at=long_ago)
    effects = effects_of(policy_of(alpha_user.org_id))
    said = "2 tokens and 0 clients that may write could then only read."
    assert effects["agents"][Policy.Agents.READ_ONLY] == said
    assert effects["agents"][Policy.Agents.OFF].startswith("3 tokens and 0 clients would be")
    assert effects["max_lifetime_days"] == "30 days would end 1 token, 90 days would end 1 token."
    assert "no token is older" in effects_of(policy_of(beta_user.org_id))["max_lifetime_days"]
