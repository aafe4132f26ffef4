import pytest
from django.db import ProgrammingError, transaction

from pat_tokens.audit import events as log
from pat_tokens.audit.source import Source, coming_from
from pat_tokens.audit.usage import record_use
from pat_tokens.models import Event


def enter(owner, **facts) -> Event:
    return log.record(Event.Kind.WRITE, org_id=owner.org_id, by=owner, **facts)


def test_entry(alpha_user, issue, events) -> None:
    token, _ = issue(alpha_user)
    with coming_from(Source("203.0.113.7", "Client/1")):
        enter(alpha_user, token=token, tool="crm_update", entity="leads", record_id="7")
    (entry,) = events(alpha_user.org)
    assert (entry.actor, entry.actor_id) == (alpha_user.user.email, str(alpha_user.pk))
    assert (entry.token_id, entry.token_name) == (token.pk, "Laptop")
    assert (entry.address, entry.client) == ("203.0.113.7", "Client/1")
    assert (entry.tool, entry.entity, entry.record_id) == ("crm_update", "leads", "7")


def test_long_facts_are_cut(alpha_user, events) -> None:
    enter(alpha_user, detail="x" * 1000, tool="y" * 1000)
    (entry,) = events(alpha_user.org)
    assert (len(entry.detail), len(entry.tool)) == (255, 50)


def test_log_is_the_organisations(alpha_user, beta_user, org_context) -> None:
    enter(alpha_user)
    assert not Event.objects.exists()
    with org_context(beta_user.org):
        assert not Event.objects.exists()


def test_entries_cannot_be_changed_or_removed(alpha_user, org_context) -> None:
    entry = enter(alpha_user)
    with org_context(alpha_user.org):
        assert Event.objects.filter(pk=entry.pk).update(detail="never happened") == 0
        Event.objects.filter(pk=entry.pk).delete()
        assert Event.objects.get().detail == ""


def test_no_entry_for_another_organisation(alpha_user, beta_user, org_context) -> None:
    with (
        org_context(beta_user.org),
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
    ):
        Event.objects.create(org_id=alpha_user.org_id, kind=Event.Kind.WRITE)


def test_use_from_a_new_address_is_logged_once(alpha_user, issue, stored, events) -> None:
    token, _ = issue(alpha_user)
    for address in ("203.0.113.7", "203.0.113.8", "203.0.113.7"):
        fresh = stored(token)
        fresh.last_used_at = None
        with coming_from(Source(address, "Client/1")):
            record_use(fresh)
    logged = events(alpha_user.org, kind=Event.Kind.NEW_ADDRESS)
    assert [entry.address for entry in logged] == ["203.0.113.7", "203.0.113.8"]
